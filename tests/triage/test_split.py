"""Validation data shares no conversation with training data."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memscope.triage.split import Origin, split

ORIGINS = st.lists(
    st.builds(
        Origin,
        st.sampled_from([f"file{n}#0" for n in range(12)]),
        st.sampled_from([f"first{n}" for n in range(12)]),
    ),
    max_size=40,
)
FRACTIONS = st.floats(0, 1, exclude_max=True)


def aside(origins: list[Origin], fraction: float) -> set[Origin]:
    return {o for o, is_aside in zip(origins, split(origins, fraction).validation, strict=True) if is_aside}


@given(ORIGINS, FRACTIONS)
def test_no_file_and_no_opening_is_on_both_sides(origins: list[Origin], fraction: float) -> None:
    found = split(origins, fraction)

    sides: dict[str, set[bool]] = {}
    for origin, is_aside in zip(origins, found.validation, strict=True):
        sides.setdefault(origin.lineage, set()).add(is_aside)
        sides.setdefault(f"of {origin.first}", set()).add(is_aside)
    assert all(len(side) == 1 for side in sides.values())


@given(ORIGINS, FRACTIONS)
def test_each_side_has_a_conversation_where_there_are_two(origins: list[Origin], fraction: float) -> None:
    found = split(origins, fraction)

    both = fraction > 0 and found.conversations > 1
    assert (True in found.validation) == both
    assert (False in found.validation) == bool(origins)


@given(ORIGINS, FRACTIONS, st.randoms())
def test_the_order_does_not_count_nor_do_names_of_files(origins: list[Origin], fraction: float, random) -> None:  # type: ignore[no-untyped-def]
    shuffled = origins.copy()
    random.shuffle(shuffled)
    assert aside(origins, fraction) == aside(shuffled, fraction)

    moved = [Origin(f"/elsewhere/{origin.lineage}", origin.first) for origin in origins]
    assert split(origins, fraction) == split(moved, fraction)


def test_about_the_fraction_is_set_aside() -> None:
    origins = [Origin(f"file{n}", f"first{n}") for n in range(100) for _ in range(10)]

    assert 0.08 <= sum(split(origins, 0.1).validation) / len(origins) <= 0.12
    assert sum(split(origins, 0).validation) == 0


def test_a_conversation_that_is_far_too_long_for_it_is_not_set_aside() -> None:
    for n in range(8):  # at least one of these names comes first
        long, short = [Origin("long", f"long{n}")] * 90, [Origin(f"file{i}", f"first{i}") for i in range(10)]
        assert aside([*long, *short], 0.1) == set(short)


def test_copies_and_windows_are_one_conversation() -> None:
    origins = [Origin("a", "x"), Origin("b", "x"), Origin("b", "y"), Origin("c", "y"), Origin("d", "z")]

    found = split(origins, 0.5)

    assert found.conversations == 2
    assert len(set(found.validation[:4])) == 1
    assert found.validation[4] != found.validation[0]


def test_one_conversation_alone_stays_whole() -> None:
    found = split([Origin("a", "x")] * 5, 0.5)

    assert (found.conversations, found.validation) == (1, (False,) * 5)
