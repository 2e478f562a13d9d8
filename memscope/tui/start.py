"""Opening the console from the command line: what is checked first, and how it ends."""

from __future__ import annotations

import difflib
import gc
import threading
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from memscope.actions.engine import open_store
from memscope.actions.kept import Kept
from memscope.actions.open import Opened, Opening, opened
from memscope.base.errors import Exit, SettingsError, StoreError
from memscope.base.settings import Resolved

if TYPE_CHECKING:
    from memscope.store.database import Database

_HEAD_START = 0.3  # seconds that a file has before the console opens without it


def open_console(resolved: Resolved, opening: Opening | None) -> Exit:
    """Runs the console until the person leaves it. `opening`: what to open; None offers recent conversations.

    The file is read while the console is still being imported. Raises what `opened` raises when that is known before
    the console stands, and `SettingsError` for keys or a theme that cannot be. A store that cannot be opened, and a
    file that takes longer, are told of in the console.
    """
    gc.disable()  # nothing that is imported now ever becomes garbage; the app turns it on again
    trouble: StoreError | None = None
    try:
        database = open_store(resolved.settings)
    except StoreError as error:
        database, trouble = None, error
    loading: Future[Opened] = Future()
    if opening is not None:
        load = partial(_load, loading, opening, resolved, database)
        threading.Thread(target=load, name="memscope load", daemon=True).start()
    from memscope.tui.app import MemscopeApp

    kept = Kept(database)
    kept.trouble = trouble
    first: Opening | Opened | None = opening
    if opening is not None:
        with suppress(TimeoutError):
            first = loading.result(_HEAD_START)
    app = MemscopeApp(resolved, kept, first, loading.result)
    if resolved.settings.keys:
        _check_keys(resolved.settings.keys)
    if (theme := resolved.settings.theme) and theme not in app.available_themes:
        near = difflib.get_close_matches(theme, app.available_themes, 3) or sorted(app.available_themes)
        raise SettingsError(f"there is no theme {theme!r}", do=f"There are: {', '.join(near)}.")
    app.run()
    return Exit(app.return_code or 0)


def _load(loading: Future[Opened], opening: Opening, resolved: Resolved, database: Database | None) -> None:
    try:
        loading.set_result(opened(opening, resolved.settings, database))
    except BaseException as error:  # whoever asks for the result gets it
        loading.set_exception(error)


def _check_keys(keys: dict[str, str]) -> None:
    """Refuses keys for what is no binding, and one key for two things that act at the same time."""
    from memscope.tui.bindings import all_bindings, clashes

    known = all_bindings()
    for name in keys:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"Did you mean {near[0]}?" if near else "? in the console shows them."
            raise SettingsError(f"there is no key binding {name!r}", where="[keys]", do=hint)
    for clash in clashes(keys):
        raise SettingsError(clash, where="[keys]", do="Give one of them another key.")
