from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memscope.reports.fit import Wish, widths
from memscope.reports.view import Column

wishes = st.lists(
    st.builds(
        lambda least, more, rank: Wish(least + more, least, rank),
        st.integers(1, 30),
        st.integers(0, 40),
        st.integers(0, 3),
    ),
    max_size=8,
)


@given(wishes, st.integers(-5, 200), st.integers(0, 2))
def test_columns_get_what_they_need_and_the_highest_ranks_give_way(wished: list[Wish], room: int, gap: int) -> None:
    given_cells = widths(wished, room, gap)
    gone = [wish for i, wish in enumerate(wished) if i not in given_cells]
    needed = sum(wished[i].least + gap for i in given_cells)

    assert all(wished[i].least <= cells <= wished[i].natural for i, cells in given_cells.items())
    assert all(wish.rank > 0 for wish in gone)
    if any(wished[i].rank > 0 for i in given_cells):
        assert needed <= room
    for wish in gone:
        assert all(wished[i].rank <= wish.rank for i in given_cells)
        assert needed + wish.least + gap > room or any(other.rank <= wish.rank and other is not wish for other in gone)
    if needed <= room:
        full = all(cells == wished[i].natural for i, cells in given_cells.items())
        assert full or sum(given_cells.values()) + gap * len(given_cells) == room


def test_numbers_need_all_of_their_cells_and_text_can_be_cut() -> None:
    assert Wish.of(Column("n", lambda _: 1, "nats", rank=3), 40) == Wish(40, 40, 3)
    assert Wish.of(Column("key", lambda _: ""), 40) == Wish(40, 20, 0)
    assert Wish.of(Column("text", lambda _: "", wide=True), 40) == Wish(40, 24, 0)
    assert Wish.of(Column("line", lambda _: "", latest=True), 40) == Wish(40, 12, 0)
    assert Wish.of(Column("key", lambda _: ""), 4) == Wish(4, 4, 0)
