"""SWE-agent trajectories (`.traj`): one JSON document, its `history` the conversation.

Rows marked `is_demo` are an example that was put in front. The model read it, so it stays in the conversation, as a
summary does: nothing in it is this model's response. By itself it is a second conversation. Rows of another `agent` are
a sub-agent's. Older files have their actions in the text, where they stay; newer ones have tool calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from memscope.conversation.formats._content import (
    decoded,
    entries,
    joined,
    mappings,
    openai_calls,
    parts,
    string,
)
from memscope.conversation.formats._json import Json, at
from memscope.conversation.formats._swe_task import Task
from memscope.conversation.model import Kind, Message, Part, Skipped, Text, Thinking, ToolResult
from memscope.conversation.raw import Raw
from memscope.conversation.records import Fact, Format, Item, No, Record, Yes, merge_assistant

_ROLES = ("system", "user", "assistant", "tool")


def sniff(raw: Raw) -> Yes | No:
    if not raw.head:
        return No("it holds no JSON")
    if any(map(_is_known, raw.head)):
        return Yes(0.85)
    return No('it has neither a "history" of rows with "message_type" or "agent" nor a "trajectory" of actions')


def _is_known(value: Any) -> bool:
    """Whether the value is a trajectory, which nothing but SWE-agent writes so."""
    rows = [row for row in entries(at(value).get("history"))[:64] if _is_row(row)]
    return any("message_type" in row or "agent" in row for row in rows) or any(map(_is_step, _trajectory(value)))


def conversations(raw: Raw) -> Iterator[Item | Skipped]:
    for value in raw.values():
        if isinstance(value, Skipped):
            yield value
        elif any(map(_is_row, entries(at(value.json).get("history")))) or any(map(_is_step, _trajectory(value.json))):
            config = at(decoded(value.json.get("replay_config")))
            yield from _items(value.json, value.line, Task.of(config, raw.path))
        else:
            yield Skipped(value.line, "the object is no trajectory")


def _trajectory(top: Any) -> list[Any]:
    """The steps: what was done and what came of it, without the prompts."""
    return entries(at(top).get("trajectory"))


def _is_step(value: Any) -> bool:
    return isinstance(value, dict) and "action" in value and "observation" in value


def _is_row(value: Any) -> bool:
    return isinstance(value, dict) and value.get("role") in _ROLES


def _items(top: Json, line: int, task: Task) -> Iterator[Item]:
    """The conversation, those of sub-agents in the order of their first words, and the example.

    The conversation is that of the agent that is named first. Its is what names no agent, and what is no row.
    """
    rows, first = entries(top.get("history")), ""
    own: list[Any] = []
    others: dict[str, list[Any]] = {}
    for row in rows:
        agent = string(row.get("agent")) if _is_row(row) and not _is_demo(row) else ""
        first = first or agent
        (own if agent in ("", first) else others.setdefault(agent, [])).append(row)
    marks = isinstance(at(top, "info").get("exit_status"), str)
    yield Item(merge_assistant(_main(top, task, own, line)), task.title, marks_failures=marks)
    for agent, told in others.items():
        yield Item(merge_assistant(_rows(told, line)), agent, is_subagent=True)
    example = [{**row, "is_demo": False} for row in mappings(rows) if _is_demo(row)]
    if any(row.get("role") == "assistant" for row in example):
        yield Item(merge_assistant(_rows(example, line)), "the example put in front", is_subagent=True)


def _is_demo(row: Any) -> bool:
    return isinstance(row, dict) and row.get("is_demo") is True


def _main(top: Json, task: Task, rows: list[Any], line: int) -> Iterator[Record]:
    yield from task.facts(line)
    steps = _trajectory(top)
    state = decoded(next((step.get("state") for step in steps if _is_step(step)), None))
    folder = at(state).get("working_dir")
    if isinstance(folder, str) and folder:
        yield Fact("cwd", folder, line)
    yield from _rows(rows, line)
    if not any(map(_is_row, rows)):
        yield from _from_steps(steps, line)
    status = at(top, "info").get("exit_status")
    if isinstance(status, str) and status and status != "submitted":
        yield Fact("error", f"exit status: {status}", line)


def _rows(rows: list[Any], line: int) -> Iterator[Record]:
    """The messages of the rows. A person asked once, in the first of the user's rows; the others are observations."""
    asked = False
    for row in rows:
        role = row.get("role") if isinstance(row, dict) else None
        if not isinstance(role, str):
            yield Skipped(line, "the entry is no row of a history")
            continue
        kind: Kind = "summary" if _is_demo(row) else "synthetic" if role == "user" and asked else "said"
        asked = asked or (role == "user" and kind == "said")
        if role == "tool":
            yield Message("tool", tuple(_answer(row)), kind, line=line)
        elif role == "assistant":
            yield Message("assistant", tuple(_reply(row)), kind, line=line)
        elif role in ("system", "user"):
            yield Message(role, tuple(parts(row.get("content"))), kind, line=line)
        else:
            yield Skipped(line, "a row of an unknown role", repr(role))


def _reply(row: Json) -> Iterator[Part]:
    for block in mappings(row.get("thinking_blocks")):
        if isinstance(block.get("thinking"), str) and block["thinking"]:
            yield Thinking(block["thinking"])
    calls = list(openai_calls(row))
    content = list(parts(row.get("content")))
    if not any(isinstance(part, Text) and part.text for part in content) and not calls:
        content = [Text(_acted(row.get("thought"), row.get("action")))]
    yield from content
    yield from calls


def _answer(row: Json) -> Iterator[Part]:
    names = entries(row.get("tool_call_ids")) or [row.get("tool_call_id")]
    content = list(parts(row.get("content")))
    yield ToolResult(string(names[0]), joined(part.text for part in content if isinstance(part, Text)))
    yield from (part for part in content if not isinstance(part, Text))


def _from_steps(steps: list[Any], line: int) -> Iterator[Record]:
    """The steps as messages, where the history is lost."""
    for step in steps:
        if not _is_step(step):
            yield Skipped(line, "the entry is no step with an action and an observation")
            continue
        said = string(step.get("response")) or _acted(step.get("thought"), step.get("action"))
        yield Message("assistant", (Text(said),), line=line)
        yield Message("user", (Text(string(step.get("observation"))),), "synthetic", line=line)


def _acted(thought: Any, action: Any) -> str:
    """A thought and an action, in the form in which SWE-agent asks for them."""
    return f"{string(thought).rstrip()}\n```\n{string(action).strip()}\n```".lstrip() if action else string(thought)


FORMAT = Format("swe-agent", "SWE-agent trajectory", sniff, conversations)
