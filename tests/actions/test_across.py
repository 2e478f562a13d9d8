"""Memories across conversations: exact totals of runs that are made up, and which runs are added up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.actions.across import Wanted, _Tally, across, kept_at, sightings, what_it_was
from memscope.actions.memory_decisions import decide, undo_decision
from memscope.actions.open import demo_opening
from memscope.actions.runs import text_digest
from memscope.base.clock import set_clock
from memscope.base.errors import Cancelled
from memscope.base.job import Job
from memscope.reports.across import AcrossDocument, AcrossRow, across_columns, ordered
from memscope.store.database import Database
from memscope.store.runs import Outcome, Runs
from tests.fakes import assistant, memory, talk, user
from tests.store.test_runs import EVIL, RUN

BLANK = Outcome("k", "t", "words", 10, 3, 1, 0.0, 0.0, 0.0, 0.0, 0, 0, 0.0, 0.0, 4, 0)
UNUSED = BLANK
NEEDED = BLANK._replace(total=3.0, net=2.5, max=3.0, against=-0.5, above=1, most=3.0)
AGAINST = BLANK._replace(total=0.25, net=-1.75, max=0.25, against=-2.0, below=1, least=-2.0)
FAILED = BLANK._replace(total=None, net=None, max=None, against=None, measured=0, left_out=4)
PARTIAL = BLANK._replace(measured=3, left_out=1)
LATE = BLANK._replace(measured=0)  # no response came after it


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    times = iter(range(100, 10_000))
    set_clock(lambda: float(next(times)))
    opened = Database(tmp_path / "store")
    yield opened
    opened.close()
    set_clock(None)


def keep(database: Database, path: str, time: float, *outcomes: Outcome, **other: Any) -> None:
    """A run of the conversation in the file `path`."""
    window = other.get("window", 0)
    found = {"path": path, "conversation": f"{path}#0/{window}", "time": time, "outcomes": outcomes}
    Runs(database).keep(replace(RUN, **{**found, **other}))


def looked(database: Database, *paths: Path, at_least: int = 0, **wanted: Any) -> AcrossDocument:
    return across(database, Wanted(paths, **wanted), Job(), at_least=at_least)


def only(document: AcrossDocument) -> AcrossRow:
    (row,) = document.memories
    return row


def test_a_memory_adds_up_over_the_conversations_it_was_seen_in(database: Database) -> None:
    keep(database, "/a", 1.0, NEEDED, BLANK._replace(key="other"))
    keep(database, "/b", 2.0, AGAINST)
    keep(database, "/c", 3.0, UNUSED)
    keep(database, "/d", 4.0, FAILED)
    keep(database, "/e", 5.0, UNUSED)
    keep(database, "/f", 6.0)
    document = looked(database)
    row = next(row for row in document.memories if row.key == "k")
    assert (document.conversations, document.reason) == (6, None)
    assert (row.seen, row.needed, row.against_in, row.unused, row.unknown) == (5, 1, 1, 2, 1)
    assert (row.unused_last, row.last_seen, row.last_needed) == (2, 5.0, 1.0)
    assert (row.total, row.net, row.against, row.max) == (3.25, 0.75, -2.5, 3.0)
    assert (row.tokens, row.chars, row.occurrences) == (15, 50, 5)
    assert (row.version, row.versions, row.preview) == (1, 1, "words")


@pytest.mark.parametrize("outcome", [FAILED, PARTIAL, LATE])
def test_what_was_not_measured_in_full_is_not_unused(database: Database, outcome: Outcome) -> None:
    keep(database, "/a", 1.0, outcome)
    row = only(looked(database))
    assert (row.seen, row.unused, row.unknown, row.unused_last) == (1, 0, 1, 0)


def test_where_nothing_was_measured_there_is_no_number(database: Database) -> None:
    keep(database, "/a", 1.0, FAILED._replace(tokens=None))
    row = only(looked(database))
    assert (row.total, row.net, row.max, row.against, row.tokens, row.last_needed) == (None,) * 6


def test_the_threshold_decides_what_was_needed(database: Database) -> None:
    keep(database, "/a", 1.0, NEEDED)
    keep(database, "/b", 2.0, AGAINST)
    assert only(looked(database, threshold=2.0)).unused == 1  # strictly above
    assert only(looked(database, threshold=3.0)).needed == 0
    assert [what_it_was(NEEDED, at) for at in (2.9, 3.0)] == ["needed", "unused"]
    assert [what_it_was(AGAINST, at) for at in (1.9, 2.0)] == ["against", "unused"]


@given(st.lists(st.sampled_from([UNUSED, NEEDED, AGAINST, FAILED]), max_size=12), st.randoms())
def test_in_a_row_counts_those_unused_since_it_last_mattered_in_whatever_order_they_are_read(
    outcomes: list[Outcome], random: Any
) -> None:
    truth = 0
    for outcome in reversed(outcomes):
        if outcome in (NEEDED, AGAINST):
            break
        truth += outcome == UNUSED
    timed = list(enumerate(outcomes))
    random.shuffle(timed)
    tally = _Tally()
    for time, outcome in timed:
        tally.add(outcome, float(time), 0.01)
    assert len(tally.unused_since) == truth
    assert tally.needed + tally.against_in + tally.unused + tally.unknown == tally.seen == len(outcomes)


def test_the_words_shown_are_those_it_was_last_seen_with_in_whatever_order_they_are_read(database: Database) -> None:
    for path, time in (("/a", 2.0), ("/b", 3.0), ("/c", 1.0)):
        keep(database, path, time, BLANK._replace(preview=f"words of {path}"))
    row = only(looked(database))
    assert (row.last_seen, row.preview) == (3.0, "words of /b")


def test_a_conversation_counts_once_however_often_it_was_scored(database: Database) -> None:
    for _ in range(3):
        keep(database, "/a", 1.0, NEEDED)
    keep(database, "/a", 2.0, NEEDED, BLANK._replace(key="late"))  # it has grown
    document = looked(database)
    assert [(row.key, row.seen) for row in document.memories] == [("k", 1), ("late", 1)]
    keep(database, "/a", 2.0, UNUSED, window=1)  # another context window is another context
    assert looked(database).memories[0].seen == 2


def test_of_several_engines_the_newest_run_counts_unless_one_is_asked_for(database: Database) -> None:
    keep(database, "/a", 1.0, NEEDED, engine=b"1", name="vllm", model="big")
    keep(database, "/a", 1.0, UNUSED, engine=b"2", name="embedded", model="v1")
    keep(database, "/b", 2.0, NEEDED, engine=b"1", name="vllm", model="big")
    document = looked(database)
    assert (only(document).needed, only(document).unused) == (1, 1)
    assert [(one.name, one.conversations) for one in document.engines] == [("embedded", 1), ("vllm", 1)]
    assert only(looked(database, engine="vllm")).needed == 2
    assert only(looked(database, model="v1")).seen == 1
    assert looked(database, engine="vllm", model="v1").reason == "no conversation was scored by vllm v1 yet"
    keep(database, "/b", 2.0, engine=b"2", name="embedded", model="v1")  # opened without its memories
    assert only(looked(database)).needed == 1


def test_another_text_under_a_key_is_another_row_and_says_which(database: Database) -> None:
    keep(database, "/a", 1.0, NEEDED._replace(text="zz", preview="old words"))
    keep(database, "/b", 2.0, UNUSED._replace(text="aa", preview="new words"))
    keep(database, "/c", 1.5, BLANK._replace(key="other"))
    told = [(row.key, row.text, row.version, row.versions, row.seen) for row in looked(database).memories]
    assert told == [("k", "zz", 1, 2, 1), ("k", "aa", 2, 2, 1), ("other", "t", 1, 1, 1)]
    found = sightings(database, Wanted(), "k", Job())
    assert [(row.source, row.text, row.was) for row in found.sightings] == [
        ("/b", "aa", "unused"),
        ("/a", "zz", "needed"),
    ]
    assert [row.source for row in sightings(database, Wanted(), "k", Job(), "zz").sightings] == ["/a"]
    assert (
        sightings(database, Wanted(), "nosuch", Job()).reason
        == "no memory 'nosuch' in the conversations that were scored"
    )


def test_what_was_decided_of_a_memory_is_told_with_the_text_it_was_decided_of(database: Database) -> None:
    talked = talk(memory("k", "first text\n"), memory(EVIL, "hostile"), user("Hi?"), assistant("Hi."))
    first, hostile = (text_digest(one.texts[-1]) for one in talked.memories)
    keep(database, "/a", 1.0, NEEDED._replace(text=first), UNUSED._replace(key=EVIL, text=hostile))
    keep(database, "/b", 2.0, UNUSED._replace(text="another"))
    assert [row.decision for row in looked(database).memories] == [None, None, None]
    assert "decision" not in [column.title for column in across_columns(looked(database).memories)]
    decide(database, talked, ["k"], "prune", note="old")
    decide(database, talked, [EVIL], "pin")
    found = {(row.key, row.text): row.decision for row in looked(database).memories}
    assert found == {("k", first): "prune", ("k", "another"): None, (EVIL, hostile): "pin"}
    assert [column.title for column in across_columns(looked(database).memories)][1:3] == ["version", "decision"]
    decide(database, talked, ["k"], "clear")
    undo_decision(database, talk(memory(EVIL, "hostile"), user("Hi?"), assistant("Hi.")))
    assert [row.decision for row in looked(database).memories] == [None, None, None]


def test_paths_choose_files_and_all_that_is_below_folders(database: Database, tmp_path: Path) -> None:
    for name in ("a/one.json", "a/b/two.json", "ab/three.json", "a/one.json.bak"):
        keep(database, str(tmp_path / name), 1.0, NEEDED)
    keep(database, str(tmp_path / "a/odd#0.json"), 1.0, NEEDED)
    link = tmp_path / "link"
    (tmp_path / "a").mkdir()
    link.symlink_to(tmp_path / "a")
    assert looked(database, tmp_path / "a").conversations == 4
    assert looked(database, link).conversations == 4
    assert looked(database, tmp_path / "a/one.json", tmp_path / "ab").conversations == 2
    assert looked(database, tmp_path / "a/odd").conversations == 0
    assert looked(database, tmp_path).conversations == looked(database).conversations == 5
    assert looked(database, tmp_path / "c").reason == "no conversation among these was scored yet"


def test_the_demo_counts_only_where_it_is_named(database: Database) -> None:
    keep(database, str(demo_opening().path), 1.0, NEEDED)
    assert looked(database).conversations == 0
    assert looked(database, demo_opening().path).conversations == 1


def test_those_alone_are_left_that_were_unused_for_long_enough(database: Database) -> None:
    keep(database, "/a", 1.0, UNUSED, NEEDED._replace(key="used"))
    keep(database, "/b", 2.0, UNUSED, UNUSED._replace(key="used"))
    assert [row.key for row in looked(database, at_least=2).memories] == ["k"]
    document = looked(database, at_least=3)
    assert (document.memories, document.reason) == ([], "no memory was unused in the last 3 conversations or more")


def test_the_orders_put_first_what_is_looked_for(database: Database) -> None:
    big = BLANK._replace(key="big", chars=500, tokens=None)
    keep(database, "/a", 1.0, NEEDED, BLANK._replace(key="idle"), big)
    keep(database, "/b", 2.0, NEEDED, BLANK._replace(key="idle", tokens=50))
    rows = looked(database).memories
    assert [row.key for row in ordered(rows, "unused")] == ["idle", "big", "k"]
    assert [row.key for row in ordered(rows, "needed")] == ["k", "big", "idle"]
    assert [row.key for row in ordered(rows, "tokens")] == ["big", "idle", "k"]
    assert [row.key for row in ordered(rows, "last")] == ["idle", "k", "big"]


def test_hostile_names_come_through_and_rows_that_are_broken_are_passed_over(database: Database) -> None:
    keep(database, EVIL, 1e12, NEEDED._replace(key=EVIL, preview=EVIL))
    keep(database, "/broken", 1.0, NEEDED)
    database.write("UPDATE runs SET about = '{' WHERE conversation = ?", b"/broken#0/0")
    row = only(looked(database))
    assert (row.key, row.preview, row.seen) == (EVIL, EVIL, 1)
    assert sightings(database, Wanted(), EVIL, Job()).sightings[0].source == EVIL


def test_reading_can_be_cancelled_and_says_how_far_it_is(database: Database) -> None:
    keep(database, "/a", 1.0, NEEDED)
    said: list[Any] = []
    looked_at = across(database, Wanted(), Job(said.append))
    assert (looked_at.conversations, said[0].total, said[0].unit) == (1, 1, "conversations")
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        across(database, Wanted(), job)


def test_when_conversations_were_kept_is_told_by_lineage(database: Database) -> None:
    keep(database, "/a", 1.0, NEEDED)
    keep(database, "/a", 1.0, NEEDED, window=1)
    keep(database, "/b", 1.0, NEEDED, engine=b"2", name="vllm")
    assert kept_at(database, Wanted(), Job()) == {"/a#0": 101.0, "/b#0": 102.0}
    assert kept_at(database, Wanted(engine="formula"), Job()) == {"/a#0": 101.0}


def test_where_tokens_were_not_counted_the_table_tells_characters(database: Database) -> None:
    keep(database, "/a", 1.0, UNUSED, UNUSED._replace(key="uncounted", tokens=None))
    rows = looked(database).memories
    (column,) = [column for column in across_columns(rows) if column.title == "tokens"]
    assert [(column.text(row), column.value(row)) for row in rows] == [("3", 3), ("10 chars", None)]
