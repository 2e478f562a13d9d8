"""The lines around a pane: what they show in the room there is, and that a click is the key."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from memscope.tui.keys import key
from memscope.tui.widgets.chrome import FindLine, KeyLine, PaneBar, StatusLine

PANES = ((1, "Matrix"), (2, "Responses"), (3, "Memories"))
HELP = key("help", "question_mark", "help", "Help", "")  # one of those that every pane has


class Thing(Widget, can_focus=True):
    BINDINGS: ClassVar[list[BindingType]] = [key("thing.fold", "z", "fold", "Fold")]

    def action_fold(self) -> None:
        assert isinstance(self.app, ChromeApp)
        self.app.done.append("fold")


class Pane(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        HELP,
        key("one", "1", "one", "First"),
        key("quiet", "0", "quiet", "Quiet", show=False),
    ]

    def compose(self) -> ComposeResult:
        yield PaneBar()
        yield Thing()
        yield FindLine()
        yield StatusLine()
        yield KeyLine()

    def action_help(self) -> None:
        assert isinstance(self.app, ChromeApp)
        self.app.done.append("help")

    def action_one(self) -> None:
        assert isinstance(self.app, ChromeApp)
        self.app.done.append("one")

    def action_quiet(self) -> None:
        """Not shown."""


class ChromeApp(App[None]):
    CSS = "Thing { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []

    def on_mount(self) -> None:
        self.push_screen(Pane())

    def on_pane_bar_picked(self, event: PaneBar.Picked) -> None:
        self.done.append(f"pane {event.number}")

    def on_find_line_changed(self, event: FindLine.Changed) -> None:
        self.done.append(f"find {event.words!r}")


def bar_of(app: ChromeApp, what: str = "") -> PaneBar:
    bar = app.screen.query_one(PaneBar)
    bar.panes, bar.active, bar.what = PANES, 2, what
    return bar


@pytest.mark.parametrize(
    ("width", "words"), [(80, " 1  2 Responses  3 "), (99, " 1  2 "), (100, " 1 Matrix  2 Responses  3 Memories ")]
)
async def test_a_narrow_bar_names_only_the_pane_that_is_shown(width: int, words: str) -> None:
    app = ChromeApp()
    async with app.run_test(size=(width, 24)) as pilot:
        bar = bar_of(app, "a title")
        await pilot.pause()
        assert bar.render().plain.startswith(words)
        assert bar.render().plain.endswith(" a title")
        assert cell_len(bar.render().plain) < width


@pytest.mark.parametrize("width", [5, 20, 30, 80, 120])
@pytest.mark.parametrize("what", ["", "short", "long " * 40, "漢字" * 60], ids=["empty", "short", "long", "cjk"])
async def test_the_bar_never_outgrows_its_line(width: int, what: str) -> None:
    app = ChromeApp()
    async with app.run_test(size=(width, 24)) as pilot:
        bar = bar_of(app, what)
        await pilot.pause()
        text = bar.render().plain
        panes = " 1 Matrix  2 Responses  3 Memories " if width >= 100 else " 1  2 Responses  3 "
        assert text.startswith(panes)
        assert cell_len(text) <= max(width, len(panes))
        if len(what) > 40 and width >= 80:
            assert text.endswith("…")


@pytest.mark.parametrize("what", ["", "short", "long " * 40], ids=["empty", "short", "long"])
@pytest.mark.parametrize("width", [10, 80, 120])
async def test_a_badge_stands_at_the_end_of_the_bar_where_there_is_room(width: int, what: str) -> None:
    app = ChromeApp()
    async with app.run_test(size=(width, 24)) as pilot:
        bar = bar_of(app, what)
        bar.badge = "classic"
        await pilot.pause()
        text = bar.render().plain
        assert text.endswith(" classic ") == (width > 10)
        assert width == 10 or cell_len(text) == width
        assert what[:5] in text or width == 10


@pytest.mark.parametrize(("width", "places"), [(80, {1: 1, 4: 2, 14: 2, 17: 3}), (120, {1: 1, 9: 1, 10: 2, 23: 3})])
async def test_a_click_on_a_pane_picks_it(width: int, places: dict[int, int]) -> None:
    app = ChromeApp()
    async with app.run_test(size=(width, 24)) as pilot:
        bar_of(app, "a title")
        await pilot.pause()
        for x in places:
            await pilot.click(PaneBar, offset=(x, 0))
        await pilot.click(PaneBar, offset=(width - 3, 0))  # the title is no pane
        assert app.done == [f"pane {number}" for number in places.values()]


def status(width: int, said: str, progress: str) -> str:
    """What a status line so wide shows."""

    class Sized(StatusLine):
        content_size = Size(width, 1)  # type: ignore[assignment]

    line = Sized()
    line.set_reactive(StatusLine.said, said)
    line.set_reactive(StatusLine.progress, progress)
    return line.render().plain


def test_the_status_stands_left_and_the_progress_right() -> None:
    assert status(20, "said", "3/5") == "said" + " " * 13 + "3/5"
    assert status(20, "said", "") == "said" + " " * 16
    assert status(20, "much too much is said", "3/5") == "much too much…   3/5"
    assert status(8, "said", "12345/9999") == "12345/99"  # the progress is what gives way last
    assert status(8, "said", "12345") == "   12345"


_words = st.text(alphabet="ab 漢字é", max_size=40)


@given(st.integers(0, 50), _words, _words)
def test_the_status_line_is_exactly_filled(width: int, said: str, progress: str) -> None:
    text = status(width, said, progress)
    assert cell_len(text) == width
    if progress and cell_len(progress) <= width:
        assert text.endswith(progress)
    if cell_len(said) + cell_len(progress) + 2 <= width and cell_len(said) < width - cell_len(progress) - 5:
        assert text.startswith(said)


async def test_the_keys_that_fit_are_shown_the_own_ones_first_and_help_always() -> None:
    app = ChromeApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.screen.query_one(Thing).focus()
        await pilot.pause()
        line = app.screen.query_one(KeyLine)
        assert line.render().plain == " z Fold  1 First  ? Help "
        await pilot.resize_terminal(17, 24)
        await pilot.pause()
        assert line.render().plain == " z Fold  ? Help "
        await pilot.resize_terminal(12, 24)
        await pilot.pause()
        assert line.render().plain == " ? Help "


async def test_a_click_on_a_key_is_the_key_of_whoever_has_it() -> None:
    app = ChromeApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.screen.query_one(Thing).focus()
        await pilot.pause()
        for x in (1, 6, 10, 20, 60):  # fold, still fold, first, help, nothing
            await pilot.click(KeyLine, offset=(x, 0))
        assert app.done == ["fold", "fold", "one", "help"]
        assert isinstance(app.focused, Thing)


async def test_keys_that_were_moved_are_shown_where_they_are() -> None:
    app = ChromeApp()
    app.set_keymap({"one": "f4"})
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert " f4 First " in app.screen.query_one(KeyLine).render().plain


async def test_finding_takes_the_focus_and_gives_it_back() -> None:
    app = ChromeApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.screen.query_one(Thing).focus()
        await pilot.pause()
        line = app.screen.query_one(FindLine)
        assert not line.display
        assert not line.close()
        line.open()
        await pilot.press("a", "b")
        assert isinstance(app.focused, Input)
        await pilot.press("enter")
        assert isinstance(app.focused, Thing)
        assert line.display
        line.open()
        line.open()  # asked for again while it is being typed into
        await pilot.press("c")  # what was there is selected
        assert line.close()
        await pilot.pause()
        assert isinstance(app.focused, Thing)
        assert not line.display
        assert app.done == ["find 'a'", "find 'ab'", "find 'c'", "find ''"]


async def test_enter_on_no_words_ends_the_search() -> None:
    app = ChromeApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.screen.query_one(Thing).focus()
        await pilot.pause()
        line = app.screen.query_one(FindLine)
        line.open()
        await pilot.press("space", "enter")
        await pilot.pause()
        assert not line.display
        assert isinstance(app.focused, Thing)
        assert app.done[-1] == "find ''"
