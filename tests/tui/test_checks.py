"""What the console refuses before it opens, and before a setting is taken: it would lock a person out."""

from __future__ import annotations

import subprocess
import sys

import pytest

from memscope.base.errors import SettingsError
from memscope.base.settings import Settings
from memscope.tui.bindings import all_bindings, no_key
from memscope.tui.checks import check_settings

THEMES = ("dracula", "nord", "textual-dark")


def refused(**values: object) -> str:
    with pytest.raises(SettingsError) as caught:
        check_settings(Settings(**values), THEMES)
    return str(caught.value)


@pytest.mark.parametrize("theme", ["", "nord"])
def test_a_theme_there_is_or_none_is_taken(theme: str) -> None:
    check_settings(Settings(theme=theme), THEMES)


def test_a_theme_that_is_none_is_refused_with_those_near_it() -> None:
    assert refused(theme="nrod") == "there is no theme 'nrod'. There are: nord."
    assert refused(theme="xyz").endswith("There are: dracula, nord, textual-dark.")


def test_keys_that_are_free_are_taken() -> None:
    check_settings(Settings(keys={"find": "slash,f4", "dialog.write": "s"}), THEMES)
    check_settings(Settings(keys={"find": "s", "sort": "slash"}), THEMES)


def test_keys_for_what_is_no_binding_are_refused_with_those_near_it() -> None:
    assert refused(keys={"fnid": "f4"}) == "[keys]: there is no key binding 'fnid'. Did you mean find?"
    assert refused(keys={"": "f4"}) == "[keys]: there is no key binding ''. ? in the console shows them."


@pytest.mark.parametrize(
    ("name", "key", "other"),
    [
        ("find", "q", "quit"),  # of all panes
        ("find", "U", "matrix.units"),  # a pane's
        ("matrix.strongest", "v", "matrix.overview"),  # two of one pane
        ("nearby.mark", "a", "nearby.1"),  # two of one widget
        ("dialog.write", "enter", "dialog.edit"),  # two of one dialog
        ("dialog.write", "escape", "dialog.close"),  # and what it inherits
        ("dialog.write", "j", "move.down"),  # and the list in it
    ],
)
def test_one_key_for_two_things_is_refused(name: str, key: str, other: str) -> None:
    said = refused(keys={name: key})
    assert f"the key {key!r} would be both" in said
    assert name in said
    assert other in said


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ("", "a key is missing"),
        ("f,", "a key is missing"),
        ("slash, f", "without spaces"),
        ("/", "the key / is called slash"),
        ("+", "is called plus"),
        ("ctl+p", "there is no key 'ctl+p'"),
        ("Escape", "there is no key 'Escape'"),
        ("<any>", "there is no key"),
    ],
)
def test_what_is_no_key_is_refused(keys: str, why: str) -> None:
    assert why in refused(keys={"sort": keys})


@pytest.mark.parametrize("keys", ["f4", "ctrl+escape", "full_stop", "plus", "backslash", "é", "Q", "ctrl+shift+up"])
def test_what_is_a_key_is_taken(keys: str) -> None:
    assert no_key(keys) is None


def test_the_keys_that_are_set_are_keys() -> None:
    assert [name for name, binding in all_bindings().items() if no_key(binding.key) is not None] == []


def test_without_keys_nothing_is_imported_for_them() -> None:
    code = """
import sys
from memscope.base.settings import Settings
from memscope.tui.checks import check_settings
check_settings(Settings(theme="nord"), ["nord"])
print([name for name in sys.modules if name.startswith("textual")])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
