"""The scrolling base: where the cursor goes, what scrolls with it, and that only what changed is drawn again."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.strip import Strip

from memscope.tui.widgets.lines import LineScroll


class Numbers(LineScroll):
    """So many numbered rows under a header; counts how often each was drawn."""

    def __init__(self, count: int, width: int = 0) -> None:
        super().__init__()
        self.count = count
        self.width_of_rows = width
        self.drawn: list[int] = []

    @property
    def row_count(self) -> int:
        return self.count

    @property
    def header_height(self) -> int:
        return 1

    @property
    def content_width(self) -> int:
        return self.width_of_rows

    def draw_header(self, line: int, width: int) -> Strip:
        return self.strip(("head", None))

    def draw_row(self, row: int, width: int) -> Strip:
        self.drawn.append(row)
        here = ">" if row == self.cursor else " "
        return self.strip((f"{here}row {row}".ljust(self.width_of_rows)[self.scroll_offset.x :], None))


class NumbersApp(App[None]):
    def __init__(self, count: int = 100, width: int = 0) -> None:
        super().__init__()
        self.numbers = Numbers(count, width)
        self.told: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.numbers

    def on_mount(self) -> None:
        self.numbers.rows_changed()
        self.numbers.focus()

    def on_line_scroll_moved(self, event: LineScroll.Moved) -> None:
        self.told.append(f"{type(event).__name__} {event.lines.cursor}")

    def on_line_scroll_chosen(self, event: LineScroll.Chosen) -> None:
        self.told.append(f"{type(event).__name__} {event.lines.cursor}")


SIZE = (30, 11)  # a header and ten rows


def shown(numbers: Numbers) -> list[str]:
    """The lines of the screen, the header without its cut."""
    return [numbers.render_line(y).text.rstrip() for y in range(numbers.size.height)]


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


async def test_the_keys_move_the_cursor_and_stop_at_the_ends() -> None:
    app = NumbersApp()
    async with app.run_test(size=SIZE) as pilot:
        places = []
        for key in ("down", "j", "up", "k", "k", "G", "j", "pageup", "g", "pagedown", "end", "home"):
            await press(pilot, key)
            places.append(app.numbers.cursor)
        assert places == [1, 2, 1, 0, 0, 99, 99, 89, 0, 10, 99, 0]
        assert app.told == [f"Moved {place}" for place in (1, 2, 1, 0, 99, 89, 0, 10, 99, 0)]


async def test_half_a_page_is_scrolled_when_the_cursor_leaves_the_screen() -> None:
    app = NumbersApp()
    async with app.run_test(size=SIZE) as pilot:
        numbers = app.numbers
        await press(pilot, *["j"] * 9)
        assert numbers.visible_rows == range(10)
        await press(pilot, "j")
        assert numbers.visible_rows == range(6, 16)
        assert shown(numbers)[:2] == ["head", " row 6"]
        assert shown(numbers)[5] == ">row 10"
        await press(pilot, *["k"] * 4)
        assert numbers.visible_rows == range(6, 16)
        await press(pilot, "k")
        assert numbers.visible_rows == range(10)
        await press(pilot, "G")
        assert numbers.visible_rows == range(90, 100)


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_few_rows_need_no_scrolling(count: int) -> None:
    app = NumbersApp(count)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "j", "G", "pagedown", "k", "g", "pageup")
        assert app.numbers.cursor == 0
        assert app.numbers.visible_rows == range(count)
        assert [line.strip(" >") for line in shown(app.numbers)] == [
            "head",
            *(f"row {row}" for row in range(count)),
            *[""] * (10 - count),
        ]


async def test_the_cursor_draws_the_row_it_comes_to_and_a_scroll_those_that_are_new() -> None:
    app = NumbersApp()
    async with app.run_test(size=SIZE) as pilot:
        numbers = app.numbers
        await press(pilot, "j")
        numbers.drawn.clear()
        await press(pilot, "j")
        assert numbers.drawn == [2]  # row 1 was drawn without it before
        await press(pilot, *["j"] * 7)
        numbers.drawn.clear()
        await press(pilot, "j")  # half a page on
        assert sorted(numbers.drawn) == list(range(10, 16))


async def test_rows_that_changed_are_drawn_again_where_they_are_on_the_screen() -> None:
    app = NumbersApp()
    async with app.run_test(size=SIZE) as pilot:
        numbers = app.numbers
        await press(pilot, "j")
        numbers.drawn.clear()
        numbers.redraw([3, 5, 50])
        await pilot.pause()
        assert sorted(numbers.drawn) == [3, 5]
        numbers.drawn.clear()
        numbers.redraw([])
        numbers.redraw_header()
        await pilot.pause()
        assert numbers.drawn == []
        numbers.redraw()
        await pilot.pause()
        assert sorted(numbers.drawn) == list(range(10))


async def test_a_row_that_changed_off_the_screen_is_drawn_anew_when_it_comes() -> None:
    app = NumbersApp()
    async with app.run_test(size=SIZE) as pilot:
        numbers = app.numbers
        await press(pilot, "pagedown", "pagedown", "g")
        numbers.redraw([12])
        numbers.drawn.clear()
        await press(pilot, "pagedown")
        assert 12 in numbers.drawn
        assert 13 not in numbers.drawn


async def test_fewer_rows_take_the_cursor_along() -> None:
    app = NumbersApp()
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "G")
        app.numbers.count = 5
        app.numbers.rows_changed()
        await pilot.pause()
        assert app.numbers.cursor == 4
        assert app.numbers.visible_rows == range(5)


async def test_a_smaller_screen_still_shows_the_cursor() -> None:
    app = NumbersApp()
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, *["j"] * 9)
        await pilot.resize_terminal(30, 5)
        await pilot.pause()
        assert 9 in app.numbers.visible_rows
        assert ">row 9" in shown(app.numbers)


async def test_a_click_moves_the_cursor_and_a_second_one_goes_deeper() -> None:
    app = NumbersApp()
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, *["j"] * 10)  # rows 6 to 15
        app.told.clear()
        await pilot.click(Numbers, offset=(2, 3))
        assert app.numbers.cursor == 8
        await pilot.click(Numbers, offset=(2, 0))  # the header
        assert app.numbers.cursor == 8
        await pilot.double_click(Numbers, offset=(2, 5))
        assert app.told == ["Moved 8", "Moved 10", "Chosen 10"]


async def test_a_click_below_the_last_row_is_nothing() -> None:
    app = NumbersApp(2)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.double_click(Numbers, offset=(2, 7))
        assert app.told == []


async def test_wide_rows_scroll_sideways() -> None:
    app = NumbersApp(5, width=100)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "l")
        assert app.numbers.scroll_offset.x == 8
        assert shown(app.numbers)[1] == ""
        await press(pilot, "h", "h")
        assert app.numbers.scroll_offset.x == 0
        assert shown(app.numbers)[1] == ">row 0"
