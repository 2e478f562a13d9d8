"""Lines to choose from: columns that fit whatever they hold, and a cursor that passes over what is only read."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult

from memscope.tui.widgets.line_input import completed
from memscope.tui.widgets.listing import Line, Listing

TEXTS = st.text(st.sampled_from("ab 漢\x1b\n\u0301[é"), max_size=30)


class Alone(App[None]):
    def __init__(self, lines: list[Line]) -> None:
        super().__init__()
        self.lines = lines

    def compose(self) -> ComposeResult:
        yield Listing(self.lines)


@given(
    st.lists(st.lists(TEXTS, min_size=1, max_size=4), min_size=1, max_size=5),
    st.integers(8, 120),
    st.sampled_from([-1, 0]),
)
@settings(max_examples=60)
def test_a_row_takes_exactly_the_width_there_is(rows: list[list[str]], width: int, wide: int) -> None:
    longest = max(map(len, rows))
    lines = [Line(tuple(row + [""] * (longest - len(row)))) for row in rows]
    listing = Listing(lines, wide=wide)
    listing.style_of = lambda _: None  # type: ignore[assignment, method-assign, return-value]
    for number in range(len(lines)):
        strip = listing.draw_row(number, width)
        assert strip.cell_length == width == cell_len(strip.text)
        assert "\x1b" not in strip.text


async def test_the_cursor_passes_over_what_is_only_read() -> None:
    lines = [Line.title("One"), Line(("a",)), Line.said("read"), Line.said(), Line(("b",)), Line.said("end")]
    app = Alone(lines)
    async with app.run_test(size=(40, 20)) as pilot:
        listing = app.query_one(Listing)
        seen = [listing.chosen]
        for press in ("j", "j", "k", "k", "G", "g"):
            await pilot.press(press)
            seen.append(listing.chosen)
        assert seen == [1, 4, 4, 1, 1, 4, 1]
        await pilot.click(Listing, offset=(2, 2))
        assert listing.chosen == 1
        await pilot.click(Listing, offset=(2, 4))
        assert listing.chosen == 4


async def test_lines_that_are_all_read_choose_nothing_and_scroll() -> None:
    app = Alone([Line.said(f"line {number}") for number in range(60)])
    async with app.run_test(size=(40, 20)) as pilot:
        listing = app.query_one(Listing)
        await pilot.press("G")
        assert listing.chosen is None
        assert 59 in listing.visible_rows


def test_nothing_typed_completes_to_nothing() -> None:
    assert completed("") is None
    assert completed("/no/such/folder/x") is None
    assert completed("~nobody-of-that-name/x") is None
