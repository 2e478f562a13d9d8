"""Keys have one meaning: what means the same everywhere is never rebound, and everything can be moved."""

from __future__ import annotations

import pytest

from memscope.tui.bindings import bindings_of, clashes, keys_of, owners
from memscope.tui.keys import GLOBAL, MOVES
from memscope.tui.pane import PaneScreen
from memscope.tui.widgets.lines import LineScroll

SHARED = {binding.id: binding for binding in (*GLOBAL, *MOVES)}
OWNERS = owners()


def test_the_walk_finds_panes_widgets_and_dialogs() -> None:
    places = {owner.__module__.split(".")[2] for owner in OWNERS}
    assert {"pane", "panes", "widgets", "dialogs"} <= places


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.__name__)
def test_every_binding_can_be_moved_and_says_what_it_does(owner: type[PaneScreen]) -> None:
    for binding in bindings_of(owner):
        assert binding.id, f"{owner.__name__} {binding.key}"
        assert binding.description, binding.id


def test_an_id_means_one_thing() -> None:
    meanings: dict[str, set[tuple[str, str]]] = {}
    for owner in OWNERS:
        for binding in bindings_of(owner):
            meanings.setdefault(binding.id or "", set()).add((binding.key, binding.action))
    assert {name: found for name, found in meanings.items() if len(found) > 1} == {}


def test_no_key_has_a_second_meaning() -> None:
    assert list(clashes()) == []


@pytest.mark.parametrize("owner", [o for o in OWNERS if o not in (PaneScreen, LineScroll)], ids=lambda o: o.__name__)
def test_no_pane_or_widget_binds_one_key_twice(owner: type[PaneScreen]) -> None:
    seen: dict[str, str] = {}
    for binding in bindings_of(owner):
        for key in keys_of(binding):
            assert seen.setdefault(key, binding.id or "") == binding.id, (owner.__name__, key)


def test_nothing_hides_behind_ctrl_or_alt_alone() -> None:
    for owner in OWNERS:
        for binding in (
            b for b in bindings_of(owner) if b.id != "suspend"
        ):  # what a terminal's own key is expected to do
            assert any(not key.startswith(("ctrl+", "alt+")) for key in keys_of(binding)), binding.id
