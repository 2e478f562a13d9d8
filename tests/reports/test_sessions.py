"""What is said of sessions: their rows as JSON and in tables, what each part of a score rests on, and their numbers."""

from __future__ import annotations

import csv
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.base.text import json_text
from memscope.reports.csv import csv_text
from memscope.reports.fit import Wish, widths
from memscope.reports.session_parts import headline, score_parts, told
from memscope.reports.sessions import LEGEND, SESSIONS, session_columns, sessions_document, sessions_words
from memscope.sessions.facts import Evidence, Failure
from memscope.sessions.ranked import Place, RankedSession
from tests.sessions.rows import DAY, FAILED, NOW, repository, session, unreadable

FIRST = Evidence(0, 3, 17, "Prefer tabs.")
BEST = session(
    "/s/best.jsonl",
    days=2.5,
    repos=("mise", "usage"),
    title="Mend the parser",
    request="please mend it",
    messages=120,
    responses=40,
    tool_calls=57,
    memories=4,
    memory=FIRST,
    windows=3,
    failure=FAILED,
    malformed=2,
    skipped=5,
    copies=(Place("/s/copy.jsonl", 0), Place("/s/best.jsonl", 1)),
    holder=(("usage", Place("/s/old.jsonl", 2)),),
)
COPY = session("/s/copy.jsonl", title="Mend the parser", copy_of=Place("/s/best.jsonl", 0))
AGENT = session("/s/best.jsonl", item=1, is_subagent=True, request="look it up", copy_of=Place("/s/best.jsonl", 0))
PLAIN = session("/s/plain.jsonl", days=400)
BROKEN = unreadable()

# JSON

CLASSIC = {"path", "filename", "score", "breakdown", "message_count", "repos", "is_failure"}


def test_a_row_has_the_fields_of_the_first_sampler_and_more() -> None:
    (row,) = json.loads(json_text(sessions_document([BEST], NOW).model_dump(mode="json")))

    assert row.keys() >= CLASSIC | {"date", "evidence", "malformed_lines", "format"}
    assert {name: row[name] for name in CLASSIC} == {
        "path": "/s/best.jsonl",
        "filename": "best.jsonl",
        "score": 16,
        "breakdown": {"recency": 3, "length": 3, "repo_unique": 5, "outcome": 3, "tool_calls": 2},
        "message_count": 120,
        "repos": ["mise", "usage"],
        "is_failure": True,
    }
    assert (row["date"], row["dated"], row["malformed_lines"]) == ("2026-04-29T00:00:00Z", "message", 2)
    assert (row["outcome"], row["failure"]) == ("failure", "exit_code")
    assert row["holders"] == [{"repo": "usage", "path": "/s/old.jsonl", "item": 2}]
    assert row["copies"] == [{"path": "/s/copy.jsonl", "item": 0}, {"path": "/s/best.jsonl", "item": 1}]
    assert row["evidence"]["outcome"] == {
        "words": "line 812, window 1: Process exited with code 1",
        "window": 0,
        "message": 9,
        "line": 812,
        "text": "Process exited with code 1",
    }
    assert row["evidence"]["length"] == {
        "words": "120 messages",
        "window": None,
        "message": None,
        "line": None,
        "text": None,
    }


def test_a_file_without_a_session_has_its_reason_and_no_score() -> None:
    (row,) = sessions_document([BROKEN], NOW).root

    assert (row.score, row.breakdown, row.evidence, row.outcome) == (None, None, None, None)
    assert row.error == "this file holds no JSON"
    assert (row.message_count, row.repos, row.is_failure) == (0, [], False)


def test_what_has_no_date_is_of_no_day() -> None:
    gone = BROKEN._replace(date=0.0)
    (day,) = [column.text(gone) for column in session_columns() if column.title == "date"]

    assert (day, sessions_document([gone], NOW).root[0].date) == ("–", None)


def test_a_copy_says_where_it_counts() -> None:
    (row,) = sessions_document([AGENT], NOW).root

    assert row.copy_of is not None
    assert (row.copy_of.path, row.copy_of.item, row.is_subagent) == ("/s/best.jsonl", 0, True)


def test_a_name_that_is_not_utf8_and_a_clock_that_was_far_off_get_through() -> None:
    row = session("/s/\udcff.jsonl", date=1e18)

    text = json_text(sessions_document([row], NOW).model_dump(mode="json"))

    assert json.loads(text)[0]["path"] == "/s/\udcff.jsonl"
    assert json.loads(text)[0]["date"] is None
    assert text.isascii()


rows = st.sampled_from([BEST, COPY, AGENT, PLAIN, BROKEN]).flatmap(
    lambda row: st.builds(
        row._replace,
        path=st.text(min_size=1),
        item=st.integers(0, 3),
        size=st.integers(0, 2**40),
        date=st.integers(0, int(NOW) * 2).map(float),
    )
)


@settings(max_examples=25)
@given(st.lists(rows, max_size=3))
def test_a_table_says_the_same_of_the_document_as_of_the_rows(found: list[RankedSession]) -> None:
    document = sessions_document(found, NOW)

    again = SESSIONS.rows(SESSIONS.document.model_validate(document.model_dump(mode="json")))

    for column in (*session_columns(), *SESSIONS.columns(document)):
        assert [*map(column.value, again)] == [*map(column.value, found)]
        assert [*map(column.text, again)] == [*map(column.text, found)]


# Tables


def test_csv_has_a_row_a_session() -> None:
    text = csv_text(SESSIONS, sessions_document([BEST, AGENT, BROKEN], NOW))
    header, best, agent, broken = csv.reader(text.splitlines())
    told_of = dict(zip(header, best, strict=True))

    assert len(set(header)) == len(header)
    assert told_of["score"] == "16"
    assert [told_of[f"{part}_points"] for part in BEST.parts._fields] == ["3", "3", "5", "3", "2"]
    assert "R L U O T" not in told_of
    assert [told_of[name] for name in ("failure", "dated", "request", "skipped", "is_subagent", "copy_of")] == [
        *("exit_code", "message", "please mend it", "5", "False", ""),
    ]
    elsewhere = dict(zip(header, agent, strict=True))
    assert [elsewhere[name] for name in ("is_subagent", "copy_of", "copy_of_item")] == ["True", "/s/best.jsonl", "0"]
    assert told_of["repository"] == "mise, usage"
    assert told_of["date"] == "2026-04-29T00:00:00Z"
    assert dict(zip(header, broken, strict=True))["error"] == "this file holds no JSON"
    assert len(LEGEND.split(", ")) == len(BEST.parts)


def shown(width: int) -> list[str]:
    columns = session_columns()
    wishes = [Wish.of(one, max(len(one.title), *(len(one.text(row)) for row in (BEST, PLAIN)))) for one in columns]
    return [columns[i].title for i in widths(wishes, width, 2)]


def test_a_narrow_screen_has_what_matters_and_a_wide_one_the_rest() -> None:
    assert {"score", "memories", "date", "outcome", "title"} <= set(shown(80))
    assert shown(40) == ["score", "memories", "title"]  # of short titles
    assert set(shown(80)) | {"R L U O T", "messages", "windows", "repository", "file"} <= set(shown(160))


def test_what_counts_elsewhere_says_so_before_its_title() -> None:
    title = next(column for column in session_columns() if column.title == "title")

    assert [title.text(row) for row in (BEST, COPY, AGENT, PLAIN, BROKEN)] == [
        "Mend the parser",
        "copy: Mend the parser",
        "sub-agent: look it up",
        "plain.jsonl",
        "broken.jsonl: this file holds no JSON",
    ]
    assert title.value(COPY) == headline(COPY) == "Mend the parser"


# What a score rests on


def words(row: RankedSession, name: str) -> str:
    return next(part.words for part in score_parts(row, NOW) if part.name == name)


@pytest.mark.parametrize(
    ("row", "name", "said"),
    [
        (BEST, "recency", "2 days ago, by its last message"),
        (session(days=1.5), "recency", "1 day ago, by its last message"),
        (session(days=0.5, dated="name"), "recency", "less than a day ago, by the name of its file"),
        (session(days=-3, dated="file"), "recency", "in the time to come, by the time of its file"),
        (BEST, "length", "120 messages"),
        (BEST, "repo_unique", "the first session of mise, usage was first in /s/old.jsonl --item 2"),
        (PLAIN, "repo_unique", "no repository is known"),
        (COPY, "repo_unique", "no repository is known"),
        (session(repos=("mise",), copy_of=BEST.place), "repo_unique", "mise: see the session it is part of"),
        (
            session(repos=("mise",), holder=(("mise", Place("/s/old.jsonl", 2)),)),
            "repo_unique",
            "mise was first in /s/old.jsonl --item 2",
        ),
        (session(repos=tuple("abcde")), "repo_unique", "the first session of a, b, c and 2 more"),
        (BEST, "outcome", "line 812, window 1: Process exited with code 1"),
        (session(failure=FAILED), "outcome", "line 812: Process exited with code 1"),
        (PLAIN, "outcome", "nothing in it says that it failed"),
        (session(has_content=False), "outcome", "nothing is said in it"),
        (
            session(failure=Failure("error", Evidence(0, 1, 0, "Not found"))),
            "outcome",
            "an error: Not found",
        ),
        (session(failure=Failure("interrupted", Evidence(0, 1, 7, ""))), "outcome", "interrupted, line 7"),
        (
            session(failure=Failure("words", Evidence(0, 1, 7, "it failed"))),
            "outcome",
            "by its words alone, line 7: it failed",
        ),
        (BEST, "tool_calls", "57 calls"),
        (BEST, "memories", "4 memories, the first in #3 of window 1; a batch scores window 3"),
        (session(memories=1, memory=FIRST), "memories", "1 memory, the first in #3"),
        (
            session(memories=1, memory=FIRST, responses=0),
            "memories",
            "1 memory, the first in #3; without a response it cannot be scored",
        ),
        (PLAIN, "memories", "none were found: it cannot be scored"),
    ],
)
def test_each_part_says_what_it_rests_on(row: RankedSession, name: str, said: str) -> None:
    assert words(row, name) == said


def test_what_can_be_jumped_to_has_its_place() -> None:
    places = {part.name: part.evidence for part in score_parts(BEST, NOW)}

    assert places == {
        "recency": None,
        "length": None,
        "repo_unique": repository("mise").evidence,
        "outcome": FAILED.evidence,
        "tool_calls": None,
        "memories": FIRST,
    }


def test_a_session_is_told_line_by_line() -> None:
    lines = told(BEST, NOW)

    assert [line.text for line in lines[:3]] == [
        "Mend the parser",
        "please mend it",
        "claude-code, 40 responses, 3 windows",
    ]
    assert [(line.label, line.text) for line in lines if line.label][:2] == [
        ("score 16", "of 16 points"),
        ("recency 3", "2 days ago, by its last message"),
    ]
    assert ("malformed", "2 lines passed over as broken") in [(line.label, line.text) for line in lines]
    assert lines[-1].text == "/s/best.jsonl"
    assert [line.label for line in lines if line.evidence] == ["repo_unique 5", "outcome 3", "memories"]


def test_a_sub_agent_and_a_broken_file_say_what_they_are() -> None:
    assert ("sub-agent", "of another session") in [(line.label, line.text) for line in told(AGENT, NOW)]
    agent = AGENT._replace(facts=AGENT.facts and AGENT.facts._replace(parent="0199"))
    assert ("sub-agent", "of the session 0199") in [(line.label, line.text) for line in told(agent, NOW)]
    assert [line.text for line in told(BROKEN, NOW)] == ["this file holds no JSON", "/s/broken.jsonl"]
    assert score_parts(BROKEN, NOW) == []


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], "0 sessions in 0 files"),
        ([PLAIN], "1 session in 1 file, 0 with memories, 0 failed"),
        ([BROKEN], "0 sessions in 0 files; 1 file could not be read"),
        (
            [BEST, PLAIN, COPY, AGENT, BROKEN, unreadable("/s/b2")],
            "2 sessions in 3 files, 1 with memories, 1 failed; 2 copies and sub-agents count with their sessions;"
            " 2 files could not be read",
        ),
        (
            [BEST, COPY],
            "1 session in 2 files, 1 with memories, 1 failed; 1 copy or sub-agent counts with its session",
        ),
    ],
)
def test_sessions_are_counted_once(found: list[RankedSession], said: str) -> None:
    assert sessions_words(found) == said


def test_the_days_of_a_table_are_those_of_utc() -> None:
    date = next(column for column in session_columns() if column.title == "date")

    assert date.text(session(date=NOW - NOW % DAY)) == "2026-05-01"
    assert date.text(session(date=NOW - NOW % DAY - 1)) == "2026-04-30"
    assert date.text(session(date=1e18)) == "–"
