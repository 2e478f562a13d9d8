from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult

from memscope.tui.widgets.bars import Bar, Bars, bar, spark

values = st.floats(-1e6, 1e6)


@given(values, st.floats(0, 1e6), st.integers(0, 60), st.booleans())
def test_a_bar_takes_the_width_it_is_given(value: float, full: float, width: int, plain: bool) -> None:
    found = bar(value, full, width, plain=plain)

    assert cell_len(found) == width
    assert not plain or found.isascii()
    assert found == found.rstrip() + " " * (width - len(found.rstrip()))


_LENGTHS = {char: length for length, char in enumerate(" ▏▎▍▌▋▊▉█")} | {"▒": 8, "-": 8, "=": 8}


@given(values, values, st.floats(1, 1e6), st.integers(0, 60), st.booleans())
def test_a_larger_value_of_the_same_sign_has_no_shorter_bar(
    one: float, other: float, full: float, width: int, plain: bool
) -> None:
    if (one < 0) != (other < 0):
        other = -other
    small, large = sorted((one, other), key=abs)
    lengths = [sum(_LENGTHS[char] for char in bar(value, full, width, plain=plain)) for value in (small, large)]

    assert lengths[0] <= lengths[1]


def test_bars_say_how_much_and_which_way_without_colour() -> None:
    assert bar(8.0, 8.0, 4) == "████"
    assert bar(3.0, 8.0, 4) == "█▌  "
    assert bar(80.0, 8.0, 4) == "████"
    assert bar(-4.0, 8.0, 4) == "▒▒  "
    assert bar(-4.0, 8.0, 4, plain=True) == "--  "
    assert bar(4.0, 8.0, 4, plain=True) == "==  "
    assert bar(4.0, 0.0, 4) == "    "


@given(st.lists(st.one_of(st.none(), values), max_size=50), st.integers(0, 30), st.booleans())
def test_a_spark_has_a_cell_for_each_value_or_as_many_as_there_are(
    found: list[float | None], width: int, plain: bool
) -> None:
    drawn = spark(found, width, plain=plain)

    assert cell_len(drawn) == min(len(found), width)
    assert not plain or drawn.isascii()


def test_a_spark_shows_height_sign_and_gaps() -> None:
    assert spark([None, 0.0, 1.0, 4.0, 8.0, -3.0], 10) == " ·▁▄█v"
    assert spark([None, 0.0, 1.0, 4.0, 9.0, -3.0], 10, plain=True) == " .149v"
    assert spark([1.0, 8.0, None, None, 0.0, -8.0], 3) == "█ v"
    assert spark([4.0], 3, full=8.0) == "▄"


class BarsApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.bars = Bars(empty="No memory mattered.\nPress t.")
        self.told: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.bars

    def on_mount(self) -> None:
        self.bars.focus()

    def on_line_scroll_moved(self) -> None:
        self.told.append(self.bars.selected.label if self.bars.selected else "")


def lines(bars: Bars) -> list[str]:
    return [bars.render_line(y).text.rstrip() for y in range(bars.size.height)]


FOUND = [Bar("package/manager", 8.0, "8.00"), Bar("tabs\x1b", -4.0, "-4.00"), Bar("late", None, "×", dim=True)]


@pytest.mark.parametrize(("width", "first", "second"), [(40, 17, 9), (80, 57, 29)])
async def test_label_number_and_bar(width: int, first: int, second: int) -> None:
    app = BarsApp()
    async with app.run_test(size=(width, 5)):
        app.bars.show(FOUND)
        shown = lines(app.bars)
        assert shown[0].split()[1] == "8.00"
        assert shown[0].endswith("█" * first)
        assert shown[1].split()[:2] == ["tabs␛", "-4.00"]
        assert shown[1].count("▒") == second
        assert shown[2].split() == ["late", "×"]
        assert all(app.bars.render_line(y).cell_length == width for y in range(5))


async def test_the_cursor_stays_with_what_it_is_on() -> None:
    app = BarsApp()
    async with app.run_test(size=(40, 5)) as pilot:
        app.bars.show(FOUND)
        await pilot.press("down")
        app.bars.show(FOUND[1:])
        assert app.bars.selected == FOUND[1]
        assert app.bars.select("late") and app.bars.selected == FOUND[2]
        assert not app.bars.select("nobody")
        app.bars.show(FOUND[:2])
        await pilot.pause()
        assert app.bars.selected == FOUND[0]
        assert app.told[-1] == FOUND[0].label


async def test_no_bars_say_why() -> None:
    app = BarsApp()
    async with app.run_test(size=(40, 5)):
        assert lines(app.bars)[:2] == ["No memory mattered.", "Press t."]
        assert app.bars.selected is None


async def test_why_there_are_none_is_told_whole() -> None:
    app = BarsApp()
    words = "No memory mattered to these words above 0.01 nats. t changes the threshold."
    async with app.run_test(size=(30, 6)):
        app.bars.heading = "nats on #8"
        app.bars.empty = words
        assert lines(app.bars)[0] == "nats on #8"
        assert " ".join(lines(app.bars)[1:]).split() == words.split()


def test_in_ascii_noise_is_no_height() -> None:
    assert set(spark([0.0, 1.0, 9.0], 3, plain=True)) == {".", "1", "9"}


async def test_labels_come_first_where_they_say_more() -> None:
    class Two(App[None]):
        def compose(self) -> ComposeResult:
            yield Bars(id="half")
            yield Bars(labels_first=True, id="first")

    app = Two()
    async with app.run_test(size=(40, 10)) as pilot:
        name = "project/amounts-are-minor-units"
        for bars in app.query(Bars):
            bars.show([Bar(name, 0.9, "90%")])
        await pilot.pause()
        assert name not in app.query_one("#half", Bars).draw_row(0, 40).text
        assert name in app.query_one("#first", Bars).draw_row(0, 40).text
        assert app.query_one("#first", Bars).draw_row(0, 40).cell_length == 40
