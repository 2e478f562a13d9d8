"""What is kept of insights: no repeats, not the weak, not too many; and where each came from is not lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.insights import curation
from memscope.insights.curation import Curated, Kept, Winner, curate, merged
from memscope.insights.model import Insight
from memscope.insights.similar import alike
from tests.insights.sayings import insight, insights, kept_insights, spot

WINNERS: list[Winner] = ["newer", "confident"]
_WINNERS = st.sampled_from(WINNERS)
_BATCHES = st.lists(insights(), max_size=14)
NOW = 40.0


def kept(*some: Insight, at: float = 10.0) -> list[Kept]:
    return [Kept(one, at + number) for number, one in enumerate(some)]


def sessions(one: Insight | Kept) -> list[str]:
    return [spot.session for spot in (one.insight if isinstance(one, Kept) else one).evidence]


def texts(some: Iterable[Insight | Kept]) -> list[str]:
    return [one.insight.text if isinstance(one, Kept) else one.text for one in some]


# In the batch


def test_the_newer_of_two_stays_and_carries_where_the_other_came_from() -> None:
    old = insight("run the tests first", 0.9, "a", time=1.0)
    new = insight("run the tests first please", 0.5, "b", time=2.0, model="m")
    for batch in ([old, new], [new, old]):
        [stays] = merged(batch)
        assert (stays.text, stays.confidence, stays.time, stays.model) == (new.text, 0.5, 2.0, "m")
        assert sessions(stays) == ["b", "a"]


def test_the_more_confident_of_two_stays_where_that_is_asked_for() -> None:
    old = insight("run the tests first", 0.9, "a", time=1.0)
    new = insight("run the tests first please", 0.5, "b", time=2.0)
    for batch in ([old, new], [new, old]):
        [stays] = merged(batch, "confident")
        assert (stays.text, stays.confidence, stays.time, sessions(stays)) == (old.text, 0.9, 1.0, ["a", "b"])


def test_of_equally_confident_ones_the_newer_stays() -> None:
    one, other = insight("a b c", time=2.0), insight("c b a", time=1.0)
    assert merged([one, other], "confident") == merged([other, one], "confident") == [one]


@pytest.mark.parametrize("winner", WINNERS)
def test_one_without_a_time_is_the_oldest_and_of_the_same_time_the_later_one_stays(winner: Winner) -> None:
    timed, untimed, later = insight("a b c", time=1.0), insight("c b a"), insight("b a c")
    assert texts(merged([timed, untimed], winner)) == ["a b c"]
    assert texts(merged([untimed, later], winner)) == ["b a c"]


def test_the_order_is_that_of_those_that_stay() -> None:
    batch = [insight("a b c", time=3.0), insight("x y z"), insight("c b a", time=1.0), insight("u v w")]
    assert texts(merged(batch)) == ["a b c", "x y z", "u v w"]
    batch = [insight("a b c", time=1.0), insight("x y z"), insight("c b a", time=3.0), insight("u v w")]
    assert texts(merged(batch)) == ["x y z", "c b a", "u v w"]


def test_a_rule_and_a_model_that_say_the_same_say_one_thing() -> None:
    rule = insight("run the tests first", 0.9, "a", time=1.0, kind="successful_sequence")
    said = insight("Run the tests first!", 0.8, "b", time=2.0, kind="synthesized", model="m")
    [stays] = merged([rule, said])
    assert (stays.kind, stays.model, sessions(stays)) == ("synthesized", "m", ["b", "a"])


def test_what_goes_is_alike_to_what_stays_and_not_only_to_what_went() -> None:
    # Each is alike to the one before it, but the first and the last are not.
    chain = [insight("a b c d", time=1.0), insight("b c d", time=2.0), insight("b c d e", time=3.0)]
    assert texts(merged(chain)) == ["a b c d", "b c d e"]


def test_the_same_place_is_told_once_and_at_most_a_hundred() -> None:
    twice = insight("a b c", 0.5, "s", "s", "t")
    [stays] = merged([twice, insight("c b a", 0.5, "t", "u")])
    assert sessions(stays) == ["t", "u", "s"]
    many = [insight("a b c", 0.5, f"s{number}", time=float(number)) for number in range(150)]
    [stays] = merged(many)
    assert sessions(stays) == [f"s{number}" for number in range(149, 49, -1)]
    [stays] = merged([insight("a b c", 0.5, *(f"s{number}" for number in range(150)))])
    assert len(stays.evidence) == 100


@given(_BATCHES, _WINNERS)
def test_merging_is_what_the_quadratic_loop_does(batch: list[Insight], winner: Winner) -> None:
    def rank(place: int) -> tuple[float, float, int]:
        time = batch[place].time
        return (batch[place].confidence if winner == "confident" else 0, -1.0 if time is None else time, place)

    stay: dict[int, list[int]] = {}
    for place in sorted(range(len(batch)), key=rank, reverse=True):
        behind = next((other for other in stay if alike(batch[other].text, batch[place].text)), None)
        if behind is None:
            stay[place] = []
        else:
            stay[behind].append(place)
    found = merged(batch, winner)
    assert texts(found) == [batch[place].text for place in sorted(stay)]
    for one, place in zip(found, sorted(stay), strict=True):
        expected = dict.fromkeys(spot for which in (place, *stay[place]) for spot in batch[which].evidence)
        assert one.evidence == tuple(expected)
        assert (one.kind, one.confidence, one.time) == (
            batch[place].kind,
            batch[place].confidence,
            batch[place].time,
        )
    assert merged(found, winner) == found


# Against what is kept


def test_nothing_new_leaves_all_as_it_was() -> None:
    before = kept(insight("a b c"), insight("x y z"))
    assert curate([], before, NOW) == Curated(tuple(before), (), (), (), (), (), ())


def test_a_new_one_takes_the_place_of_an_old_one_with_its_evidence() -> None:
    before = kept(insight("x y z"), insight("run the tests first", 0.9, "a"), insight("u v w"))
    new = insight("run the tests first please", 0.4, "b", time=1.0)
    done = curate([new], before, NOW)
    added = Kept(insight(new.text, 0.4, "b", "a", time=1.0), NOW)
    assert done == Curated((before[0], before[2], added), (added,), ((before[1], added),), (), (), (), ())


def test_an_old_one_that_is_more_confident_stays_and_is_kept_anew_with_the_evidence() -> None:
    before = kept(insight("run the tests first", 0.9, "a", time=1.0), insight("x y z"))
    new = insight("run the tests first please", 0.4, "b", time=2.0)
    done = curate([new], before, NOW, winner="confident")
    grown = Kept(insight("run the tests first", 0.9, "a", "b", time=1.0), NOW)
    assert done == Curated((before[1], grown), (grown,), ((before[0], grown),), (new,), (), (), ())
    again = curate([new], done.kept, NOW + 1, winner="confident")
    assert again == Curated(done.kept, (), (), (new,), (), (), ())


def test_an_old_one_that_is_as_confident_goes_for_the_newer() -> None:
    before = kept(insight("run the tests first", 0.5))
    done = curate([insight("first run the tests", 0.5)], before, NOW, winner="confident")
    assert texts(done.kept) == ["first run the tests"]


@pytest.mark.parametrize("winner", WINNERS)
def test_what_is_kept_already_with_the_same_evidence_adds_nothing(winner: Winner) -> None:
    before = kept(insight("a b c", 0.5, "s", "t", time=2.0))
    again = insight("a b c", 0.5, "t", time=7.0)
    assert curate([again], before, NOW, winner=winner) == Curated(tuple(before), (), (), (again,), (), (), ())


@pytest.mark.parametrize("winner", WINNERS)
def test_what_is_kept_already_is_kept_anew_with_new_evidence(winner: Winner) -> None:
    before = kept(insight("a b c", 0.5, "s"))
    done = curate([insight("a b c", 0.5, "t")], before, NOW, winner=winner)
    assert [(one.at, sessions(one)) for one in done.kept] == [(NOW, ["t", "s"])]
    assert done.replaced == ((before[0], done.kept[0]),)


def test_one_that_is_alike_to_several_takes_the_place_of_all() -> None:
    before = kept(insight("a b c d", 0.5, "s"), insight("b c d e", 0.5, "t"))
    done = curate([insight("b c d", 0.5, "u")], before, NOW)
    assert texts(done.kept) == ["b c d"] and sessions(done.kept[0]) == ["u", "s", "t"]
    assert [old for old, _ in done.replaced] == before


def test_one_that_loses_to_one_of_several_takes_the_place_of_none() -> None:
    before = kept(insight("a b c d", 0.9, "s"), insight("b c d e", 0.3, "t"))
    done = curate([insight("b c d", 0.5, "u")], before, NOW, winner="confident")
    assert texts(done.kept) == ["b c d e", "a b c d"]
    assert [sessions(one) for one in done.kept] == [["t"], ["s", "u"]]


def test_of_several_that_it_loses_to_the_most_confident_stands_for_it() -> None:
    before = kept(insight("a b c d", 0.8, "s"), insight("b c d e", 0.9, "t"))
    done = curate([insight("b c d", 0.5, "u")], before, NOW, winner="confident")
    assert [sessions(one) for one in done.kept] == [["s"], ["t", "u"]]


def test_what_went_is_told_in_the_order_that_it_had() -> None:
    before = kept(insight("a b c", 0.5), insight("x y z", 0.9, "s"), insight("u v w", 0.5))
    batch = [insight("w v u", 0.6), insight("z y x", 0.4, "t"), insight("c b a", 0.7)]
    done = curate(batch, before, NOW, winner="confident")
    assert [(one.insight.text, by.insight.text) for one, by in done.replaced] == [
        ("a b c", "c b a"),
        ("x y z", "x y z"),
        ("u v w", "w v u"),
    ]
    assert texts(done.kept) == ["x y z", "w v u", "c b a"]


def test_the_same_words_of_another_model_are_kept_anew() -> None:
    before = kept(insight("a b c", 0.5, "s", model="m"))
    done = curate([insight("a b c", 0.5, "s", model="n")], before, NOW)
    assert [one.insight.model for one in done.kept] == ["n"]


def test_nothing_loses_to_what_went_itself() -> None:
    before = kept(insight("b c d", 0.7, "s"))
    batch = [insight("a b c d", 0.9, "t"), insight("b c d e", 0.5, "u")]
    for some in (batch, batch[::-1]):
        done = curate(some, before, NOW, winner="confident")
        assert texts(done.kept) == texts(some) and done.repeated == ()
        assert {one.insight.text: sessions(one) for one in done.kept} == {"a b c d": ["t", "s"], "b c d e": ["u"]}


def test_weak_ones_take_nothing_away_and_the_limit_is_strong_enough() -> None:
    strong, weak = insight("a b c", 0.3, "s", time=1.0), insight("c b a", 0.29, "t", time=2.0)
    done = curate([strong, weak], kept(insight("b c a", 0.9)), NOW)
    assert done.weak == (weak,) and texts(done.kept) == ["a b c"]
    assert "t" not in sessions(done.kept[0])
    unclear = insight("a", float("nan"))
    assert curate([unclear], [], NOW).weak == (unclear,)


def test_old_ones_that_are_weak_or_alike_stay_as_they_are() -> None:
    before = kept(insight("a b c", 0.1), insight("c b a", 0.9))
    assert curate([insight("x y z")], before, NOW).kept[:2] == tuple(before)


# Too many


def test_the_least_confident_leave_first_and_of_these_the_oldest() -> None:
    before = [
        Kept(insight("a b c", 0.5, time=2.0), 20.0),
        Kept(insight("d e f", 0.5, time=1.0), 25.0),
        Kept(insight("g h i", 0.4, time=3.0), 30.0),
    ]
    done = curate([insight("j k l", 0.9), insight("m n o", 0.5, time=1.5)], before, NOW, most=3)
    assert done.left == (before[2], before[1]) and done.outside == ()
    assert texts(done.kept) == ["a b c", "j k l", "m n o"]
    assert done.replaced == ()


def test_a_new_one_that_is_no_better_and_no_newer_finds_no_room() -> None:
    before = [Kept(insight("a b c", 0.5), 20.0), Kept(insight("d e f", 0.5), 10.0)]
    poor = insight("m n o", 0.5)
    assert curate([poor], before, NOW, most=2) == Curated(tuple(before), (), (), (), (), (), (poor,))
    assert curate([], before, NOW, most=1).left == (before[1],)


def test_of_those_kept_at_once_the_ones_that_were_seen_first_leave_first() -> None:
    batch = [insight("a b c", time=3.0), insight("d e f", time=2.0), insight("g h i"), insight("j k l")]
    assert texts(curate(batch, [], NOW, most=1).outside) == ["g h i", "j k l", "d e f"]


def test_an_old_one_stays_where_its_replacement_would_be_too_many() -> None:
    before = kept(insight("a b c", 0.9, "s"), insight("d e f", 0.8), insight("x y z", 0.8))
    poor, more = insight("c b a", 0.35, "t"), insight("u v w", 0.7)
    done = curate([poor, more], before, NOW, most=3)
    assert done == Curated(tuple(before), (), (), (), (), (), (poor, more))


def test_an_old_one_that_two_stand_for_is_gone_if_one_of_them_comes_in() -> None:
    before = kept(insight("b c d", 0.9, "s"))
    batch = [insight("a b c d", 0.4, "t"), insight("b c d e", 0.8, "u")]
    done = curate(batch, before, NOW, most=1)
    assert texts(done.kept) == ["b c d e"] and sessions(done.kept[0]) == ["u", "s"]
    assert texts(done.outside) == ["a b c d"] and done.left == ()


def test_an_old_one_that_is_back_may_be_the_next_to_leave() -> None:
    before = kept(insight("a b c", 0.35), insight("x y z", 0.9))
    done = curate([insight("c b a", 0.4)], before, NOW, most=1)
    assert texts(done.outside) == ["c b a"] and done.left == (before[0],)
    assert done.kept == (before[1],) and done.replaced == ()


@pytest.mark.parametrize("most", [0, -3])
def test_where_none_may_be_kept_all_leave(most: int) -> None:
    done = curate([insight("a")], kept(insight("b"), insight("c")), NOW, most=most)
    assert done.kept == () and done.added == () and (len(done.left), len(done.outside)) == (2, 1)


# Whatever comes


@given(_BATCHES, kept_insights(), _WINNERS, st.integers(0, 12))
def test_what_is_kept_holds_together(new: list[Insight], old: list[Kept], winner: Winner, most: int) -> None:
    done = curate(new, old, NOW, winner=winner, most=most)
    assert len(done.kept) <= most
    stay = [one for one in old if one in done.kept]
    assert done.kept == (*stay, *done.added)
    assert all((one.at == NOW and one.insight.confidence >= 0.3) or is_grown(one, old) for one in done.added)
    before = {one.insight.name for one in old}
    names = [one.insight.name for one in done.kept]
    assert len(set(names)) == len(names)
    for one, other in combinations(done.kept, 2):
        assert not alike(one.insight.text, other.insight.text) or {one.insight.name, other.insight.name} <= before
    gone = [*(one for one, _ in done.replaced), *done.left]
    assert sorted([*stay, *gone], key=old.index) == old
    for one, by in done.replaced:
        assert by in done.added and alike(one.insight.text, by.insight.text)
        assert winner == "newer" or one.insight.confidence <= by.insight.confidence
        assert places([one.insight]) <= places([by.insight])


@given(_BATCHES, kept_insights(), _WINNERS, st.integers(0, 12))
def test_all_of_a_batch_is_accounted_for(new: list[Insight], old: list[Kept], winner: Winner, most: int) -> None:
    done = curate(new, old, NOW, winner=winner, most=most)
    came = {one.insight.name for one in done.added}
    beside = {one.name for one in (*done.repeated, *done.weak, *done.outside)}
    assert {one.name for one in new} <= came | beside
    assert {one.name for one in (*done.repeated, *done.weak)} <= {one.name for one in new}
    assert all(one.confidence < 0.3 for one in done.weak) and all(one.confidence >= 0.3 for one in done.repeated)
    least = min((worth(one.insight) for one in done.kept), default=None)
    assert least is None or all(worth(one) <= least for one in (*(old.insight for old in done.left), *done.outside))


@given(_BATCHES, kept_insights(), _WINNERS)
def test_nothing_is_lost_of_where_all_came_from(new: list[Insight], old: list[Kept], winner: Winner) -> None:
    done = curate(new, old, NOW, winner=winner)
    strong = [one for one in new if one.confidence >= 0.3]
    assert places(strong) | places(one.insight for one in old) == places(one.insight for one in done.kept)
    for one in strong:
        assert any(alike(one.text, other.insight.text) for other in done.kept) or one in done.repeated


@given(_BATCHES, kept_insights(), _WINNERS, st.sampled_from([1, 2, 3, 100]))
def test_the_same_batch_again_changes_nothing(
    new: list[Insight], old: list[Kept], winner: Winner, evidence: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curation, "MOST_EVIDENCE", evidence)
        once = curate(new, old, NOW, winner=winner)
        again = curate(new, once.kept, NOW + 1, winner=winner)
    assert (again.kept, again.added, again.replaced, again.left) == (once.kept, (), (), ())


@given(_BATCHES, kept_insights(), _WINNERS, st.integers(0, 12), st.booleans())
def test_nor_does_it_where_there_are_too_many(
    new: list[Insight], old: list[Kept], winner: Winner, most: int, from_nothing: bool
) -> None:
    once = curate(new, [] if from_nothing else old, NOW, winner=winner, most=most)
    if not from_nothing:  # what went for want of room may have been all that kept another from replacing an old one
        once = curate(new, once.kept, NOW, winner=winner, most=most)
    again = curate(new, once.kept, NOW + 1, winner=winner, most=most)
    assert (again.kept, again.added, again.replaced, again.left) == (once.kept, (), (), ())


def test_what_is_kept_anew_with_more_evidence_keeps_its_room_among_equals() -> None:
    before = kept(insight("a b c", 0.5, "s"), insight("d e f", 0.5, "s"))
    done = curate([insight("a b c", 0.5, "t"), insight("g h i", 0.5, "t")], before, NOW, most=2)
    assert texts(done.kept) == ["d e f", "a b c"] and sessions(done.kept[1]) == ["t", "s"]
    assert texts(done.outside) == ["g h i"]


@given(_BATCHES, _WINNERS)
def test_to_nothing_a_batch_adds_what_is_left_without_repeats(new: list[Insight], winner: Winner) -> None:
    strong = [one for one in new if one.confidence >= 0.3]
    assert [one.insight for one in curate(new, [], NOW, winner=winner).added] == merged(strong, winner)


def worth(one: Insight) -> tuple[float, float]:
    return one.confidence, float("-inf") if one.time is None else one.time


def places(some: Iterable[Insight]) -> set[object]:
    return {spot for one in some for spot in one.evidence}


def is_grown(one: Kept, old: Sequence[Kept]) -> bool:
    return one.at == NOW and any(one.insight.name == other.insight.name for other in old)


def test_evidence_beyond_a_hundred_does_not_come_back_again_and_again() -> None:
    batch = [insight("a b c", 0.5, f"s{number}", time=float(number)) for number in range(150)]
    once = curate(batch, [], NOW)
    assert curate(batch, once.kept, NOW).added == ()
    assert spot("s149") in once.kept[0].insight.evidence


def test_of_too_much_evidence_a_piece_of_each_session_stays_and_all_sessions_are_counted() -> None:
    often = replace(insight("a b c", 0.5, time=200.0), evidence=tuple(spot("often", at) for at in range(150)))
    [stays] = merged([often, *(insight("a b c", 0.5, f"s{number}") for number in range(60))])
    assert len(stays.evidence) == 100 and stays.sessions == 61
    assert len({one.session for one in stays.evidence}) == 61
    assert stays.evidence[-2:] == (spot("often", 38), spot("often", 39))
    [many] = merged([insight("a b c", 0.5, f"s{number}") for number in range(150)])
    assert many.sessions == 150 and len({one.session for one in many.evidence}) == 100
    assert curate([stays], [Kept(many, 1.0)], NOW).kept[0].insight.sessions == 151
    assert merged([insight("a b c", 0.5, "s", "t")])[0].sessions == 0
