"""A session in every format: "Fix it.", two calls of a tool that fail with "no such file", and a plain answer."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

ASKED, FAILED, DONE = "Fix the failing tests.", "no such file", "It cannot be fixed."
TOOLS = {  # the one that fails twice, by its format
    **dict.fromkeys(("anthropic", "claude-code", "codex", "gemini", "hermes", "hermes-database"), "shell"),
    **dict.fromkeys(("langfuse", "letta", "mini-swe-agent", "openai", "pi", "sharegpt"), "shell"),
    "openhands": "run",
}
TELL_NONE = {"swe-agent"}  # formats whose results are never marked


def write(name: str, folder: Path) -> Path:
    """The session in the format of that name."""
    if name == "hermes-database":
        return _database(folder / "state.db")
    path = folder / "session.jsonl"
    path.write_text("".join(json.dumps(value) + "\n" for value in _VALUES[name]()), encoding="utf-8")
    return path


def _openai_call(call: str) -> dict[str, Any]:
    return {"id": call, "call_id": call, "type": "function", "function": {"name": "shell", "arguments": "{}"}}


def _chat(**failed: Any) -> list[dict[str, Any]]:
    """Messages as OpenAI has them."""
    told: list[dict[str, Any]] = [{"role": "user", "content": ASKED}]
    for call in ("c1", "c2"):
        told.append({"role": "assistant", "content": "", "tool_calls": [_openai_call(call)]})
        told.append({"role": "tool", "content": FAILED, "tool_call_id": call, **failed})
    return [*told, {"role": "assistant", "content": DONE}]


def _blocks() -> list[dict[str, Any]]:
    """Messages as Anthropic has them."""
    told: list[dict[str, Any]] = [{"role": "user", "content": ASKED}]
    for call in ("c1", "c2"):
        use = {"type": "tool_use", "id": call, "name": "shell", "input": {}}
        seen = {"type": "tool_result", "tool_use_id": call, "content": FAILED, "is_error": True}
        told += [{"role": "assistant", "content": [use]}, {"role": "user", "content": [seen]}]
    return [*told, {"role": "assistant", "content": [{"type": "text", "text": DONE}]}]


def _claude_code() -> Iterator[Any]:
    for number, message in enumerate(_blocks()):
        parent = f"u{number - 1}" if number else None
        message["id"] = f"m{number}"
        yield {
            "type": message["role"],
            "uuid": f"u{number}",
            "parentUuid": parent,
            "sessionId": "s",
            "isSidechain": False,
            "message": message,
        }


def _codex() -> Iterator[Any]:
    def item(kind: str, **more: Any) -> dict[str, Any]:
        payload = {"type": kind, **more}
        return {"timestamp": "2026-01-01T00:00:00.000Z", "type": "response_item", "payload": payload}

    def said(role: str, kind: str, text: str) -> dict[str, Any]:
        return item("message", role=role, content=[{"type": kind, "text": text}])

    yield {"timestamp": "2026-01-01T00:00:00.000Z", "type": "session_meta", "payload": {"id": "s", "cwd": "/srv"}}
    yield said("user", "input_text", ASKED)
    header = "Chunk ID: d6a146\nWall time: 0.0 seconds\nProcess exited with code 2\nOriginal token count: 4\nOutput:\n"
    for call in ("c1", "c2"):
        yield item("function_call", name="shell", arguments="{}", call_id=call)
        yield item("function_call_output", call_id=call, output=header + FAILED)
    yield said("assistant", "output_text", DONE)


def _gemini() -> Iterator[Any]:
    def entry(name: str, kind: str, **more: Any) -> dict[str, Any]:
        return {"id": name, "timestamp": "2026-04-29T21:39:33Z", "type": kind, **more}

    yield {"sessionId": "s", "projectHash": "0b7d", "startTime": "2026-04-29T21:39:22Z", "kind": "main"}
    yield entry("u1", "user", content=[{"text": ASKED}])
    for call in ("c1", "c2"):
        answer = {"functionResponse": {"id": call, "name": "shell", "response": {"error": FAILED}}}
        made = {"id": call, "name": "shell", "args": {}, "status": "error", "result": [answer]}
        yield entry(f"g{call}", "gemini", content="", toolCalls=[made])
    yield entry("g3", "gemini", content=DONE)


def _hermes() -> Iterator[Any]:
    yield {"role": "session_meta", "tools": [], "model": "m", "timestamp": "2026-05-04T23:21:27"}
    failed = json.dumps({"output": FAILED, "exit_code": 2, "error": None})
    for second, message in enumerate(_chat()):
        content = failed if message["role"] == "tool" else message["content"]
        yield {**message, "content": content, "timestamp": f"2026-05-04T23:21:{28 + second}"}


def _langfuse() -> Iterator[Any]:
    chat = _chat(is_error=True)
    generation = {
        "id": "g",
        "type": "GENERATION",
        "name": "g",
        "startTime": "2025-08-22T09:38:01.000Z",
        "traceId": "t",
        "input": json.dumps(chat[:-1]),
        "output": json.dumps(chat[-1]),
        "parentObservationId": "root",
    }
    yield {"trace": {"id": "t", "name": "app"}, "observations": [generation]}


def _letta() -> Iterator[Any]:
    told: list[dict[str, Any]] = []
    for message in _chat():
        told.append({**message, "content": [{"type": "text", "text": message["content"]}]})
        if message["role"] == "tool":
            told[-1]["content"][0]["text"] = json.dumps({"status": "Failed", "message": FAILED})
        elif message["role"] == "user":
            told[-1]["content"][0]["text"] = json.dumps({"type": "user_message", "message": ASKED, "time": "now"})
    yield {"agents": [{"name": "sam", "messages": told, "block_ids": [], "tool_ids": []}], "blocks": [], "tools": []}


def _mini_swe_agent() -> Iterator[Any]:
    chat = _chat(extra={"returncode": 2, "raw_output": FAILED, "timestamp": 1.7e9})
    info = {"exit_status": "Submitted", "mini_version": "2.0.0", "config": {}}
    yield {"info": info, "messages": chat, "trajectory_format": "mini-swe-agent-1.1"}


def _openhands() -> Iterator[Any]:
    told: list[dict[str, Any]] = [{"content": ASKED, "action": "message"}]
    for _ in range(2):
        told.append({"command": "ls", "thought": "", "action": "run"})
        told.append({"content": FAILED, "command": "ls", "exit_code": 2, "observation": "run"})
    told.append({"outputs": {}, "thought": DONE, "action": "finish"})
    yield {"instance_id": "a__b-1", "instruction": ASKED, "history": told}


def _pi() -> Iterator[Any]:
    def entry(number: int, **message: Any) -> dict[str, Any]:
        about = {"id": f"e{number}", "parentId": f"e{number - 1}" if number else None, "type": "message"}
        return {**about, "timestamp": "2026-02-24T10:00:03Z", "message": message}

    yield {"type": "session", "version": 3, "id": "s", "timestamp": "2026-02-24T10:00:00Z", "cwd": "/srv"}
    yield entry(0, role="user", content=ASKED)
    failed = {"role": "toolResult", "toolName": "shell", "isError": True, "content": [{"type": "text", "text": FAILED}]}
    for number, call in ((1, "c1"), (3, "c2")):
        made = {"type": "toolCall", "id": call, "name": "shell", "arguments": {}}
        yield entry(number, role="assistant", content=[made], model="m")
        yield entry(number + 1, toolCallId=call, **failed)
    yield entry(5, role="assistant", content=[{"type": "text", "text": DONE}], model="m")


def _sharegpt() -> Iterator[Any]:
    call = f"<tool_call>\n{json.dumps({'name': 'shell', 'arguments': {}})}\n</tool_call>"
    content = {"output": FAILED, "exit_code": 2, "error": None}
    answer = json.dumps({"tool_call_id": "x", "name": "shell", "content": content})
    turns = [("human", ASKED), *[("gpt", call), ("tool", f"<tool_response>\n{answer}\n</tool_response>")] * 2]
    yield {"conversations": [{"from": whose, "value": value} for whose, value in [*turns, ("gpt", DONE)]]}


def _swe_agent() -> Iterator[Any]:
    rows = []
    for message in _chat():
        kind = "action" if message["role"] == "assistant" else "observation"
        rows.append({**message, "agent": "main", "message_type": kind})
        if message["role"] == "tool":
            rows[-1]["tool_call_ids"] = [rows[-1].pop("tool_call_id")]
    yield {"history": rows, "trajectory": [], "info": {}}


def _database(path: Path) -> Path:
    columns = "id INTEGER PRIMARY KEY, session_id TEXT, role TEXT, content TEXT, tool_call_id TEXT, tool_calls TEXT"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(
            "CREATE TABLE sessions (id TEXT PRIMARY KEY, source TEXT NOT NULL, model TEXT, system_prompt TEXT,"
            " parent_session_id TEXT, started_at REAL NOT NULL)"
        )
        database.execute(f"CREATE TABLE messages ({columns}, tool_name TEXT, timestamp REAL)")
        database.execute("INSERT INTO sessions VALUES ('s', 'cli', 'm', NULL, NULL, 1.7e9)")
        failed = json.dumps({"output": FAILED, "exit_code": 2})
        for second, message in enumerate(_chat()):
            content = failed if message["role"] == "tool" else message["content"]
            calls = json.dumps(message["tool_calls"]) if "tool_calls" in message else None
            row = (second, "s", message["role"], content, message.get("tool_call_id"), calls, None, 1.7e9 + second)
            database.execute("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    return path


_VALUES: dict[str, Any] = {
    "anthropic": lambda: [{"system": "S", "messages": _blocks()}],
    "claude-code": _claude_code,
    "codex": _codex,
    "gemini": _gemini,
    "hermes": _hermes,
    "langfuse": _langfuse,
    "letta": _letta,
    "mini-swe-agent": _mini_swe_agent,
    "openai": lambda: [{"messages": _chat(is_error=True)}],
    "openhands": _openhands,
    "pi": _pi,
    "sharegpt": _sharegpt,
    "swe-agent": _swe_agent,
}
