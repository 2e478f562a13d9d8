"""What every format has to have, and that no file is claimed by two formats with equal strength."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import memscope.conversation.formats as package
from memscope.base.errors import SourceError
from memscope.base.plugins import member_names
from memscope.conversation.formats import claims, format_named, format_names, recognise
from memscope.conversation.model import Skipped
from memscope.conversation.raw import Raw
from memscope.conversation.records import Format, No, Yes

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
FILES = sorted(p for p in SHARED.rglob("*") if p.is_file())

CHAT = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
BLOCKS = [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]}]
STAMPED = [m | {"timestamp": "2026-05-04T23:21:27.1"} for m in CHAT]
OBSERVED = {"type": "GENERATION", "startTime": "2025-08-22T09:38:56Z", "input": "hi", "output": "hello"}
RETURNED = {"role": "user", "content": "<returncode>0</returncode>", "timestamp": "2026-05-04T23:21:27"}
LETTA = {"agents": [{"name": "a", "messages": CHAT}], "blocks": []}
SAMPLES: list[tuple[str, list[Any]]] = [
    ("openai", [{"messages": CHAT}]),
    ("openai", [CHAT]),
    ("openai", CHAT),
    ("anthropic", [{"system": "S", "messages": CHAT}]),
    ("anthropic", [{"messages": BLOCKS}]),
    ("anthropic", BLOCKS),
    ("hermes", STAMPED),
    ("hermes", [{"role": "session_meta"}, *CHAT]),
    ("hermes", [{"session_id": "s", "system_prompt": "S", "messages": BLOCKS}]),
    ("hermes", [{"id": "s", "source": "cli", "started_at": 1, "system": "S", "messages": CHAT}]),
    ("letta", [LETTA]),
    ("letta", [{"core_memory": [], "system": "S", "messages": CHAT}]),
    ("openhands", [{"instance_id": "a", "history": [{"action": "message"}], "messages": CHAT}]),
    ("openhands", [[{"source": "user", "action": "message", "args": {"content": "hi"}}]]),
    ("openhands", [{"kind": "MessageEvent", "source": "user", "timestamp": "2025", "type": "message"}]),
    ("langfuse", [{"trace": {"messages": CHAT}, "observations": [OBSERVED]}]),
    ("langfuse", [{**OBSERVED, "role": "user", "content": "x"}]),
    ("langfuse", [{"o": {"input": {"success": True, "data": CHAT}, "output": {"success": False}}}]),
    ("gemini", [{"sessionId": "s", "projectHash": "h", "messages": CHAT}]),
    ("gemini", [{"id": "a", "timestamp": "2026", "type": "gemini", "content": "x", "role": "user"}]),
    ("gemini", [[{"role": "user", "parts": [{"text": "hi"}]}]]),
    ("pi", [{"type": "session", "id": "s", "timestamp": "2026", "cwd": "/", "messages": CHAT}]),
    ("pi", [{"type": "message", "role": "user", "content": "x", "message": {"role": "toolResult", "content": "x"}}]),
    ("sharegpt", [{"conversations": [{"from": "human", "value": "hi"}], "messages": CHAT, "system": "S"}]),
    ("sharegpt", [{"from": "human", "value": "hi", "role": "user", "content": "hi"}]),
    ("swe-agent", [{"history": [m | {"agent": "main"} for m in CHAT], "trajectory": [], "messages": CHAT}]),
    ("swe-agent", [{"instance_id": "a", "history": [m | {"agent": "main", "action": "ls"} for m in CHAT]}]),
    ("mini-swe-agent", [{"messages": CHAT, "trajectory_format": "mini-swe-agent-1", "system": "S"}]),
    ("mini-swe-agent", [[*CHAT[:1], {"role": "assistant", "content": "```bash\nls\n```"}, RETURNED]]),
]


def path_of(tmp_path: Path, values: list[Any]) -> Path:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(v) for v in values), encoding="utf-8")
    return path


def strengths(raw: Raw) -> list[float]:
    return sorted((c.strength for c in claims(raw).values() if isinstance(c, Yes)), reverse=True)


def assert_no_tie(raw: Raw) -> None:
    found = strengths(raw)
    assert len(found) < 2 or found[0] > found[1], claims(raw)


@pytest.mark.parametrize("name", format_names())
def test_every_format_is_announced(name: str) -> None:
    form = format_named(name)
    assert isinstance(form, Format)
    assert form.name == name
    assert form.title
    assert all(callable(f) for f in (form.sniff, form.conversations))
    assert form.home is None or form.home.folder.startswith("~/")


def test_formats_are_found_by_listing() -> None:
    assert {"openai", "anthropic", "hermes", "letta"} <= set(format_names())
    assert len(format_names()) == len(member_names(package))


@pytest.mark.parametrize("name", format_names())
@pytest.mark.parametrize(
    "text",
    [
        *("nothing", "{}", "[]", "[[]]", "[{}]", "null", "5", '"x"', '{"messages": null}', '{"messages": [5]}'),
        *('{"role": 5}', '{"role": "user", "content": 5, "timestamp": 1}', '{"type": "user"}', '{"conversations": 1}'),
        '{"agents": 1, "blocks": 2}',
        '{"agents": [{"messages": 1, "in_context_message_ids": [{}]}], "blocks": [1], "tools": 3}',
        '{"core_memory": [1, {"label": 2, "value": 3}], "messages": [4, {"role": "tool", "tool_returns": [5]}]}',
        '{"messages": {}, "session_id": 1, "system_prompt": 2}',
        '{"messages": [1, {"role": 2}], "session_id": 1, "system_prompt": 2, "tools": 5}',
        '{"messages": [1, {"role": "user"}], "system": 5, "tools": 5}',
        '{"type": 1, "message": 2, "payload": 3}',
    ],
)
def test_nothing_trips_a_format(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "a.jsonl").write_text(text)
    raw = Raw(tmp_path / "a.jsonl")
    form = format_named(name)
    if form.is_database:
        assert claims(raw)[name] == No("it is no SQLite database")
        return
    claim = form.sniff(raw)
    assert 0 < claim.strength <= 1 if isinstance(claim, Yes) else claim.reason
    for found in form.conversations(raw):
        assert isinstance(found, Skipped) or list(found.records) is not None


@pytest.mark.parametrize(("name", "values"), SAMPLES)
def test_the_strongest_claim_wins(tmp_path: Path, name: str, values: list[Any]) -> None:
    raw = Raw(path_of(tmp_path, values))
    assert_no_tie(raw)
    assert recognise(raw).name == name


def test_no_format_claims_what_is_none(tmp_path: Path) -> None:
    raw = Raw(path_of(tmp_path, [{"question_id": 1}]))
    assert all(isinstance(c, No) for c in claims(raw).values())
    with pytest.raises(SourceError, match="no transcript that memscope reads"):
        recognise(raw)


@pytest.mark.skipif(not FILES, reason="the shared sample files are not here")
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_real_files_are_claimed_by_one(path: Path) -> None:
    raw = Raw(path)
    assert_no_tie(raw)
    mine = {
        "hermes": ("hermes",),
        "letta-af": ("letta",),
        "openhands": ("openhands",),
        "gemini": ("gemini",),
        "swe-agent": ("swe-agent",),
    }
    claimed = {name for name, claim in claims(raw).items() if isinstance(claim, Yes)}
    for folder, names in mine.items():
        for name in names:
            assert (name in claimed) == (path.parent.name == folder), claimed
    assert "anthropic" not in claimed


@pytest.mark.skipif(not FILES, reason="the shared sample files are not here")
@pytest.mark.parametrize("folder", ["longmemeval", "memory-qa", "memories"])
def test_real_files_that_are_no_transcripts(folder: str) -> None:
    files = [p for p in FILES if p.parent.name == folder]
    assert files
    for path in files:
        with pytest.raises(SourceError):
            recognise(Raw(path))
