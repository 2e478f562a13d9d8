"""Verdicts and pairs, on conversations where the truth is a formula."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.attribution.classic import ClassicRun
from memscope.attribution.columns import columns
from memscope.attribution.matrix import MatrixRun
from memscope.attribution.redundancy import FEWEST_PAIRS, Pair, Screening, Verdict, pairs, verdicts
from memscope.base.job import Job
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import Prompt
from memscope.engines.protocol import Engine, Failure, Marks, ResponseScore
from tests.fakes import assistant, memory, office, talk, without
from tests.planted import Fact, Planted, alike, all_of, any_of, apart, planted

THRESHOLD = 0.01


def screened(
    conversation: Conversation,
    engine: Engine,
    *,
    tried: bool = True,
    run: MatrixRun | None = None,
    blur: float = 0.0,
) -> Screening:
    """The screening of a whole run, its pairs too."""
    run = run or MatrixRun(conversation)
    for ablation, result in columns(engine, conversation, run.plan, Job()):
        run.land(ablation, result)
    screening = Screening(run, blur=blur)
    _fill(screening, engine)
    if tried:
        screening.choose_pairs(THRESHOLD)
        _fill(screening, engine)
    return screening


def _fill(screening: Screening, engine: Engine) -> None:
    for ablation, result in columns(engine, screening.conversation, screening.missing(), Job()):
        screening.land(ablation, result)


def verdicts_of(screening: Screening, threshold: float = THRESHOLD) -> dict[str, list[str]]:
    """By memory, response by response."""
    screen = screening.snapshot()
    found = verdicts(screen, threshold).tolist()
    return dict(zip(screening.run.keys, found, strict=True))


def pairs_of(screening: Screening, threshold: float = THRESHOLD) -> list[Pair]:
    screen = screening.snapshot()
    return pairs(screen, threshold)


def keys_of(screening: Screening, found: list[Pair]) -> set[tuple[str, ...]]:
    return {tuple(screening.run.keys[row] for row in pair.rows) for pair in found}


def test_each_verdict_where_it_is_true() -> None:
    texts = apart("one", "copy", "twin", "half", "other", "bad", "idle")
    facts = [
        any_of(0, 5.0, "one"),
        any_of(0, 3.0, "copy", "twin"),
        all_of(0, 4.0, "half", "other"),
        any_of(0, -2.0, "bad"),
    ]

    assert verdicts_of(screened(planted(texts), Planted(facts))) == {
        "one": ["needed"],
        "copy": ["redundant"],
        "twin": ["redundant"],
        "half": ["together"],
        "other": ["together"],
        "bad": ["suppressor"],
        "idle": ["unused"],
    }


KINDS = ("needed", "redundant", "together", "suppressor", "unused")


@st.composite
def structures(draw: st.DrawFn) -> tuple[Conversation, list[Fact], dict[str, list[str]], set[tuple[str, ...]]]:
    """Memories in parts that have nothing to do with each other, differently in every response: what the verdicts
    must be, and which pairs there are."""
    keys = [f"m{number}" for number in range(draw(st.integers(1, 8)))]
    responses = draw(st.integers(1, 3))
    facts: list[Fact] = []
    truth: dict[str, list[str]] = {key: [] for key in keys}
    stand_in: set[tuple[str, ...]] = set()
    for column in range(responses):
        left = draw(st.permutations(keys))
        while left:
            kind = draw(st.sampled_from(KINDS))
            taken, left = (left[:2], left[2:]) if kind in ("redundant", "together") else (left[:1], left[1:])
            if len(taken) < 2 and kind in ("redundant", "together"):
                kind = "unused"
            weight = draw(st.integers(64, 640)) / 64
            if kind == "together":
                facts.append(all_of(column, weight, *taken))
            elif kind != "unused":
                facts.append(any_of(column, -weight if kind == "suppressor" else weight, *taken))
            if kind == "redundant":
                stand_in.add(tuple(sorted(taken)))
            for key in taken:
                truth[key].append(kind)
    return planted(apart(*keys), responses), facts, truth, stand_in


@settings(max_examples=60)
@given(structures())
def test_any_structure_of_copies_and_halves_is_seen_through(
    planned: tuple[Conversation, list[Fact], dict[str, list[str]], set[tuple[str, ...]]],
) -> None:
    conversation, facts, truth, stand_in = planned

    screening = screened(conversation, Planted(facts))

    assert verdicts_of(screening) == truth
    found = keys_of(screening, pairs_of(screening))
    assert found <= stand_in
    assert found == stand_in or screening.snapshot().untried


@settings(max_examples=25)
@given(structures(), st.randoms())
def test_what_lands_in_which_order_changes_nothing(
    planned: tuple[Conversation, list[Fact], dict[str, list[str]], set[tuple[str, ...]]], random: object
) -> None:
    conversation, facts, truth, _ = planned
    run = MatrixRun(conversation)
    screening, engine = Screening(run), Planted(facts)
    todo = [*run.plan, *screening.plan]
    random.shuffle(todo)  # type: ignore[attr-defined]
    landed = dict(columns(engine, conversation, todo, Job()))
    for ablation in todo:
        (run if ablation in run.plan else screening).land(ablation, landed[ablation])

    assert verdicts_of(screening) == truth


def test_copies_that_need_a_third_memory_are_seen_by_their_words() -> None:
    texts = alike("copy", "twin") | apart("half")
    facts = [Fact(0, 4.0, (("copy", "twin"), ("half",)))]

    screening = screened(planted(texts), Planted(facts))

    assert verdicts_of(screening) == {"copy": ["redundant"], "twin": ["redundant"], "half": ["together"]}
    screen = screening.snapshot()
    assert screen.alone.tolist() == [[0.0], [0.0], [0.0]]
    assert screen.groups == ((0, 1),)
    assert screen.joint.tolist() == [[4.0]]
    assert screen.instead[:2].tolist() == [[4.0], [4.0]]
    assert np.isnan(screen.instead[2]).all()


def test_three_copies_stand_in_for_each_other_but_not_who_only_sounds_like_them() -> None:
    texts = alike("a", "b", "c", "sound")
    screening = screened(planted(texts, 2), Planted([any_of(0, 4.0, "a", "b", "c"), any_of(1, 1.0, "sound")]))

    assert verdicts_of(screening) == {
        "a": ["redundant", "unused"],
        "b": ["redundant", "unused"],
        "c": ["redundant", "unused"],
        "sound": ["unused", "needed"],
    }
    [pair] = pairs_of(screening)
    assert keys_of(screening, [pair]) == {("a", "b", "c")}
    [where] = pair.responses
    assert (where.column, where.joint, where.singles, where.excess) == (0, 4.0, (0.0, 0.0, 0.0), 4.0)


def test_three_copies_in_other_words_are_found_by_what_they_do_alone() -> None:
    screening = screened(planted(apart("a", "b", "c", "idle")), Planted([any_of(0, 4.0, "a", "b", "c")]))

    assert keys_of(screening, pairs_of(screening)) == {("a", "b", "c")}


def test_a_copy_that_says_more_is_needed_and_the_other_is_not() -> None:
    facts = [any_of(0, 4.0, "long", "short"), any_of(0, 8.0, "long")]
    screening = screened(planted(apart("long", "short")), Planted(facts))

    assert verdicts_of(screening) == {"long": ["needed"], "short": ["redundant"]}
    [pair] = pairs_of(screening)
    assert pair.responses[0].singles == (8.0, 0.0)
    assert pair.excess == 4.0


def test_of_three_by_their_words_the_one_that_says_more_is_told_too() -> None:
    facts = [any_of(0, 4.0, "long", "short", "brief"), any_of(0, 8.0, "long")]
    screening = screened(planted(alike("long", "short", "brief")), Planted(facts))

    assert verdicts_of(screening) == {"long": ["needed"], "short": ["redundant"], "brief": ["redundant"]}
    [pair] = pairs_of(screening)
    assert keys_of(screening, [pair]) == {("long", "short", "brief")}
    [where] = pair.responses
    assert (where.joint, where.singles, where.excess) == (12.0, (8.0, 0.0, 0.0), 4.0)


def test_what_a_memory_that_only_sounds_like_copies_does_by_itself_is_not_theirs() -> None:
    facts = [any_of(0, 4.0, "a", "b", "c"), any_of(0, 2.0, "a"), any_of(0, 1.0, "sound")]
    screening = screened(planted(alike("a", "b", "c", "sound")), Planted(facts))

    [pair] = pairs_of(screening)
    assert keys_of(screening, [pair]) == {("a", "b", "c")}
    [where] = pair.responses
    assert (where.joint, where.singles, where.excess) == (6.0, (2.0, 0.0, 0.0), 4.0)


def test_what_only_makes_up_for_a_memory_that_suppresses_is_no_copy_of_it() -> None:
    facts = [any_of(0, 4.0, "good", "bad"), any_of(0, -4.0, "bad")]
    screening = screened(planted(alike("good", "bad")), Planted(facts))

    assert verdicts_of(screening) == {"good": ["redundant"], "bad": ["suppressor"]}
    assert not pairs_of(screening)  # leaving both out costs nothing


def test_a_copy_of_what_suppresses_suppresses() -> None:
    screening = screened(planted(alike("bad", "worse") | apart("idle")), Planted([any_of(0, -4.0, "bad", "worse")]))

    assert verdicts_of(screening) == {"bad": ["suppressor"], "worse": ["suppressor"], "idle": ["unused"]}
    assert not pairs_of(screening)


def test_two_that_suppress_only_together_are_no_pair() -> None:
    assert not pairs_of(screened(planted(alike("bad", "worse")), Planted([all_of(0, -4.0, "bad", "worse")])))


@pytest.mark.parametrize(
    ("effect", "alone", "expected"),
    [
        (0.5, 9.0, "redundant"),  # up to a third of what it does alone
        (3.0, 9.0, "redundant"),
        (3.1, 9.0, "needed"),
        (9.0, 3.0, "needed"),
        (9.0, 2.9, "together"),
        (9.0, -3.0, "together"),
        (1.0, 1.0, "unused"),  # neither exceeds the cutoff
        (-1.0, -5.0, "unused"),
        (-1.1, 5.0, "suppressor"),
        (0.9, 1.1, "redundant"),
        (float("nan"), 1.0, ""),
        (1.0, float("nan"), ""),
    ],
)
def test_the_rule_at_its_edges(effect: float, alone: float, expected: str) -> None:
    screen = screened(planted(apart("one", "two")), Planted([])).snapshot()
    effects = np.array([[effect], [0.0]])
    state = np.where(np.isnan(effects), 2, 1).astype(np.uint8)
    screen = replace(
        screen, matrix=replace(screen.matrix, effects=effects, state=state), alone=np.array([[alone], [0.0]])
    )

    assert verdicts(screen, 1.0)[0, 0] == expected


def test_what_any_text_may_move_under_an_engine_counts_for_nothing() -> None:
    facts = [any_of(0, 5.0, "one"), any_of(0, -0.25, "idle"), any_of(0, 0.375, "copy", "twin")]
    conversation, engine = planted(apart("one", "idle") | alike("copy", "twin")), Planted(facts)
    sharp = screened(conversation, engine)
    blurred = screened(conversation, engine, blur=0.5)

    assert verdicts_of(sharp) == {
        "one": ["needed"],
        "idle": ["suppressor"],
        "copy": ["redundant"],
        "twin": ["redundant"],
    }
    assert len(pairs_of(sharp)) == 1
    assert verdicts_of(blurred) == {"one": ["needed"], "idle": ["unused"], "copy": ["unused"], "twin": ["unused"]}
    assert not pairs_of(blurred)
    assert blurred.snapshot().cutoff(THRESHOLD).tolist() == [0.5]
    assert blurred.snapshot().cutoff(2.0).tolist() == [2.0]
    assert verdicts_of(blurred, 6.0)["one"] == ["unused"]


def test_pairs_are_chosen_anew_at_another_threshold_and_no_scoring_is_forgotten() -> None:
    facts = [any_of(0, 4.0, "copy", "twin"), any_of(0, 0.5, "faint", "small")]
    screening = screened(planted(apart("copy", "twin", "faint", "small")), Planted(facts))
    before = screening.snapshot().tried

    screening.choose_pairs(1.0)
    assert len(screening.snapshot().tried) < len(before)
    assert not screening.missing()

    screening.choose_pairs(THRESHOLD)
    assert screening.snapshot().tried == before
    assert not screening.missing()
    assert len(pairs_of(screening)) == 2


def test_nothing_is_scored_twice() -> None:
    for count in (1, 2, 3):
        keys = [f"m{number}" for number in range(count)]
        engine = Planted([any_of(0, 4.0, *keys)])
        screening = screened(planted(alike(*keys)), engine)
        wanted = [a for a in (*screening.run.plan, *screening.plan) if not a.repeat]

        assert len({a.removed for a in wanted}) == len(wanted)
        assert len(engine.asked) == len(set(engine.asked)) + 1  # the baseline is, on purpose
        if count < 3:
            assert not screening.plan
        assert set(verdicts_of(screening)["m0"]) == {"redundant" if count > 1 else "needed"}


def test_the_estimate_covers_what_is_asked_for() -> None:
    keys = [f"m{number}" for number in range(6)]
    screening = screened(planted(alike(*keys[:3]) | apart(*keys[3:])), Planted([any_of(0, 1.0, *keys)]))

    asked = {*screening.plan, *(Ablation.of(*(keys[row] for row in rows)) for rows in screening.snapshot().tried)}
    assert len(asked - set(screening.run.plan)) <= len(screening.at_most()) <= len(screening.plan) + FEWEST_PAIRS
    assert not set(screening.at_most()) & set(screening.run.plan)


def test_what_is_not_tried_is_counted() -> None:
    keys = [f"m{number}" for number in range(FEWEST_PAIRS + 4)]
    facts = [any_of(0, 1.0 + n / 64, *keys[n : n + 2]) for n in range(0, len(keys), 2)]
    screening = screened(planted(apart(*keys)), Planted(facts))

    screen = screening.snapshot()
    assert len(screen.tried) == screening.most_pairs == len(keys)
    assert screen.untried > 0
    assert set(verdicts_of(screening)) == set(keys)


def test_a_memory_that_comes_after_the_response_has_no_verdict() -> None:
    conversation = talk(memory("first", "Alpha."), assistant("One."), memory("later", "Beta."), assistant("Two."))
    screening = screened(conversation, Planted([any_of(1, 4.0, "first", "later")]))

    assert verdicts_of(screening) == {"first": ["unused", "redundant"], "later": ["", "redundant"]}


def test_a_memory_after_the_last_response_asks_for_nothing() -> None:
    conversation = talk(memory("first", "Alpha."), assistant("One."), memory("never", "Beta."))
    screening = screened(conversation, Planted([any_of(0, 4.0, "first")]))

    assert not screening.plan
    assert verdicts_of(screening) == {"first": ["needed"], "never": [""]}


REFUSED = Failure("the server refuses")


def test_a_failed_scoring_leaves_out_its_numbers_alone() -> None:
    texts = apart("one", "two", "three")
    screening = screened(planted(texts), Planted([any_of(0, 4.0, "one")]))
    only_one = without("two", "three")
    assert only_one in screening.plan

    screening.land(only_one, REFUSED)

    assert verdicts_of(screening) == {"one": [""], "two": ["unused"], "three": ["unused"]}
    assert screening.snapshot().errors == {only_one: "the server refuses"}
    assert screening.missing() == (only_one,)


def test_whether_a_memory_is_unused_waits_for_its_group() -> None:
    texts = alike("one", "two") | apart("three", "four")
    screening = screened(planted(texts), Planted([any_of(0, 4.0, "three")]))
    assert verdicts_of(screening)["one"] == ["unused"]

    screening.land(without("one", "two"), REFUSED)

    assert verdicts_of(screening) == {"one": [""], "two": [""], "three": ["needed"], "four": ["unused"]}


def test_a_failed_baseline_leaves_no_verdict() -> None:
    run = MatrixRun(planted(apart("one", "two")))
    run.land(BASELINE, REFUSED)
    screening = Screening(run)

    assert verdicts_of(screening) == {"one": [""], "two": [""]}
    assert not pairs_of(screening)


@pytest.mark.parametrize("conversation", [talk(assistant("Hello.")), talk(memory("one", "Alpha.")), talk()])
def test_nothing_to_score_is_nothing_to_screen(conversation: Conversation) -> None:
    screening = screened(conversation, Planted([]))

    assert not screening.plan
    assert not screening.at_most()
    assert not screening.missing()
    assert not pairs_of(screening)


def test_scores_of_other_tokens_are_not_compared() -> None:
    engine = _Marked(office())
    screening = screened(office(), engine)
    known = verdicts_of(screening)
    assert "" not in known["tabs"]

    engine.otherwise = without("pnpm", "late")  # tabs alone
    again = screened(office(), engine)

    assert verdicts_of(again) == known | {"tabs": [known["tabs"][0], "", known["tabs"][2]]}
    assert np.isnan(again.snapshot().alone[0]).tolist() == [False, True, False]


def test_a_memory_that_a_template_does_not_show_has_no_number() -> None:
    screening = screened(office(), _Marked(office(), blind=True))

    assert np.isnan(screening.snapshot().alone).all()
    assert {verdict for found in verdicts_of(screening).values() for verdict in found} == {""}


class _Marked(Planted):
    """Says what its scores are of. `otherwise`: under this ablation the second response is cut otherwise; `blind`: no
    memory is seen."""

    def __init__(self, conversation: Conversation, *, blind: bool = False) -> None:
        super().__init__([any_of(1, 4.0, "tabs"), any_of(2, 2.0, "pnpm")])
        self._keys = frozenset(entry.key for entry in conversation.memories)
        self._blind = blind
        self.otherwise: Ablation | None = None

    def score(self, prompt: Prompt, job: Job) -> list[ResponseScore]:
        scores = super().score(prompt, job)
        odd = self.otherwise is not None and self._keys - self.asked[-1] == self.otherwise.removed
        found: list[ResponseScore] = []
        seen = ""
        for turn in prompt.turns:
            if turn.is_response:
                cut = b"otherwise" if odd and len(found) == 1 else b"as ever"
                marks = Marks(cut, b"" if self._blind else seen.encode())
                found.append(replace(scores[len(found)], marks=marks))
            seen += turn.text
        return found


def test_in_classic_mode_too_what_leaving_out_one_cannot_see_is_found() -> None:
    conversation = planted(apart("copy", "twin", "bad"))
    run = ClassicRun(conversation)
    screening = screened(conversation, Planted([any_of(0, 4.0, "copy", "twin"), any_of(0, -2.0, "bad")]), run=run)

    assert run.everything in screening.plan
    assert (screening.snapshot().alone >= 0).all()
    assert verdicts_of(screening) == {"copy": ["redundant"], "twin": ["redundant"], "bad": ["unused"]}
    assert keys_of(screening, pairs_of(screening)) == {("copy", "twin")}


def test_classic_mode_has_no_suppressors_also_among_copies() -> None:
    conversation = planted(alike("bad", "worse") | apart("one"))
    screening = screened(conversation, Planted([any_of(0, -4.0, "bad", "worse")]), run=ClassicRun(conversation))

    assert verdicts_of(screening) == {"bad": ["unused"], "worse": ["unused"], "one": ["unused"]}


def test_what_classic_mode_counts_as_nothing_because_it_failed_has_no_verdict_and_no_pair() -> None:
    conversation = planted(apart("copy", "twin", "one"))
    facts = [any_of(0, 4.0, "copy", "twin"), any_of(0, 3.0, "one")]
    run = ClassicRun(conversation)
    screening = screened(conversation, Planted(facts), run=run)
    assert keys_of(screening, pairs_of(screening)) == {("copy", "twin")}

    run.land(without("one"), REFUSED)  # its effect is 0 now: as if others did what it does
    run.land(without("twin"), REFUSED)

    assert run.snapshot().effects.tolist() == [[0.0], [0.0], [0.0]]
    assert verdicts_of(screening) == {"copy": ["redundant"], "twin": [""], "one": [""]}
    assert not pairs_of(screening)


def test_a_row_that_is_scored_again_changes_its_verdict() -> None:
    screening = screened(planted(apart("one", "two", "three")), Planted([any_of(0, 4.0, "one")]))
    assert verdicts_of(screening)["two"] == ["unused"]

    screening.run.land(without("two"), [ResponseScore(-1000.0)])
    expected: Verdict = "together"

    assert verdicts_of(screening)["two"] == [expected]
