"""The line in which sessions are filtered: what it tells, says, offers and remembers, and what it does not let by."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Input

from memscope.actions.sessions import begun_filter, parse_filter
from memscope.sessions.query import Completion
from memscope.tui.panes.sessions.filter_line import FilterInput, FilterLine
from memscope.tui.widgets.chrome import FindLine

REPOS = ("ledgerly", "legible", "mise en place")


def complete(text: str, cursor: int) -> list[Completion]:
    """Names of repositories behind `repo=`."""
    start = text.rfind("repo=", 0, cursor) + len("repo=")
    if start < len("repo=") or " " in text[start:cursor]:
        return []
    typed = text[start:cursor]
    return [Completion(start, cursor, name) for name in REPOS if name.startswith(typed) and name != typed]


class Alone(App[None]):
    """The line in an app that takes down what it tells."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def compose(self) -> ComposeResult:
        yield Input(id="before")
        yield FilterLine(parse_filter, begun_filter, complete)

    def on_find_line_changed(self, event: FindLine.Changed) -> None:
        self.told.append(event.words)

    @property
    def filter(self) -> FilterLine:
        return self.query_one(FilterLine)

    @property
    def said(self) -> str:
        return self.filter.words.told

    def underlined(self) -> str:
        strip = self.filter.line.render_line(0)
        return "".join(s.text for s in strip if s.style and s.style.underline)


async def opened(pilot: Pilot[Any]) -> Alone:
    app = pilot.app
    assert isinstance(app, Alone)
    app.query_one("#before").focus()
    app.filter.open()
    await pilot.pause()
    return app


async def test_what_is_wrong_is_not_told_and_is_pointed_at() -> None:
    async with Alone().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        await pilot.press(*"fix scoer>3")
        assert app.told[-3:] == ["fix scoe", "fix scoer", "fix"]
        assert app.said.startswith("there is no field 'scoer'. Did you mean score?")
        assert app.underlined() == "scoer"
        await pilot.press("enter")
        assert isinstance(app.focused, FilterInput)
        await pilot.press(*["backspace"] * 7, *"score>3")
        assert app.told[-1] == "fix score>3"
        assert app.underlined() == ""
        await pilot.press("enter")
        assert app.focused is app.query_one("#before")
        assert app.filter.display and not app.filter.words.display


async def test_of_a_term_that_can_go_on_only_that_is_said_until_enter() -> None:
    async with Alone().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        await pilot.press(*"x ")
        app.filter.line.insert_text_at_cursor("repo=")
        await pilot.pause()
        assert app.said == "ledgerly   legible   mise en place"
        assert not app.filter.words.has_class("-wrong")
        assert app.underlined() == ""
        await pilot.press("enter")
        assert app.said.startswith("nothing stands behind repo=")
        assert app.filter.words.has_class("-wrong")
        assert app.underlined() == "repo="
        assert app.told[-1] == "x"


async def test_a_word_that_a_field_may_begin_with_is_told_once_it_is_typed() -> None:
    async with Alone().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        await pilot.press(*"xy score")
        assert app.told == ["x", "xy"]
        await pilot.press(*">=9")
        assert app.told[2:] == ["xy score>=9"]
        await pilot.press(*" size")
        assert app.told[3:] == []
        await pilot.press("space")
        assert app.told[3:] == ["xy score>=9 size"]
        await pilot.press(*"title", "enter")
        assert app.told[4:] == ["xy score>=9 size title"]


async def test_a_term_that_is_wrong_leaves_the_others_whatever_is_wrong_with_it() -> None:
    async with Alone().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        app.filter.line.value = "mend score>>3 -colour=red memories>0"
        await pilot.press("enter")
        assert app.told == ["mend memories>0"]
        assert isinstance(app.focused, FilterInput)


async def test_ways_to_go_on_are_offered_only_where_it_is_wrong() -> None:
    async with Alone().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        app.filter.line.value = "colour=x repo="
        app.filter.line.cursor_position = len("colour=x repo=")
        await pilot.pause()
        assert app.said.startswith("there is no field 'colour'. Quote what is no field")
        assert "ledgerly" not in app.said


async def test_what_could_stand_there_is_offered_and_tab_or_the_arrow_takes_it() -> None:
    async with Alone().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        await pilot.press(*"repo=le")
        assert app.said == "ledgerly   legible"
        assert app.filter.line._suggestion == "repo=ledgerly"
        await pilot.press("tab")
        assert app.told[-1] == "repo=ledgerly"
        await pilot.press(*["backspace"] * 6, *"g", "right")
        assert app.told[-1] == "repo=legible"
        await pilot.press(*" x", "tab")  # nothing is offered, so Tab goes on
        assert app.focused is app.query_one("#before")


async def test_in_the_middle_what_stands_behind_the_cursor_stays() -> None:
    async with Alone().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        app.filter.line.value = "repo=le memories>0"
        app.filter.line.cursor_position = len("repo=le")
        await pilot.press("tab")
        assert app.told[-1] == "repo=ledgerly memories>0"
        await pilot.press("!")
        assert app.filter.line.value == "repo=ledgerly! memories>0"


async def test_earlier_expressions_come_back_latest_first() -> None:
    async with Alone().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        for words in ("one", "two", "one"):
            app.filter.line.value = words
            await pilot.press("enter")
            app.filter.open()
            await pilot.pause()
        assert app.filter.line.earlier == ["one", "two"]
        been = []
        for key in ("up", "up", "up", "down", "down"):
            await pilot.press(key)
            been.append(app.filter.line.value)
        assert been == ["one", "two", "two", "one", ""]


async def test_escape_ends_it_whatever_stands_there() -> None:
    async with Alone().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        await pilot.press(*"a scoer>")
        assert app.filter.close()
        await pilot.pause()
        assert app.told[-1] == ""
        assert not app.filter.display
        assert not app.filter.close()


async def test_what_is_pasted_is_only_text() -> None:
    async with Alone().run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        assert app.focused is not None
        app.focused.post_message(events.Paste("a\x1b]0;x\x07\u202eb"))
        await pilot.pause()
        shown = "\n".join("".join(s.text for s in strip) for strip in app.screen._compositor.render_strips())
        assert not {"\x1b", "\x07", "\u202e"} & set(shown + "".join(app.told))
        assert len(app.told) == 1
