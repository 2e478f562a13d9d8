"""A session read without loading it: what it holds, where it failed, and that reading can be followed and stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from memscope.actions.open import Opening, open_conversation
from memscope.actions.reading import Read, read_session
from memscope.base.errors import Cancelled, SourceError
from memscope.base.job import Job, Progress
from memscope.base.settings import Settings

MEMORY = '<memory key="port">\nThe server listens on port 7741.\n</memory>\nWhere do the tests fail?'


def said(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"type": role, "message": {"role": role, "content": content, "id": more.pop("id", "")}, **more}


def call(name: str) -> dict[str, Any]:
    return said("assistant", [{"type": "tool_use", "id": name, "name": "Bash", "input": {"command": f"run {name}"}}])


def result(name: str, text: str, *, failed: bool = False) -> dict[str, Any]:
    return said("user", [{"type": "tool_result", "tool_use_id": name, "content": text, "is_error": failed}])


RECORDS: list[dict[str, Any]] = [
    said("user", MEMORY),  # 0
    call("one"),  # 1
    result("one", "Exit code 2\nno such test", failed=True),  # 2
    said("assistant", [{"type": "text", "text": "There is no such test."}]),  # 3
    {"type": "system", "subtype": "compact_boundary", "content": "compacted"},
    said("user", "The tests were looked for.", isCompactSummary=True),  # 0
    said("user", "Try again."),  # 1
    said("assistant", [{"type": "text", "text": "Trying."}], id="m", uuid="r1"),  # 2, in two pieces
    {"type": "system", "subtype": "api_error", "error": {"message": "overloaded"}},
    said("assistant", [{"type": "text", "text": "Still trying."}], id="m"),
    said("user", [{"type": "text", "text": "[Request interrupted by user]"}]),  # 3
    call("two"),  # 4
    result("two", "3 passed"),  # 5
]


def session(path: Path, *copies: str) -> Path:
    """A session of Claude Code with two context windows: a tool fails in the first, and in the second a request and
    a turn."""
    before, lines = None, []
    for number, record in enumerate(RECORDS):
        times = {"timestamp": f"2026-01-02T03:04:{number:02}Z", "sessionId": "s", "cwd": "/srv/app"}
        lines.append(json.dumps({"uuid": f"u{number}", "parentUuid": before, **times, **record}))
        before = f"u{number}"
    path.write_text("\n".join([*lines, *copies]) + "\n", encoding="utf-8")
    return path


def read(path: Path, *, job: Job | None = None, known: Read | None = None, **where: Any) -> Read:
    return read_session(Opening(path, **where), Settings(store=False), None, job or Job(), known)


def test_it_is_the_conversation_as_it_is_opened(tmp_path: Path) -> None:
    path = session(tmp_path / "s.jsonl")
    for window in (0, 1):
        opening = Opening(path, window=window)
        assert read(path, window=window).conversation == open_conversation(opening, Settings(store=False))


def test_failures_are_told_with_their_messages(tmp_path: Path) -> None:
    path = session(tmp_path / "s.jsonl")
    first, last = read(path, window=0), read(path)
    (failed,) = first.troubles
    assert (failed.message, failed.part) == (2, 0)
    assert failed.words == "a tool failed, exit 2: Exit code 2 no such test"
    assert [(one.message, one.part) for one in last.troubles] == [(2, -1), (3, -1)]
    assert "overloaded" in last.troubles[0].words
    assert last.troubles[1].words == "broken off: [Request interrupted by user]"
    texts = [message.text for message in last.conversation.messages]
    assert texts[2].split() == ["Trying.", "Still", "trying."]


def test_what_is_known_is_read_again_only_where_the_file_is_another(tmp_path: Path) -> None:
    path = session(tmp_path / "s.jsonl")
    known = read(path)
    assert read(path, known=known) is known
    assert read(path, known=known, window=0) is not known
    session(path, json.dumps({"uuid": "x", "parentUuid": "u12", **said("user", "And now?")}))
    assert read(path, known=known).conversation.messages[-1].text == "And now?"


def test_of_a_database_it_is_never_taken_as_known(tmp_path: Path) -> None:
    path = session(tmp_path / "s.db")
    known = read(path)
    assert read(path, known=known) is not known


def test_reading_is_followed_and_stopped(tmp_path: Path) -> None:
    path = session(tmp_path / "s.jsonl")
    told: list[Progress] = []
    read(path, job=Job(told.append))
    assert [(one.unit, one.doing) for one in told] == [("messages", "reading s.jsonl")]
    stopped = Job()
    stopped.cancel()
    with pytest.raises(Cancelled):
        read(path, job=stopped)


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        read(tmp_path / "gone.jsonl")
