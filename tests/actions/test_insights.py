"""What rules see in transcripts, through files and folders of every format, with the places it was seen at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from memscope.actions.insight_decisions import drop, keep
from memscope.actions.insights import Observed, found_rows, kept_rows, observe, offered
from memscope.base.errors import Cancelled, SourceError, UsageError
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.conversation.formats import format_names
from memscope.conversation.load import load
from memscope.conversation.model import ToolResult
from memscope.store.database import Database
from tests.insights import failing
from tests.insights.sayings import insight
from tests.promotion.recurring import write_talk

pytestmark = pytest.mark.usefixtures("noon")

REASONING = "The queue is slow because every worker takes the same lock before it reads its batch. " * 8


def observed(*inputs: Path, **more: Any) -> Observed:
    return observe(inputs, Settings(), more.pop("database", None), more.pop("job", None) or Job(), **more)


def texts(found: Observed) -> list[str]:
    return [one.text for one in found.insights]


# Every format.


@pytest.mark.parametrize("name", sorted(failing.TOOLS))
def test_an_error_that_repeats_is_seen_in_every_format_at_its_messages(tmp_path: Path, name: str) -> None:
    path = failing.write(name, tmp_path)
    found = observed(path)
    assert (len(found.sessions), found.copies, found.unread, found.trouble) == (1, 0, (), "")
    errors = [one for one in found.insights if one.kind == "repeated_tool_error"]
    assert [one.text for one in errors] == [f"'{failing.TOOLS[name]}' errored 2 times: {failing.FAILED}"]
    assert len(errors[0].evidence) == 2
    for one in errors[0].evidence:
        assert (one.session, one.source.path, one.source.format) == (str(path), path, name)
        message = load(path, item=one.source.item, window=one.source.window).messages[one.message or 0]
        (result,) = (part for part in message.parts if isinstance(part, ToolResult))
        assert failing.FAILED in result.text and failing.FAILED in one.words
    assert observed(tmp_path).insights == found.insights


@pytest.mark.parametrize("name", sorted(failing.TELL_NONE))
def test_a_format_that_marks_no_failure_tells_none(tmp_path: Path, name: str) -> None:
    found = observed(failing.write(name, tmp_path))
    assert len(found.sessions) == 1
    assert not [one for one in found.insights if one.kind == "repeated_tool_error"]


def test_a_session_of_a_format_that_is_named_is_read_as_that(tmp_path: Path) -> None:
    path = failing.write("claude-code", tmp_path)
    assert observed(path, input_format="claude-code").insights == observed(path).insights
    assert observed(path, input_format="codex").insights == ()
    with pytest.raises(UsageError, match="no-such"):
        observed(path, input_format="no-such")
    assert set(format_names()) == failing.TOOLS.keys() | failing.TELL_NONE


# Many sessions.


def test_insights_stand_by_kind_and_each_names_its_session(tmp_path: Path) -> None:
    talk = write_talk(tmp_path / "talk.json", "Speed up the queue.", words=REASONING)
    failed = failing.write("openai", tmp_path)
    found = observed(tmp_path)
    assert [one.kind for one in found.insights] == ["repeated_tool_error", "successful_sequence", "long_reasoning"]
    assert [one.evidence[0].session for one in found.insights] == [str(failed), str(talk), str(talk)]
    assert found.insights == observed(failed, talk).insights == observed(talk, failed).insights
    row = found_rows(found, Settings(), None)[1]
    assert (row.text, row.state, row.sessions) == (
        "Sequence [Bash→Edit] succeeded for: Speed up the queue.",
        "new",
        1,
    )


def test_conversations_of_one_file_are_sessions_of_their_own(tmp_path: Path) -> None:
    one, other = (write_talk(tmp_path / name, asked) for name, asked in (("a", "Mend it."), ("b", "Write it.")))
    path = tmp_path / "both.jsonl"
    path.write_text(f"{one.read_text()}\n{other.read_text()}\n")
    found = observed(path)
    assert {session.name for session in found.sessions} == {str(path), f"{path}#1"}
    assert {(e.session, e.source.item) for i in found.insights for e in i.evidence} == {
        (str(path), 0),
        (f"{path}#1", 1),
    }
    (session,) = observed(path, item=1).sessions
    assert session.name == f"{path}#1" and observed(path, item=7).sessions == ()


def test_a_session_that_is_there_twice_is_read_once(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        failing.write("claude-code", tmp_path / folder)
    found = observed(tmp_path)
    assert (len(found.sessions), found.copies, len(found.insights)) == (1, 1, 1)


def test_what_cannot_be_read_is_told_and_costs_only_itself(tmp_path: Path) -> None:
    failing.write("openai", tmp_path)
    (tmp_path / "broken.jsonl").write_text("{broken\n")
    (tmp_path / "none").mkdir()
    found = observed(tmp_path, tmp_path / "none")
    assert len(found.insights) == 1
    assert {path.name for path, why in found.unread if why} == {"broken.jsonl", "none"}
    with pytest.raises(SourceError):
        observed(tmp_path / "broken.jsonl")
    with pytest.raises(UsageError, match="no such file or folder"):
        observed(tmp_path / "gone")


def test_a_file_that_goes_between_the_scan_and_the_reading_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing.write("openai", tmp_path)
    gone = write_talk(tmp_path / "talk.json", "Mend it.")

    def ranked(*args: Any) -> Any:
        gone.unlink(missing_ok=True)
        return rank(*args)

    from memscope.actions.insights import rank

    monkeypatch.setattr("memscope.actions.insights.rank", ranked)
    found = observed(tmp_path)
    assert len(found.sessions) == len(found.insights) == 1
    assert [path for path, _ in found.unread] == [gone]


def test_it_stops_when_it_is_told_to(tmp_path: Path) -> None:
    failing.write("openai", tmp_path)
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        observed(tmp_path, job=job)


def test_credentials_and_escapes_of_a_transcript_are_in_no_insight(tmp_path: Path) -> None:
    secret = "ghp_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3"  # made up
    asked = f"Use {secret}\x1b]0;owned\x07 \u202eand go."
    write_talk(tmp_path / "talk.json", asked, words=f"{asked} {REASONING}")
    found = observed(tmp_path)
    told = json.dumps([row.model_dump() for row in found_rows(found, Settings(), None)], ensure_ascii=False)
    assert len(found.insights) == 2
    assert secret not in told and not {"\x1b", "\x07", "\u202e"} & set(told)


# Rows.


def test_rows_know_what_was_decided_and_repeats_are_one_where_that_is_asked(tmp_path: Path, database: Database) -> None:
    for name in ("a", "b"):
        write_talk(tmp_path / f"{name}.json", "Mend the lexer.", *[f"Then {name}."] * (name == "b"))
    failing.write("openai", tmp_path)
    found = observed(tmp_path, database=database)
    rows = found_rows(found, Settings(), database)
    assert [row.state for row in rows] == ["new"] * 4
    merged = found_rows(found, Settings(), database, merge=True)
    assert len(merged) == 3 and max(row.sessions for row in merged) == 2
    keep(database, found.insights[:1], winner="newer")
    drop(database, found.insights[1:2])
    assert [row.state for row in found_rows(found, Settings(), database)][:2] == ["kept", "dropped"]
    assert [row.state for row in found_rows(found, Settings(), None)] == ["new"] * 4


def test_what_was_dropped_is_not_offered_nor_what_says_the_same(database: Database) -> None:
    failed = [insight(f"'Bash' errored {count} times: no such file", kind="repeated_tool_error") for count in (2, 3)]
    other = insight("the linter wants short lines")
    observed = Observed((*failed, other), (), 0, (), "")
    assert offered(observed, database) == offered(observed, None) == (observed, ())
    drop(database, failed[:1])
    left, dropped = offered(observed, database)
    assert (left.insights, dropped) == ((other,), tuple(failed))


def test_what_is_kept_is_listed_by_kind_the_most_confident_first(database: Database) -> None:
    some = [
        insight("she likes tea in the morning", 0.5, "a", kind="synthesized"),
        insight("the linter wants short lines", 0.6, "a"),
        insight("run every test before a commit", 0.8, "a"),
        insight("'Bash' errored 2 times: no", 0.4, "a", kind="repeated_tool_error"),
    ]
    keep(database, some, winner="newer")
    assert [row.text for row in kept_rows(database)] == [some[place].text for place in (3, 2, 1, 0)]
    assert {row.state for row in kept_rows(database)} == {"kept"}
