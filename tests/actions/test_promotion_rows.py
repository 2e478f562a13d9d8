"""From transcripts, folders and files of rows to rows: every session once, and every input told."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memscope.actions.promotion_rows import Gathered, LeftOut, gather
from memscope.base.errors import Cancelled, SourceError, UsageError
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.conversation.load import load
from memscope.promotion.model import Row
from memscope.store.database import Database

FIX, LOG = "Fix the failing tests", "Write the changelog entry"
ALL = ("request", "plan")
LOOK = {"type": "text", "text": "Look."}  # a plan of one tool without a word is left out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "t"
    path.mkdir()
    return path


def write(path: Path, *records: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in records))
    return path


def uuid(session: str, number: int) -> str:
    return f"{session:>08}-0000-4000-8000-{number:012}"


def claude(path: Path, session: str, *turns: str, side: str = "", start: int = 0, day: int = 1) -> Path:
    """A session of Claude Code: "> words" are a person's, all else are tools called. `side`: a sub-agent's."""
    records = []
    for number, turn in enumerate(turns, start):
        is_asked = turn.startswith("> ")
        call = {"type": "tool_use", "id": f"c{number}", "name": turn, "input": {"path": "secret"}}
        message = {"role": "user", "content": turn[2:]} if is_asked else {"role": "assistant", "content": [LOOK, call]}
        record = {
            "type": "user" if is_asked else "assistant",
            "uuid": uuid(side or session, number),
            "parentUuid": uuid(side or session, number - 1) if number > start else None,
            "sessionId": session,
            "isSidechain": bool(side),
            "timestamp": f"2026-05-{day:02}T10:00:{number:02}Z",
            "message": message,
        }
        records.append({**record, "agentId": side} if side else record)
    return write(path, *records)


def gathered(*inputs: Path, database: Database | None = None, **more: Any) -> Gathered:
    return gather(inputs, Settings(), database, more.pop("job", None) or Job(), **more)


def told(found: Gathered, folder: Path) -> list[tuple[str, str]]:
    """Of every row its session and its text."""
    return [(os.path.relpath(str(row.session_id), folder), row.text) for row in found.rows]


def row(message: Any, session: Any = "s", text: str = FIX, **more: Any) -> dict[str, Any]:
    return {"message_id": message, "session_id": session, "text": text, **more}


def test_a_transcript_gives_its_requests_and_plans(folder: Path) -> None:
    path = claude(folder / "a.jsonl", "a", f"> {FIX}", "Read", "> yes", "Edit", "> /init", f"> {LOG}")
    found = gathered(path)
    assert [(one.message_id, one.session_id, one.kind, one.text, one.tools) for one in found.rows] == [
        ("0:0", str(path), "request", FIX, ("Read",)),
        ("0:1", str(path), "plan", "Look.\nRead(path)", ("Read",)),
        ("0:3", str(path), "plan", "Look.\nEdit(path)", ("Edit",)),
        ("0:5", str(path), "request", LOG, ()),
    ]
    assert (found.vectors, found.sessions, found.left_out) == (None, 1, LeftOut(synthetic=1, short=1))
    for one in found.rows:
        assert one.ref is not None
        source = one.ref.source
        assert load(source.path, item=source.item, window=source.window).messages[one.ref.message].time == one.time
    assert [one.text for one in gathered(path, kinds=["request"]).rows] == [FIX, LOG]
    assert [one.text for one in gathered(path, kinds=["plan"]).rows] == ["Look.\nRead(path)", "Look.\nEdit(path)"]


def test_sessions_come_oldest_first_whatever_they_are_called(folder: Path, database: Database) -> None:
    claude(folder / "b.jsonl", "b", f"> {FIX}", day=1)
    claude(folder / "a.jsonl", "a", f"> {LOG}", day=2)
    for _ in range(2):
        found = gathered(folder, database=database)
        assert told(found, folder) == [("b.jsonl", FIX), ("a.jsonl", LOG)]
        assert (found.sessions, found.trouble) == (2, "")


def test_copies_and_what_a_session_was_resumed_from_count_once(folder: Path) -> None:
    path = claude(folder / "a.jsonl", "a", f"> {FIX}", "Read")
    shutil.copy(path, folder / "copy.jsonl")
    longer = claude(folder / "z.jsonl", "a", f"> {FIX}", "Read", f"> {LOG}")
    found = gathered(folder)
    assert told(found, folder) == [("z.jsonl", FIX), ("z.jsonl", "Look.\nRead(path)"), ("z.jsonl", LOG)]
    assert (found.sessions, found.left_out) == (1, LeftOut(copies=2))
    assert told(gathered(path, longer, path), folder) == told(found, folder)  # named one by one, too
    assert len(gathered(path).rows) == 2


PLAN = "Look.\nRead(path)"


def test_of_a_session_that_was_forked_every_branch_is_read_and_its_beginning_once(folder: Path) -> None:
    for name, text in (("1", LOG), ("2", "Profile the slow query"), ("3", "Upgrade the plugin chain")):
        path = claude(folder / f"{name}.jsonl", "a", f"> {FIX}", "Read", f"> {text}", "Edit")
        path.write_text(path.read_text().replace(f'"{uuid("a", 2)}"', f'"{uuid(name, 2)}"').replace("c3", f"c3{name}"))
    found = gathered(folder)
    assert told(found, folder) == [
        *(("1.jsonl", FIX), ("1.jsonl", PLAN), ("1.jsonl", LOG), ("1.jsonl", "Look.\nEdit(path)")),
        *(("1.jsonl", "Profile the slow query"), ("1.jsonl", "Upgrade the plugin chain")),
    ]
    assert [Path(one.ref.source.path).name for one in found.rows if one.ref][-2:] == ["2.jsonl", "3.jsonl"]
    assert len({one.message_id for one in found.rows}) == 6
    assert (found.sessions, found.left_out) == (1, LeftOut())


def test_what_a_copy_tells_in_other_words_of_its_own_is_no_second_message(folder: Path) -> None:
    """A format of the same agent may lose ids and times."""
    path = claude(folder / "a.jsonl", "a", f"> {FIX}", "Read", f"> {LOG}")
    records = [json.loads(line) for line in path.read_text().splitlines()[:2]]
    for number, record in enumerate(records):
        record |= {"uuid": f"{number}", "parentUuid": None, "timestamp": "2026-05-02T10:00:00Z"}
    write(folder / "b.jsonl", *records)
    assert [text for _, text in told(gathered(folder), folder)] == [FIX, PLAN, LOG]


TRACE_CALL = {"id": "call_1oGK863sxQHlPreFhDdEs3yl", "type": "function"}


def test_one_session_under_other_names_counts_once(folder: Path) -> None:
    """As two exports of one trace have it: nothing but the id of a tool call says so."""
    call = {**TRACE_CALL, "function": {"name": "ls", "arguments": '{"path": "secret"}'}}
    answer = {"role": "assistant", "content": "Look.", "tool_calls": [call]}
    for name, first in (("a", []), ("b", [{"role": "system", "content": "Be helpful."}])):
        write(folder / f"{name}.json", {"messages": [*first, {"role": "user", "content": FIX}, answer]})
    found = gathered(folder)
    assert len(found.rows) == 2
    assert (found.sessions, found.left_out) == (1, LeftOut(copies=1))
    answer = {**answer, "tool_calls": [{**call, "id": "call_2oGK863sxQHlPreFhDdEs3yl"}]}
    write(folder / "b.json", {"messages": [{"role": "user", "content": FIX}, answer]})
    assert (gathered(folder).sessions, len(gathered(folder).rows)) == (2, 4)


def test_a_session_that_tells_more_than_another_has_its_own_rest(folder: Path) -> None:
    call = {**TRACE_CALL, "function": {"name": "ls", "arguments": "{}"}}
    asked = [{"role": "user", "content": FIX}, {"role": "assistant", "content": "Look.", "tool_calls": [call]}]
    write(folder / "a.json", {"messages": asked})
    write(folder / "b.json", {"messages": [*asked, {"role": "user", "content": LOG}]})
    found = gathered(folder)
    assert [text for _, text in told(found, folder)] == [FIX, "Look.\nls()", LOG]
    assert (found.sessions, found.left_out) == (2, LeftOut(repeated=2))


def test_what_a_sub_agent_does_is_its_sessions_and_it_is_read_once(folder: Path) -> None:
    path = claude(folder / "a.jsonl", "a", f"> {FIX}", "Task")
    agents = folder / "a" / "subagents"
    claude(agents / "agent-1.jsonl", "a", "> Look all the files up", "Grep", side="1")
    claude(agents / "agent-2.jsonl", "a", "> Look all the tests up", "Glob", side="2")
    shutil.copytree(folder / "a", folder / "copy")
    found = gathered(folder)
    assert [text for _, text in told(found, folder)] == [
        FIX,
        "Look.\nTask(path)",
        "Look.\nGrep(path)",
        "Look.\nGlob(path)",
    ]
    assert {one.session_id for one in found.rows} == {str(path)}
    assert len({one.message_id for one in found.rows}) == 4
    assert (found.sessions, found.left_out.synthetic) == (1, 2)
    assert found.left_out.copies >= 2


def test_sub_agents_of_a_session_that_is_not_there_are_one_session(folder: Path) -> None:
    claude(folder / "agent-1.jsonl", "gone", "> Look all the files up", "Grep", side="1")
    claude(folder / "agent-2.jsonl", "gone", "> Look all the tests up", "Glob", side="2")
    found = gathered(folder)
    assert [text for _, text in told(found, folder)] == ["Look.\nGrep(path)", "Look.\nGlob(path)"]
    assert (found.sessions, {one.session_id for one in found.rows}) == (1, {str(folder / "agent-1.jsonl")})
    assert len({one.message_id for one in found.rows}) == 2


def test_conversations_of_one_file_are_sessions_of_their_own(folder: Path) -> None:
    talks = [{"messages": [{"role": "user", "content": text}]} for text in (FIX, LOG, "yes")]
    found = gathered(write(folder / "a.jsonl", *talks))
    assert told(found, folder) == [("a.jsonl", FIX), ("a.jsonl#1", LOG)]
    assert (found.sessions, found.left_out.short) == (3, 1)
    assert [one.ref.source.item for one in found.rows if one.ref] == [0, 1]


HERMES = {"timestamp": "2026-05-01T10:00:00.5"}
CODEX_NOTE = "<environment_context>\n<cwd>/srv/app</cwd>\n</environment_context>"
CODEX = [
    {"timestamp": "2026-01-01T00:00:00.000Z", "type": kind, "payload": payload}
    for kind, payload in [
        ("session_meta", {"id": "s", "cwd": "/srv/app"}),
        *(
            ("response_item", {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})
            for text in (CODEX_NOTE, FIX)
        ),
        (
            "response_item",
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Look."}]},
        ),
        ("response_item", {"type": "function_call", "name": "ls", "arguments": '{"path": "secret"}', "call_id": "c"}),
    ]
]
PI = [
    {"type": "session", "version": 3, "id": "s1", "timestamp": "2026-02-24T10:00:00Z", "cwd": "/srv/app"},
    *(
        {"type": "message", "id": name, "parentId": parent, "timestamp": "2026-02-24T10:00:03Z", "message": message}
        for name, parent, message in [
            ("a", None, {"role": "custom", "customType": "x", "content": "Injected by an extension today"}),
            ("b", "a", {"role": "user", "content": FIX}),
            (
                *("c", "b"),
                {
                    "role": "assistant",
                    "content": [LOOK, {"type": "toolCall", "id": "c", "name": "ls", "arguments": {"path": "secret"}}],
                },
            ),
        ]
    ),
]
GEMINI = [
    {"sessionId": "s1", "projectHash": "0b7d", "startTime": "2026-04-29T21:39:22.319Z", "kind": "main"},
    {
        "id": "u0",
        "timestamp": "2026-04-29T21:39:30Z",
        "type": "user",
        "content": "<hook_context>Injected by a hook today</hook_context>",
    },
    {"id": "u1", "timestamp": "2026-04-29T21:39:33Z", "type": "user", "content": FIX},
    {
        "id": "g1",
        "timestamp": "2026-04-29T21:39:34Z",
        "type": "gemini",
        "content": "Look.",
        "model": "gemini-3",
        "toolCalls": [{"id": "c", "name": "ls", "args": {"path": "secret"}, "status": "success", "result": []}],
    },
]
OPENHANDS = [
    {
        "instance_id": "a__b-1",
        "instruction": FIX,
        "history": [
            {"content": FIX, "action": "message", "images_urls": None},
            {"path": "secret", "thought": "Look.", "action": "ls"},
            {"content": "a.txt and many other files", "observation": "ls"},
        ],
    }
]
CALL = {"function": {"name": "ls", "arguments": '{"path":"secret"}'}, "id": "c1", "type": "function"}
SWE = [
    {
        "history": [
            {"role": "system", "content": "You solve.", "agent": "main", "message_type": "system_prompt"},
            {"role": "user", "content": FIX, "agent": "main", "message_type": "observation"},
            {
                "role": "assistant",
                "content": "Look.",
                "agent": "main",
                "message_type": "action",
                "thought": "Look.",
                "action": "ls",
                "tool_calls": [CALL],
            },
            {"role": "user", "content": "a.txt and more words", "agent": "main", "message_type": "observation"},
        ]
    }
]
HERMES_LINES = [
    {"role": "user", "content": FIX, **HERMES},
    {"role": "assistant", "content": "Look.", "tool_calls": [CALL], **HERMES},
    {"role": "tool", "content": '{"output": "many words of it"}', "tool_call_id": "c1", **HERMES},
]
OPENAI = [
    {"messages": [{"role": "user", "content": FIX}, {"role": "assistant", "content": "Look.", "tool_calls": [CALL]}]}
]


@pytest.mark.parametrize(
    ("form", "records", "synthetic"),
    [
        *(("codex", CODEX, 1), ("pi", PI, 1), ("gemini", GEMINI, 1), ("openhands", OPENHANDS, 0)),
        *(("swe-agent", SWE, 1), ("hermes", HERMES_LINES, 0), ("openai", OPENAI, 0)),
    ],
)
def test_of_every_format_what_a_person_asked_and_what_was_done(
    folder: Path, form: str, records: Sequence[Any], synthetic: int
) -> None:
    found = gathered(write(folder / "session_20260501_100000_ab12cd34.jsonl", *records))
    assert [(one.kind, one.text, one.tools) for one in found.rows] == [
        *(("request", FIX, ("ls",)), ("plan", "Look.\nls(path)", ("ls",)))
    ]
    assert {one.ref.source.format for one in found.rows if one.ref} == {form}
    assert found.left_out == LeftOut(synthetic=synthetic)


def test_rows_of_a_file_are_as_they_are_with_their_vectors(folder: Path) -> None:
    path = write(folder / "r.jsonl", row(1, embedding=[1, 0]), row(2, "t", "yes", embedding=[0, 1]))
    found = gathered(path, path)
    assert found.rows == [Row(1, "s", FIX), Row(2, "t", "yes")]
    assert isinstance(found.vectors, np.ndarray)
    assert found.vectors.tolist() == [[1, 0], [0, 1]]
    assert (found.sessions, found.left_out, list(found.unread)) == (2, LeftOut(), [])


def test_inputs_of_all_kinds_go_together(folder: Path) -> None:
    claude(folder / "t" / "a.jsonl", "a", f"> {FIX}", "Read")
    (folder / "t" / "broken.json").write_text("{}")
    (folder / "empty").mkdir()
    rows = write(folder / "r.jsonl", row(1, text=LOG, embedding=[1, 0]), "{broken", row(2, text=LOG))
    found = gathered(folder / "t", rows, folder / "empty")
    assert [one.text for one in found.rows] == [FIX, "Look.\nRead(path)", LOG, LOG]
    assert found.vectors is not None
    assert [one is None for one in found.vectors] == [True, True, False, True]
    assert (found.sessions, found.left_out.bad, [bad.line for bad in found.bad]) == (2, 1, [2])
    unread = {path.name: reason for path, reason in found.unread}
    assert unread.pop("broken.json")
    assert unread == {"empty": "no transcript is below this folder"}


def test_a_file_of_rows_in_a_folder_says_that_it_has_to_be_named(folder: Path) -> None:
    path = write(folder / "r.jsonl", row(1))
    assert list(gathered(folder).unread) == [(path, "it holds rows, which are read where the file itself is named")]


def test_a_named_file_that_is_neither_is_an_error(folder: Path) -> None:
    claude(folder / "a.jsonl", "a", f"> {FIX}")
    other = write(folder / "other.json", {"a": 1})
    for inputs in ([other], [folder, other], [folder / ".." / "t" / "other.json"]):
        with pytest.raises(SourceError, match="no transcript") as raised:
            gathered(*inputs)
        assert "message_id" in raised.value.do
    assert [path for path, _ in gathered(folder).unread] == [other]
    (folder / "empty.jsonl").touch()
    for name in ("empty.jsonl", "gone.jsonl", "a\0b", "~nobody-is-called-so/a"):
        with pytest.raises((SourceError, UsageError)):
            gathered(folder / name if name[0] != "~" else Path(name))


def test_a_format_that_is_named_is_that_of_every_file(folder: Path) -> None:
    path = write(folder / "r.jsonl", row(1))
    assert len(gathered(path).rows) == 1
    assert not gathered(path, input_format="codex").rows
    with pytest.raises(UsageError):
        gathered(path, input_format="no such format")


def test_without_inputs_the_folders_of_the_settings_are_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "HERMES_HOME", "PI_CODING_AGENT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("OPENCLAW_STATE_DIR", raising=False)
    monkeypatch.setenv("HOME", str(folder / "home"))
    claude(folder / "mine" / "a.jsonl", "a", f"> {FIX}")
    settings = Settings(session_folders=(str(folder / "mine"),))
    assert [one.text for one in gather([], settings, None, Job()).rows] == [FIX]
    nothing = gather([], Settings(), None, Job())
    assert (list(nothing.rows), nothing.vectors, nothing.sessions) == ([], None, 0)


def test_a_hostile_transcript_costs_nobody_else_anything(folder: Path) -> None:
    claude(folder / "a.jsonl", "a", f"> {FIX}")
    (folder / "deep.json").write_text("[" * 100_000)
    (folder / "binary.json").write_bytes(bytes(range(256)))
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.jsonl")
    hostile = claude(folder / "x.jsonl", "x", f"> {LOG} \x1b]0;owned\x07", "a\nb" * 99)
    shutil.move(hostile, os.fsdecode(os.fsencode(folder) + b"/\xff.jsonl"))
    found = gathered(folder)
    assert [one.text.split(" \x1b")[0] for one in found.rows if one.kind == "request"] == [FIX, LOG]
    assert len(found.unread) == 4
    assert all(one.text.count("\n") == (one.kind == "plan") for one in found.rows)


def test_a_file_that_vanishes_between_the_scan_and_the_reading_is_told(folder: Path) -> None:
    claude(folder / "a.jsonl", "a", f"> {FIX}")
    gone = claude(folder / "b.jsonl", "b", f"> {LOG}")
    job = Job(lambda progress: gone.unlink(missing_ok=True) if progress.doing.startswith("reading sessions") else None)
    found = gathered(folder, job=job)
    assert (told(found, folder), found.unread) == ([("a.jsonl", FIX)], [(gone, "there is no such file")])


@pytest.mark.parametrize("doing", ["looking", "reading sessions", "reading requests", "reading r.jsonl"])
def test_it_stops_when_it_is_told_to(folder: Path, doing: str) -> None:
    for name in "abc":
        claude(folder / "t" / f"{name}.jsonl", name, f"> {FIX}")
    rows = write(folder / "r.jsonl", *map(row, range(600)))
    job = Job(lambda progress: job.cancel() if progress.doing.startswith(doing) else None)
    with pytest.raises(Cancelled):
        gathered(folder / "t", rows, job=job)
