"""Help: what has the focus, the keys that act there as they are set now, and what the numbers cannot say."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from memscope.tui.dialogs.help import LIMIT, Help, key_help
from memscope.tui.keys import GLOBAL, key
from memscope.tui.widgets.listing import Line, Listing
from memscope.tui.widgets.reading import Reading
from tests.tui.dialogs._ask import HOSTILE, SMALL, WIDE, has_foreign_controls, text_of


class Rows(Listing):
    BINDINGS: ClassVar[list[BindingType]] = [key("rows.turn", "r", "turn", "Turn", "Turn the row around")]

    def action_turn(self) -> None: ...


class Pane(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [*GLOBAL, key("pane_own", "w", "why", "Why", "What made this so")]

    def compose(self) -> ComposeResult:
        yield Rows([Line(("a",))])

    def action_why(self) -> None: ...


async def helped(words: str = "The rows.", size: tuple[int, int] = SMALL, **moved: str) -> tuple[App[Any], str]:
    """What the help over a pane shows, from the first line to the last."""
    app: App[None] = App()
    app.animation_level = "none"
    async with app.run_test(size=size) as pilot:
        app.set_keymap(moved)
        pane = Pane()
        await app.push_screen(pane)
        await pilot.pause()
        await app.push_screen(Help("Rows", words, pane.active_bindings))
        await pilot.pause()
        seen = [text_of(app)]
        for _ in range(6):
            await pilot.press("pagedown")
            seen.append(text_of(app))
        assert isinstance(app.focused, Reading)
        await pilot.press("escape")
        assert app.screen is pane
    return app, "\n".join(seen)


@pytest.mark.parametrize("size", [SMALL, WIDE])
async def test_it_says_what_it_is_and_all_that_can_be_done(size: tuple[int, int]) -> None:
    _, seen = await helped("The rows.\n\nThe pane.", size)
    for words in (
        *("The rows.", "The pane.", "Keys here", "Turn the row around", "Keys of this pane", "What made this so"),
        *("Keys everywhere", "Copy what the cursor is on", "Moving", "A page down", "What the numbers cannot say"),
    ):
        assert words in seen
    for word in LIMIT.split():
        assert word in seen
    order = ("The rows.", "The pane.", "Keys here", "Keys of this pane", "Keys everywhere")
    assert [*map(seen.index, order)] == sorted(map(seen.index, order))


async def test_keys_are_those_that_are_set() -> None:
    _, seen = await helped(**{"copy": "c", "move.up": "w,up"})
    assert any(line.strip(" │").startswith("c ") and "Copy what" in line for line in seen.splitlines())
    assert any("w ↑" in line and "One row up" in line for line in seen.splitlines())


async def test_one_line_for_what_several_keys_do_and_one_for_the_panes() -> None:
    app: App[None] = App()
    async with app.run_test(size=SMALL) as pilot:
        pane = Pane()
        await app.push_screen(pane)
        await pilot.pause()
        entries = key_help(app, pane.active_bindings)
    assert [entry.keys for entry in entries if entry.tip == "The panes"] == [[str(n) for n in range(1, 10)]]
    assert [entry.keys for entry in entries if entry.tip == "One row down"] == [["↓", "j"]]
    assert len({entry.tip for entry in entries}) == len(entries)


async def test_words_are_never_markup() -> None:
    _, seen = await helped(HOSTILE)
    assert not has_foreign_controls(seen)
    assert "[/red] x [b +␛]0;owned␇" in seen
