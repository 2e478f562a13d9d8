"""Candidates over many conversations: the numbers, what is scored for them, and what becomes of what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from memscope.actions.batch import transcripts
from memscope.actions.engine import Scorer
from memscope.actions.finetune import Search, finetune, finetune_cost
from memscope.actions.open import Opening, opened
from memscope.actions.triage import Decision, decide, known_of, subjects_of
from memscope.base.errors import Cancelled, EngineError
from memscope.base.job import Job, Progress
from memscope.base.settings import Settings
from memscope.conversation.model import Conversation
from memscope.conversation.native import native
from memscope.conversation.render import Prompt
from memscope.engines.stored import stored
from memscope.reports.finetune import FinetuneConversation, FinetuneDocument, finetune_words
from memscope.store.database import Database
from memscope.store.scores import ScoreStore
from tests.fakes import (
    PNPM,
    TABS,
    FormulaEngine,
    assistant,
    cut_otherwise_without,
    end_of_workers,
    fails_baseline,
    fails_without,
    memory,
    office,
    talk,
    true_effects,
    user,
)

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    folder = tmp_path / "talks"
    folder.mkdir()

    def write(name: str, *conversations: Conversation) -> Path:
        path = folder / name
        path.write_text("".join(json.dumps(native(one)) + "\n" for one in conversations))
        return path

    return write


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "store")
    yield opened
    end_of_workers()
    opened.close()


def search(*paths: Path, count: int | None = None, threshold: float = 0.0) -> Search:
    return Search(transcripts(paths, Job()), Opening(Path()), count, threshold)


def run(
    *paths: Path,
    engine: FormulaEngine | None = None,
    database: Database | None = None,
    job: Job | None = None,
    settings: Settings | None = None,
    classic: bool = False,
    **options: Any,
) -> FinetuneDocument:
    engine = engine or FormulaEngine()
    scorer = Scorer(stored(engine, ScoreStore(database)) if database is not None else engine, database, classic=classic)
    return finetune(search(*paths, **options), settings or Settings(), scorer, job or Job())


def found(row: FinetuneConversation) -> dict[int, float]:
    return {one.message: one.divergence for one in row.candidates}


def truth(conversation: Conversation, above: float = 0.0) -> dict[int, float]:
    """What each response owes to all memories together, where that is positive."""
    owed = zip(conversation.responses, true_effects(conversation).sum(axis=0).tolist(), strict=True)
    return {message: effect for message, effect in owed if effect > above}


def long(name: str = "long") -> Conversation:
    """Twenty turns, a memory before each fifth."""
    messages = []
    for n in range(20):
        if n % 5 == 0:
            messages.append(memory(f"m{n}", f"Fact {n} of {name}."))
        messages += [user(f"Question {n}?"), assistant(f"Answer {n} is this one of {name} and no other.")]
    return talk(*messages)


def test_candidates_are_what_all_memories_together_gave_the_highest_first(write: Write) -> None:
    document = run(write("a.json", long()))

    (row,) = document.conversations
    assert found(row) == truth(long())
    assert [one.divergence for one in row.candidates] == sorted(found(row).values(), reverse=True)
    assert row.responses_seen == 20
    assert row.left_out == 0
    assert row.max_divergence == max(found(row).values())
    assert (row.error, row.reason) == (None, None)
    words = len("Answer 3 is this one of long and no other.".split())
    assert all(one.per_token == one.divergence / words for one in row.candidates)


def test_only_what_exceeds_the_threshold_is_a_candidate(write: Write) -> None:
    limit = sorted(truth(long()).values())[3]

    (row,) = run(write("a.json", long()), threshold=limit).conversations

    assert found(row) == truth(long(), limit)
    assert row.max_divergence == max(truth(long()).values())


def test_each_conversation_takes_two_scorings(write: Write) -> None:
    engine = FormulaEngine()
    run(write("a.jsonl", long("one"), long("two")), write("b.json", office()), engine=engine)
    assert engine.calls == 6


@pytest.mark.parametrize("count", [1, 2, 7, 44, 1000])
def test_the_last_messages_are_looked_at_alone(write: Write, count: int) -> None:
    (row,) = run(write("a.json", long()), count=count).conversations

    looked_at = range(max(0, 44 - count), 44)
    assert found(row) == {message: effect for message, effect in truth(long()).items() if message in looked_at}
    assert row.responses_seen == sum(message in looked_at for message in long().responses)


def test_in_a_window_nothing_stands_before_it(write: Write) -> None:
    whole = long()
    part = talk(whole.messages[0], *whole.messages[-11:])  # a system message in front stays
    assert len(part.memories) == 2

    (row,) = run(write("a.json", whole), count=11, settings=Settings(context="window")).conversations

    assert found(row) == {message + 32: effect for message, effect in truth(part).items()}
    assert found(row) != found(run(write("a.json", whole), count=11).conversations[0])


def test_conversations_with_nothing_to_score_cost_nothing_and_say_why(write: Write) -> None:
    engine = FormulaEngine()
    plain = talk(user("?"), assistant("So."))
    late = talk(user("?"), assistant("So."), memory("k", "Too late."))
    mute = talk(memory("k", "One."), user("?"))

    rows = run(*(write(f"{n}.json", one) for n, one in enumerate((plain, late, mute))), engine=engine).conversations

    assert engine.calls == 0
    assert [row.reason for row in rows] == [
        "no memory was found in the conversation",
        "every memory comes after the responses",
        "there is no response among the messages looked at",
    ]
    assert [row.responses_seen for row in rows] == [1, 1, 0]
    assert all(row.error is None and row.max_divergence is None and not row.candidates for row in rows)


def test_what_cannot_be_read_or_scored_stops_nothing(write: Write, tmp_path: Path) -> None:
    broken = tmp_path / "talks" / "b.json"
    broken.write_text("{}")
    engine = FormulaEngine(before=fails_baseline(TABS))

    rows = run(write("a.json", office()), broken, write("c.json", long()), engine=engine).conversations

    assert "out of memory" in (rows[0].error or "")
    assert "no transcript" in (rows[1].error or "")
    assert (rows[1].window, rows[1].source) == (None, str(broken))
    assert found(rows[2]) == truth(long())


def test_a_failed_scoring_without_memories_leaves_all_responses_out(write: Write) -> None:
    (row,) = run(write("a.json", office()), engine=FormulaEngine(before=fails_without(TABS))).conversations

    assert "refuses to go without" in (row.error or "")
    assert (row.responses_seen, row.left_out, row.max_divergence) == (3, 3, None)


def test_a_response_that_is_cut_otherwise_is_left_out(write: Write) -> None:
    engine = FormulaEngine(after=cut_otherwise_without(PNPM, 1))

    (row,) = run(write("a.json", office()), engine=engine).conversations

    assert (row.responses_seen, row.left_out) == (3, 1)
    assert 5 not in found(row)


def test_when_conversations_fail_alike_in_a_row_the_others_are_not_tried(write: Write) -> None:
    def refuses(_call: int, _prompt: Prompt) -> None:
        raise EngineError("the key is refused")

    engine = FormulaEngine(before=refuses, concurrency=1)

    rows = run(*(write(f"{n}.json", long(str(n))) for n in range(6)), engine=engine).conversations

    assert engine.calls <= 6
    assert all("the key is refused" in (row.error or "") for row in rows)
    assert ["not tried" in (row.error or "") for row in rows] == [False] * 3 + [True] * 3


def test_a_few_failures_between_others_do_not_end_a_run(write: Write) -> None:
    failing = FormulaEngine(before=fails_baseline("Fact 0 of bad."))
    names = ["bad", "good", "bad", "bad", "good", "bad", "good"]

    rows = run(*(write(f"{n}.json", long(name)) for n, name in enumerate(names)), engine=failing).conversations

    assert [row.error is None for row in rows] == [name == "good" for name in names]


# What is kept


def test_a_second_run_is_free_and_says_the_same(write: Write, database: Database) -> None:
    paths = write("a.jsonl", long("one"), long("two")), write("b.json", office())
    first = run(*paths, database=database)
    again = FormulaEngine()

    assert run(*paths, database=database, engine=again) == first
    assert again.calls == 0


def test_an_interrupted_run_keeps_what_has_landed(write: Write, database: Database) -> None:
    paths = [write(f"{n}.json", long(str(n))) for n in range(4)]
    job = Job()

    def stop(call: int, _prompt: Prompt) -> None:
        if call == 5:
            job.cancel()

    with pytest.raises(Cancelled):
        run(*paths, database=database, engine=FormulaEngine(before=stop, concurrency=1), job=job)
    end_of_workers()
    again = FormulaEngine()
    document = run(*paths, database=database, engine=again)

    assert 2 <= again.calls <= 4
    assert [found(row) for row in document.conversations] == [truth(long(str(n))) for n in range(4)]


def test_the_decision_of_each_candidate_is_told(write: Write, database: Database) -> None:
    path = write("a.json", long())
    conversation = opened(Opening(path), Settings(), database)
    subjects = subjects_of(conversation.conversation)
    first, second, *_ = truth(long())
    known = known_of(conversation, None, first, 1.0, 1.0)
    decide(database, [Decision(subjects[first], "accept", known), Decision(subjects[second], "skip", known)])

    (row,) = run(path, database=database).conversations

    said = {one.message: one.decision for one in row.candidates}
    assert (said.pop(first), said.pop(second)) == ("accepted", "skipped")
    assert set(said.values()) == {"undecided"}


def test_without_a_store_no_decision_is_known(write: Write) -> None:
    (row,) = run(write("a.json", long())).conversations
    assert {one.decision for one in row.candidates} == {None}


# What it says


def test_progress_counts_conversations(write: Write) -> None:
    seen: list[Progress] = []

    run(write("a.jsonl", long("one"), long("two")), write("b.json", office()), job=Job(seen.append))

    assert {(one.total, one.unit) for one in seen} == {(3, "conversations")}
    assert seen[-1].done == 3
    assert any("scorings 2/2" in one.doing for one in seen)


def test_when_nothing_passes_the_sentence_says_why(write: Write, tmp_path: Path) -> None:
    (tmp_path / "talks" / "b.json").write_text("{}")
    write("a.json", long())
    write("c.json", talk(user("?"), assistant("So.")))

    words = finetune_words(run(tmp_path / "talks", threshold=500.0))

    assert words.startswith("No response owes the memories more than 500 nats: 21 responses seen in 2 conversations;")
    assert "the largest divergence" in words
    assert "1 conversation with nothing to score: no memory was found in the conversation" in words
    assert words.endswith("1 conversation with an error.")


def test_when_something_passes_it_says_how_much(write: Write) -> None:
    words = finetune_words(run(write("a.json", long()), threshold=1.0))

    assert (
        words
        == f"{len(truth(long(), 1.0))} responses owe the memories more than 1 nat: 20 responses seen in 1 conversation."
    )


def test_responses_that_could_not_be_measured_are_told(write: Write) -> None:
    engine = FormulaEngine(after=cut_otherwise_without(PNPM, 1))
    words = finetune_words(run(write("a.json", office()), engine=engine, threshold=500.0))
    assert "1 of them not measured" in words


# Before it begins


def test_the_cost_of_all_of_it_is_told_where_a_person_should_be_asked(write: Write, database: Database) -> None:
    paths = write("a.jsonl", long("one"), long("two")), write("b.json", office())
    scorer = Scorer(stored(FormulaEngine(), ScoreStore(database)), database)
    settings = Settings(ask_above=100)

    cost = finetune_cost(search(*paths), settings, scorer, Job())

    assert cost is not None
    assert (cost.scorings, cost.known) == (6, 0)
    assert finetune_cost(search(*paths), Settings(ask_above=0), scorer, Job()) is None
    assert finetune_cost(search(*paths), Settings(), scorer, Job()) is None  # it is not that much
    finetune(search(paths[0]), settings, scorer, Job())
    rest = finetune_cost(search(*paths), replaced(settings), scorer, Job())
    assert rest is not None
    assert (rest.scorings, rest.known) == (6, 4)
    finetune(search(*paths), settings, scorer, Job())
    assert finetune_cost(search(*paths), settings, scorer, Job()) is None


def replaced(settings: Settings) -> Settings:
    return settings.model_copy(update={"ask_above": 1})


def test_thinking_and_memory_files_are_as_everywhere(write: Write, tmp_path: Path) -> None:
    (tmp_path / "CLAUDE.md").write_text("Indent with tabs.\n")
    path = write("a.json", talk(user("?"), assistant("Tabs, as always, so indent with tabs.")))
    wanted = replace(search(path), opening=Opening(Path(), memories=(tmp_path / "CLAUDE.md",)))

    (row,) = finetune(wanted, Settings(), Scorer(FormulaEngine()), Job()).conversations

    assert row.reason is None
    assert row.responses_seen == 1
    assert row.max_divergence is not None
