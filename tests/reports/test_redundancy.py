"""Verdicts and pairs in words and documents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.actions.engine import Scorer
from memscope.actions.redundancy import screen_run, try_pairs
from memscope.actions.score import score_matrix
from memscope.attribution.aggregates import cutoffs
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.conversation.model import Conversation
from memscope.engines.protocol import EngineIdentity
from memscope.reports.cell import cell_detail
from memscope.reports.redundancy import longest_run, pair_rows, pair_words, redundancy_document
from memscope.reports.verdicts import MemorySummary, VerdictReader, memory_verdicts, verdict_words
from tests.fakes import assistant, memory, talk
from tests.planted import Fact, Planted, alike, all_of, any_of, apart, planted

IDENTITY = EngineIdentity("planted")


def read(conversation: Conversation, *facts: Fact, threshold: float = 0.01) -> VerdictReader:
    scorer = Scorer(Planted(facts))
    run, _ = score_matrix(conversation, scorer, Job())
    screening = try_pairs(screen_run(run, scorer, Job()), threshold, scorer, Job())
    return VerdictReader(screening.snapshot(), threshold)


TEXTS = apart("one", "half", "other", "bad", "idle") | alike("copy", "twin")
FACTS = (
    any_of(0, 5.0, "one"),
    all_of(0, 4.0, "half", "other"),
    any_of(0, -2.0, "bad"),
    any_of(0, 3.0, "copy", "twin"),
    any_of(1, 3.0, "copy"),
)


def test_each_verdict_is_told_with_its_numbers() -> None:
    reader, message = read(planted(TEXTS, 2), *FACTS), len(TEXTS)

    said = {row.key: verdict_words(row) for row in reader.rows([message])}

    assert said == {
        "one": "needed: +5.00 nats alone, and no other tells it",
        "half": "together: 0 nats alone, so it works only with others",
        "other": "together: 0 nats alone, so it works only with others",
        "bad": "suppressor: the wording is likelier without it",
        "idle": "unused: 0 nats alone",
        "copy": "redundant: +3.00 nats once twin is gone",
        "twin": "redundant: +3.00 nats once copy is gone",
    }
    row = reader.of("copy", message)
    assert row is not None
    assert row.group is not None
    assert (row.effect, row.alone, row.group.keys, row.group.effect, row.group.instead, row.cutoff) == (
        0.0,
        3.0,
        ["copy", "twin"],
        3.0,
        3.0,
        0.01,
    )
    assert reader.of("nobody", message) is None
    assert reader.of("copy", 0) is None


def test_what_a_memory_is_to_the_whole_conversation() -> None:
    found = memory_verdicts(read(planted(TEXTS, 2), *FACTS))

    assert found["copy"].words() == "needed 1, redundant 1 (with twin)"
    assert found["idle"].words() == "unused"
    assert found["twin"].counts == {"redundant": 1, "unused": 1}
    assert found["twin"].stand_ins == ["copy"]


@pytest.mark.parametrize(
    ("counts", "stand_ins", "words"),
    [
        ((0, 0, 0, 0, 0), [], ""),
        ((0, 0, 0, 0, 3), [], "unused"),
        ((1, 0, 2, 1, 3), [], "needed 1, together 2, suppressor 1"),
        ((0, 2, 0, 0, 0), [], "redundant 2"),
        ((0, 2, 0, 0, 0), ["a", "b", "c"], "redundant 2 (with a, b and 1 more)"),
    ],
)
def test_a_summary_in_a_line(counts: tuple[int, ...], stand_ins: list[str], words: str) -> None:
    names = ("needed", "redundant", "together", "suppressor", "unused")
    assert MemorySummary(key="k", stand_ins=stand_ins, **dict(zip(names, counts, strict=True))).words() == words


def test_a_document_of_one_response_tells_of_it_alone() -> None:
    conversation = planted(TEXTS, 2)
    reader = read(conversation, *FACTS)

    document = redundancy_document(conversation, reader, IDENTITY, Settings(), message=len(TEXTS) + 1)

    assert {row.message for row in document.verdicts} == {len(TEXTS) + 1}
    assert {row.key: row.verdict for row in document.verdicts}["copy"] == "needed"
    assert document.memories[5].counts == {"needed": 1}
    assert not document.pairs


def test_the_one_that_more_responses_need_for_itself_is_kept() -> None:
    conversation = planted(TEXTS, 2)
    [pair] = pair_rows(conversation, read(conversation, *FACTS), {"copy": 7, "twin": 9})

    assert (pair.keys, pair.keep, pair.drop, pair.needed) == (["copy", "twin"], "copy", ["twin"], [])
    assert (pair.tokens, pair.chars) == (9, len(TEXTS["twin"]))
    assert [(found.message, found.joint, found.singles) for found in pair.responses] == [(7, 3.0, [0.0, 0.0])]
    assert pair.shared_text == "The staging server deploys on Mondays, says"
    assert pair.shared_words == ["deploys", "mondays", "says", "server", "staging"]
    assert pair_words(pair) == "keep copy, drop twin: saves 9 tokens"


def test_of_two_that_are_needed_alike_the_longer_goes_every_time_it_occurs() -> None:
    long = "Deploys of the staging server are on Mondays, and on Mondays only."
    conversation = talk(
        memory("long", long),
        memory("short", "Staging server deploys on Mondays."),
        assistant("Yes."),
        memory("long", long),
    )
    [pair] = pair_rows(conversation, read(conversation, any_of(0, 3.0, "long", "short")))

    assert pair.drop == ["long"]
    assert pair.chars == 2 * len(long)
    assert pair.tokens is None
    assert pair_words(pair) == f"keep short, drop long: saves {2 * len(long)} characters"


def test_a_pair_says_where_the_one_to_drop_is_needed_for_itself() -> None:
    conversation = planted(alike("copy", "twin"), 3)
    facts = [any_of(0, 3.0, "copy", "twin"), any_of(1, 2.0, "copy"), any_of(2, 2.0, "twin")]
    [pair] = pair_rows(conversation, read(conversation, *facts))

    assert (pair.keep, pair.needed) == ("copy", [4])
    assert pair_words(pair).endswith("; but #4 needs it for itself")


def test_a_threshold_takes_small_effects_for_nothing() -> None:
    conversation = planted(apart("one"))
    reader = read(conversation, any_of(0, 0.5, "one"), threshold=1.0)

    assert [row.verdict for row in reader.rows()] == ["unused"]
    assert reader.rows()[0].cutoff == 1.0


def test_a_cell_tells_its_verdict_on_one_clean_line() -> None:
    key = "bad\nkey\x1b[31m"
    conversation = talk(memory(key, "Alpha beta gamma."), memory("other", "Beta gamma alpha!"), assistant("Yes."))
    reader = read(conversation, any_of(0, 3.0, key, "other"))
    matrix = reader.screen.matrix

    detail = cell_detail(conversation, matrix, cutoffs(matrix, 0.01), 1, 0, verdict=reader.of("other", 2))

    assert detail.verdict == "redundant"
    assert detail.verdict_told == "redundant: +3.00 nats once bad⏎key␛[31m is gone"


@pytest.mark.parametrize(
    ("one", "other", "run"),
    [
        ("Always use tabs, never spaces.", "we USE tabs -- never spaces, ever", "use tabs, never spaces"),
        ("Alpha.", "Beta.", ""),
        ("", "Beta.", ""),
        ("The same.", "The same.", "The same"),
    ],
)
def test_the_longest_run_of_words(one: str, other: str, run: str) -> None:
    assert longest_run(one, other) == run


words = st.lists(st.sampled_from("a b c ü .".split()), max_size=8).map(" ".join)


@given(words, words)
def test_a_run_stands_in_both(one: str, other: str) -> None:
    run = longest_run(one, other)

    assert run in one
    found = [word for word in run.split() if word != "."]
    assert " ".join(found) in " ".join(word for word in other.split() if word != ".")
    assert len(found) == len(longest_run(other, one).replace(".", "").split())
