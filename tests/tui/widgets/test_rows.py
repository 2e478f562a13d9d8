"""Order, filter and marks, without a screen."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from memscope.reports.view import Column
from memscope.tui.widgets.rows import OrderedRows, Sort


@dataclass(frozen=True)
class Item:
    name: str
    size: float | None


COLUMNS: tuple[Column[Item], ...] = (
    Column("name", lambda item: item.name),
    Column("size", lambda item: item.size, "nats"),
    Column("at", lambda item: len(item.name), "message"),
)

sizes = st.one_of(st.none(), st.just(float("nan")), st.sampled_from([-1.5, 0.0, 2.0, 7.0]))
items = st.lists(st.tuples(st.sampled_from(["Ada", "bob", "Bob", "cyd", ""]), sizes), max_size=12).map(
    lambda found: [Item(f"{name} {number}", size) for number, (name, size) in enumerate(found)]
)


def rows_of(found: list[Item]) -> OrderedRows[Item]:
    return OrderedRows(COLUMNS, found, lambda item: item.name)


def known(item: Item) -> bool:
    return item.size is not None and item.size == item.size  # not NaN


@given(items, st.booleans())
def test_sorting_is_stable_and_what_has_no_value_is_last_both_ways(found: list[Item], descending: bool) -> None:
    rows = rows_of(found)
    rows.sort = Sort("size", descending)
    rows.arrange()
    shown = [rows[place] for place in range(len(rows))]
    with_size = [item for item in shown if known(item)]

    assert sorted(item.name for item in shown) == sorted(item.name for item in found)
    assert shown[len(with_size) :] == [item for item in found if not known(item)]
    for before, after in pairwise(with_size):
        assert before.size is not None and after.size is not None
        assert before.size >= after.size if descending else before.size <= after.size
        if before.size == after.size:
            assert found.index(before) < found.index(after)


@given(items, st.sampled_from([None, *(Sort(c.title, d) for c in COLUMNS for d in (True, False))]), st.booleans())
def test_a_row_is_found_where_it_is_shown(found: list[Item], sort: Sort | None, filtered: bool) -> None:
    rows = rows_of(found)
    rows.sort = sort
    rows.wanted = (lambda item: item.size == 2.0) if filtered else ""
    rows.arrange()

    for place in range(len(rows)):
        assert rows.place(rows.identity(place)) == place
    shown = {rows.identity(place) for place in range(len(rows))}
    assert shown == {item.name for item in found if not filtered or item.size == 2.0}
    assert all(rows.place(item.name) is None for item in found if item.name not in shown)


def test_names_are_sorted_without_regard_to_case() -> None:
    rows = rows_of([Item(name, 1.0) for name in ("b", "C", "A", "B")])
    rows.sort = Sort.of(COLUMNS[0])
    rows.arrange()

    assert [rows[place].name for place in range(4)] == ["A", "B", "b", "C"]


def test_numbers_are_wanted_from_the_highest_and_places_from_the_first() -> None:
    assert Sort.of(COLUMNS[0]) == Sort("name", False)
    assert Sort.of(COLUMNS[1]) == Sort("size", True)
    assert Sort.of(COLUMNS[2]) == Sort("at", False)
    assert Sort("size", True).reverse == Sort("size", False)


def test_every_word_must_stand_in_a_column_of_text() -> None:
    rows = rows_of([Item("Package manager", 1.0), Item("package", 2.0), Item("manager 7", 7.0)])
    for words, expected in (("MANAG pack", [0]), ("pack", [0, 1]), ("7", [2]), ("2", []), ("  ", [0, 1, 2])):
        rows.wanted = words
        rows.arrange()
        assert rows.order == expected, words


def test_an_update_moves_nothing_until_the_rows_are_arranged_again() -> None:
    rows = rows_of([Item("a", 3.0), Item("b", 2.0), Item("c", 1.0)])
    rows.sort = Sort("size", True)
    rows.arrange()

    assert rows.update([Item("c", 9.0), Item("stranger", 1.0)]) == [2]
    assert [rows[place] for place in range(3)] == [Item("a", 3.0), Item("b", 2.0), Item("c", 9.0)]
    rows.arrange()
    assert [rows[place].name for place in range(3)] == ["c", "a", "b"]


def test_an_updated_text_is_found_by_its_new_words() -> None:
    columns: tuple[Column[Item], ...] = (Column("note", lambda item: f"holds {item.size}"),)
    rows = OrderedRows(columns, [Item("a", 1.0)], lambda item: item.name)
    rows.wanted = "9.0"
    rows.arrange()
    assert not len(rows)

    rows.update([Item("a", 9.0)])
    rows.arrange()
    assert len(rows) == 1


@given(items)
def test_order_and_marks_go_over_to_rows_shown_anew(found: list[Item]) -> None:
    rows = rows_of(found)
    rows.sort, rows.wanted = Sort("size", True), lambda item: item.size != 0.0
    rows.marked = {item.name for item in found[::2]}
    rows.arrange()
    fewer = found[1:]
    after = rows_of(fewer)
    after.like(rows)

    assert after.sort == rows.sort
    bare = OrderedRows(COLUMNS[:1], fewer, lambda item: item.name)
    bare.like(rows)
    assert [bare[place] for place in range(len(bare))] == [item for item in fewer if item.size != 0.0]
    again = rows_of(fewer)
    again.like(bare)
    assert again.order == after.order  # the column it is sorted by was gone for a while
    assert after.marked_rows == fewer[1::2]
    assert all(after[place].size != 0.0 for place in range(len(after)))


def test_negative_numbers_begin_with_the_strongest() -> None:
    total: Column[float] = Column("total", lambda value: value, "nats")
    against: Column[float] = Column("against", lambda value: value, "nats", negative=True)
    assert (Sort.of(total), Sort.of(against)) == (Sort("total", True), Sort("against", False))
