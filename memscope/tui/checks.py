"""What of the settings only the console can check: its theme and its keys.

A console that opened with a key for nothing, or with one key for two things, could lock a person out. So they are
checked before it opens, before a value is taken, and before one is written.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping

from memscope.base.errors import SettingsError
from memscope.base.settings import Settings


def check_settings(settings: Settings, themes: Collection[str]) -> None:
    """Raises `SettingsError` for a theme that is none of `themes` (empty: the one of before) and for keys that cannot
    be: for what is no binding, of no key, or one key for two things that act at the same time."""
    if settings.theme and settings.theme not in themes:
        near = difflib.get_close_matches(settings.theme, themes, 3) or sorted(themes)
        raise SettingsError(f"there is no theme {settings.theme!r}", do=f"There are: {', '.join(near)}.")
    if settings.keys:
        _check_keys(settings.keys)


def _check_keys(keys: Mapping[str, str]) -> None:
    from memscope.tui.bindings import all_bindings, clashes, no_key  # all that binds a key: dear, and seldom needed

    known = all_bindings()
    for name, moved in keys.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 3)
            hint = f"Did you mean {' or '.join(near)}?" if near else "? in the console shows them."
            raise SettingsError(f"there is no key binding {name!r}", where="[keys]", do=hint)
        if (why := no_key(moved)) is not None:
            raise SettingsError(f"{name} cannot have the keys {moved!r}: {why}", where="[keys]")
    for clash in clashes(keys):
        raise SettingsError(clash, where="[keys]", do="Give one of them another key.")
