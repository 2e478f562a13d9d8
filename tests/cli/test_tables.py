"""Tables for a terminal: the columns stand below their titles, and no line is wider than there is room for."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from memscope.cli.tables import fitted
from memscope.reports.view import Column

Row = tuple[str, str]
COLUMNS: list[Column[Row]] = [
    Column("name", lambda row: row[0]),
    Column("size", lambda row: row[1], "bytes", rank=1),
    Column("words", lambda row: row[0] * 5, rank=2, wide=True),
]
_CELL = st.text(st.sampled_from("ab c日é\t\n\x1b\u202e"), max_size=30)


def test_text_begins_below_its_title_and_numbers_end_there() -> None:
    assert fitted(COLUMNS[:2], [("日本", "7"), ("a\nb", "1200")], 40).lines == (
        "name  size",
        "──────────",
        "日本     7",
        "a⏎b   1200",
    )


def test_what_is_too_long_is_cut_names_in_the_middle_and_words_at_the_end() -> None:
    lines = fitted(COLUMNS, [("the first of all names there are", "7")], 60).lines
    assert lines[2].split("  ")[0] == "the fi…names there are" or "…" in lines[2]
    assert lines[2].rstrip().endswith("…") and all(cell_len(line) <= 60 for line in lines)
    assert fitted(COLUMNS, [("a name of some length", "7")], 30).titles == ("name", "size")


def test_of_a_line_that_grows_the_end_stays() -> None:
    line: Column[Row] = Column("line", lambda row: row[1], rank=1, latest=True)
    assert fitted([COLUMNS[0], line], [("n" * 30, "_" * 20 + "#@")], 38).lines[2].split()[-1].endswith("__#@")


@given(st.lists(st.tuples(_CELL, _CELL), max_size=4), st.integers(12, 100))
def test_no_line_is_wider_than_the_screen(rows: list[Row], width: int) -> None:
    table = fitted(COLUMNS, rows, width)
    assert len(table.lines) == len(rows) + 2
    assert len({cell_len(line) for line in table.lines}) == 1 and cell_len(table.lines[0]) <= width
    assert not {"\x1b", "\u202e", "\n", "\t"} & set("".join(table.lines))


def test_printed_it_is_these_lines_with_a_heading_that_stands_out() -> None:
    table = fitted(COLUMNS, [("a", "1")], 40)
    plain, coloured = io.StringIO(), io.StringIO()
    Console(file=plain, width=40).print(table)
    assert plain.getvalue() == "".join(f"{line}\n" for line in table.lines)
    Console(file=coloured, width=40, force_terminal=True, color_system="standard").print(table)
    assert coloured.getvalue().startswith("\x1b[1m" + table.lines[0])
