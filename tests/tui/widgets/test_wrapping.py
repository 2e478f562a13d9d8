from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from memscope.base.text import clean
from memscope.tui.widgets import wrapping
from memscope.tui.widgets.wrapping import row_of, wrapped

# Letters, blanks, what `clean` replaces by signs, wide characters, and those drawn over the one before.
SIGNS = "ab ._\t\n\r\x1b\x00\x9b\u200b\u202e\ufeff\ud800\U000e0041你好é\u0301❤\ufe0f🙂\u3000\xa0"
texts = st.one_of(st.text(st.sampled_from(SIGNS), max_size=80), st.text(max_size=40))
widths = st.integers(8, 30)


def squeezed(text: str) -> str:
    return "".join(text.split())


@given(texts, widths)
@example("one two", 8)
@example("  a_long_word_behind_blanks", 8)
@example("\u0301" * 40, 8)
def test_rows_cover_the_text_and_fit(text: str, width: int) -> None:
    rows = wrapped(text, width)
    assert [row.start for row in rows] == ([0, *(row.end for row in rows)][:-1] if rows else [])
    assert not rows or rows[-1].end == len(text)
    assert all(row.start < row.end for row in rows)
    assert all(cell_len(row.shown) <= width for row in rows)
    assert squeezed("".join(row.shown for row in rows)) == squeezed(clean(text))


@given(texts, widths)
def test_nothing_that_acts_is_shown(text: str, width: int) -> None:
    for row in wrapped(text, width):
        assert clean(row.shown) == row.shown
        assert not set(row.shown) & set("\n\t\r")


@given(texts, widths)
def test_every_character_shown_comes_from_where_it_says(text: str, width: int) -> None:
    for row in wrapped(text, width):
        offsets = row.offsets or range(row.start, row.start + len(row.shown))
        assert list(offsets) == sorted(offsets)
        for place, offset in enumerate(offsets):
            assert row.start <= offset < row.end
            assert row.shown[place] in (" " if text[offset] == "\t" else clean(text[offset]))


@given(texts, widths, st.lists(st.integers(0, 80), max_size=8))
def test_parts_of_the_text_are_parts_of_the_row(text: str, width: int, cuts: list[int]) -> None:
    edges = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    for row in wrapped(text, width):
        places = [row.places(start, end) for start, end in pairwise(edges)]
        assert "".join(row.shown[a:b] for a, b in places) == row.shown
        assert sum(cell_len(row.shown[a:b]) for a, b in places) == cell_len(row.shown)


@given(texts, widths)
def test_a_cell_leads_back_to_the_character_it_shows(text: str, width: int) -> None:
    rows = wrapped(text, width)
    for offset, char in enumerate(text):
        row = rows[row_of(rows, offset)]
        assert row.start <= offset < row.end
        begin, end = row.places(offset, offset + 1)
        if cell_len(row.shown[begin:end]):
            assert row.offset_at(row.cell_of(offset)) == offset
            assert row.shown[begin:end].startswith(" " if char == "\t" else clean(char))
    for row in rows:
        assert row.offset_at(cell_len(row.shown)) == row.end


@given(st.text(st.sampled_from("abc  -"), max_size=80), widths)
def test_plain_text_is_cut_as_any_text_is(text: str, width: int) -> None:
    plain = [(r.start, r.end, r.shown) for r in wrapping._plain(text, width, 0, len(text))]
    assert plain == [(r.start, r.end, r.shown) for r in wrapping._any(text, width, 0, len(text))]


def test_words_stay_whole_where_they_can() -> None:
    text = "one two three four\nabcdefghijklmnop 你好你好你好"
    assert [row.shown for row in wrapped(text, 10)] == [
        "one two ",
        "three four",
        "abcdefghij",
        "klmnop 你",
        "好你好你好",
    ]
    assert [row.shown for row in wrapped("a\r\nb\rc\n\nd", 10)] == ["a", "b␍c", "", "d"]
    assert [row.shown for row in wrapped("a\tb", 10)] == ["a   b"]
    assert [row.shown for row in wrapped("- `a/long/path/to/a.file`", 20)] == ["- `a/long/path/to/a.", "file`"]


def test_a_part_of_a_text_has_the_offsets_of_the_whole() -> None:
    rows = wrapped("first line\nsecond line\nthird", 8, 11, 23)
    assert [(row.start, row.end, row.shown) for row in rows] == [(11, 18, "second "), (18, 23, "line")]


def test_a_very_long_line_is_cut_at_once() -> None:
    rows = wrapped("x" * 1_400_000, 80)
    assert len(rows) == 17_500
    assert row_of(rows, 1_399_999) == 17_499


def test_a_row_never_ends_at_a_blank_that_is_not_to_be_broken() -> None:
    assert [row.shown.strip(" ") for row in wrapped("total 4.00 against\u00a0-3.73", 20)] == [
        "total 4.00",
        "against\u00a0-3.73",
    ]
