"""The line to type what is searched for: what is pasted is only text, and nothing in it moves by itself."""

from __future__ import annotations

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Input

from memscope.tui.widgets.chrome import FindLine


class Alone(App[None]):
    """The line in an app that takes down what it tells, beside something that can have the focus."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def compose(self) -> ComposeResult:
        yield Input(id="before")
        yield FindLine()

    def on_find_line_changed(self, event: FindLine.Changed) -> None:
        self.told.append(event.words)


def shown(app: Alone) -> str:
    return "\n".join("".join(s.text for s in strip) for strip in app.screen._compositor.render_strips())


@pytest.mark.parametrize("pasted", ["\x1b]0;x\x07", "\x9b2J", "a\u202eb"])
async def test_what_is_pasted_is_only_text(pasted: str) -> None:
    app = Alone()
    async with app.run_test(size=(80, 24)) as pilot:
        app.query_one(FindLine).open()
        await pilot.pause()
        assert app.focused is not None
        app.focused.post_message(events.Paste(pasted))
        await pilot.pause()
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(shown(app) + "".join(app.told))
        assert len(app.told) == 1
        assert app.told[0] in shown(app)


async def test_its_cursor_does_not_blink() -> None:
    app = Alone()
    async with app.run_test(size=(80, 24)):
        assert not app.query_one(FindLine).query_one(Input).cursor_blink


async def test_enter_keeps_the_words_and_gives_the_focus_back() -> None:
    app = Alone()
    async with app.run_test(size=(80, 24)) as pilot:
        before = app.query_one("#before")
        before.focus()
        line = app.query_one(FindLine)
        line.open()
        await pilot.press(*"ab", "enter")
        await pilot.pause()
        assert app.told == ["a", "ab"]
        assert line.display
        assert app.focused is before
        assert line.close()
        await pilot.pause()
        assert app.told[-1] == ""
