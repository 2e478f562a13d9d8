"""Letta agent files (`.af`): a whole agent, of which the messages and the memory blocks are read.

Two versions: `{agents, blocks, tools, ...}`, an item for each agent, and the older flat `{core_memory, messages, ...}`.
The file holds every message the agent ever had and says which of them are in its context. Those are the last window;
the others, which scrolled out of it, are the window before. The system message is compiled anew whenever a block
changes, so it alone shows each block's text as the model saw it, at its place.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from memscope.conversation.formats._content import (
    arguments,
    compact,
    entries,
    json_object,
    mappings,
    openai_calls,
    parts,
    seconds,
    string,
)
from memscope.conversation.model import Kind, Memory, Message, Part, Skipped, Text, Thinking, ToolCall, ToolResult
from memscope.conversation.raw import Raw
from memscope.conversation.records import (
    Boundary,
    Fact,
    Format,
    Item,
    No,
    Record,
    Yes,
    merge_assistant,
    outcome_facts,
)
from memscope.conversation.tags import TaggedText, blocks

# What stands above the memory blocks in the compiled system message: now, and in the older version.
_ABOVE_BLOCKS = ("<memory_blocks>\n", "Core memory shown below")
_SUMMARY = "hidden from view due to conversation memory constraints"


@dataclass(frozen=True, slots=True)
class _Agent:
    """An agent of the file, with the blocks and tools it refers to."""

    fields: Mapping[str, Any]
    blocks: tuple[Mapping[str, Any], ...]
    tools: tuple[Mapping[str, Any], ...]

    @property
    def name(self) -> str:
        return string(self.fields.get("name"))


def sniff(raw: Raw) -> Yes | No:
    if not raw.head:
        return No("it holds no JSON")
    if _agents(raw.head[0]):
        return Yes(0.9)
    return No('it has neither "agents" beside "blocks" nor "core_memory" beside "messages"')


def conversations(raw: Raw) -> Iterator[Item | Skipped]:
    for value in raw.values():
        if isinstance(value, Skipped):
            yield value
            continue
        for agent in _agents(value.json):
            yield Item(merge_assistant(_agent(agent, value.line)), agent.name)


def _agents(top: Any) -> list[_Agent]:
    """The agents of a file, none if it is no agent file."""
    if not isinstance(top, dict):
        return []
    if isinstance(top.get("core_memory"), list) and isinstance(top.get("messages"), list):
        return [_Agent(top, mappings(top["core_memory"]), mappings(top.get("tools")))]
    if not isinstance(top.get("agents"), list) or not isinstance(top.get("blocks"), list):
        return []
    return [
        _Agent(
            fields,
            (*mappings(fields.get("memory_blocks")), *_named(top["blocks"], fields.get("block_ids"))),
            _named(top.get("tools"), fields.get("tool_ids")),
        )
        for fields in mappings(top["agents"])
    ]


def _named(values: Any, ids: Any) -> tuple[Mapping[str, Any], ...]:
    """Those of `values` that `ids` names, in the order of `ids`."""
    by_id = {string(v.get("id")): v for v in mappings(values)}
    return tuple(by_id[i] for i in map(string, entries(ids)) if i in by_id)


def _agent(agent: _Agent, line: int) -> Iterator[Record]:
    if agent.name:
        yield Fact("title", agent.name, line)
    config = agent.fields.get("llm_config")
    if isinstance(config, dict) and isinstance(config.get("model"), str):
        yield Fact("model", config["model"], line)
    for tool in agent.tools:
        yield Fact("tool", compact(tool.get("json_schema") or tool), line)
    yield from _windows(agent, line)


def _windows(agent: _Agent, line: int) -> Iterator[Record]:
    """The system message, what scrolled out of the context, a boundary, what is in it."""
    messages = mappings(agent.fields.get("messages"))
    seen, missing = _in_context(agent.fields, messages)
    for name in missing:
        yield Skipped(line, "a message is in the context but not in the file", repr(name))
    system = next((i for i in (*seen, *range(len(messages))) if messages[i].get("role") == "system"), None)
    yield _system(agent, messages[system] if system is not None else {"content": agent.fields.get("system")}, line)
    told = {*seen, system}
    gone = [i for i in range(len(messages)) if i not in told]
    for i in gone:
        if messages[i].get("role") == "system":
            yield Skipped(line, "an earlier state of the system message")
        else:
            yield from _message(messages[i], line)
    if gone:
        yield Boundary(line)
    for i in seen:
        if i != system:
            yield from _message(messages[i], line)


def _in_context(fields: Mapping[str, Any], messages: tuple[Mapping[str, Any], ...]) -> tuple[list[int], list[str]]:
    """Indices of the messages in the context, in its order, and what it names in vain. All, if the file names none."""
    ids, indices = fields.get("in_context_message_ids"), fields.get("in_context_message_indices")
    if isinstance(ids, list):
        at = {string(m.get("id")): i for i, m in enumerate(messages)}
    else:
        ids, at = entries(indices), {string(i): i for i in range(len(messages))}
    names = [string(i) for i in ids]
    found = [at[name] for name in names if name in at]
    return found or list(range(len(messages))), [name for name in names if name not in at]


def _system(agent: _Agent, message: Mapping[str, Any], line: int) -> Message:
    text = "".join(p.text for p in parts(message.get("content")) if isinstance(p, Text))
    found = tuple(_with_memories(text, agent.blocks))
    return Message("system", found, "said", seconds(message.get("created_at")), string(message.get("id")), line=line)


def _with_memories(text: str, blocks: Iterable[Mapping[str, Any]]) -> Iterator[Part]:
    """The system message parted into text and memories: the lines of each block's value, the tags left outside.

    A block that was not compiled into the text is found there by its value, or put behind it.
    """
    places = list(_compiled(text))
    compiled, behind = {label for _, _, label in places}, []
    for block in blocks:
        label, value = string(block.get("label")), string(block.get("value"))
        if label in compiled or not value.strip():
            continue
        place = re.search(rf"^{re.escape(value.strip())}(?:\n|\Z)", text, re.MULTILINE)
        if place and all(place.end() <= start or end <= place.start() for start, end, _ in places):
            places.append((*place.span(), label))
        else:
            behind.append(Memory(label, value, "structured"))
    at = 0
    for start, end, label in sorted(places):
        if text[start:end].strip():  # an empty block is nothing to leave out
            yield Text(text[at:start])
            yield Memory(label, text[start:end], "structured")
            at = end
    yield Text(text[at:])
    yield from behind


def _compiled(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and label of every block value in a compiled system message."""
    above = [start for start in map(text.find, _ABOVE_BLOCKS) if start >= 0]
    if not above:
        return
    read = TaggedText(text)
    first = bisect_right(read.lines, min(above), key=lambda line: line.start)
    for block in blocks(read, first, len(read.lines), bare=False):
        yield read.lines[block.first].start, read.lines[block.behind].start, block.label


def _message(value: Mapping[str, Any], line: int) -> Iterator[Record]:
    role, calls = string(value.get("role")), tuple(openai_calls(value))
    if role == "tool":
        yield from _results(value, line)
        return
    if role == "approval" and not calls:
        yield Skipped(line, "a person's approval of a tool call")
        return
    content = list(_parts(value.get("content"), with_calls=not calls))
    content, kind = _event(content) if role == "user" else (content, "said")
    role = "assistant" if role == "approval" else role  # the call that waits for an approval is the agent's
    yield _made(value, role, (*content, *calls), line, kind)


def _made(value: Mapping[str, Any], role: str, content: Iterable[Part], line: int, kind: Kind = "said") -> Message:
    time, name = seconds(value.get("created_at")), string(value.get("name"))
    return Message(role, tuple(content), kind, time, string(value.get("id")), name, line)


def _parts(content: Any, *, with_calls: bool) -> Iterator[Part]:
    """The parts of `content`, with the blocks that only Letta writes; `with_calls`: calls stand nowhere else."""
    for block in content if isinstance(content, list) else [content]:
        kind = block.get("type") if isinstance(block, dict) else None
        if kind in ("reasoning", "summarized_reasoning") and isinstance(block.get("reasoning"), str):
            yield Thinking(block["reasoning"])
        elif kind != "tool_call":
            yield from parts(block if isinstance(block, str) or block is None else [block])
        elif with_calls:
            yield ToolCall(string(block.get("id")), string(block.get("name")), arguments(block.get("input")))


def _event(content: list[Part]) -> tuple[list[Part], Kind]:
    """User rows are events written as JSON. Shown is the event's message; only a `user_message` is from a person."""
    first = content[0] if content else None
    event = json_object(first.text) if isinstance(first, Text) else None
    if event is None or not isinstance(event.get("type"), str):
        return content, "said"
    message = event.get("message")
    told = [Text(message), *content[1:]] if isinstance(message, str) else content
    if event["type"] == "user_message":
        return told, "said"
    return told, "summary" if isinstance(message, str) and _SUMMARY in message else "synthetic"


def _results(value: Mapping[str, Any], line: int) -> Iterator[Record]:
    """A tool message holds one result, or several when the calls ran side by side."""
    returns = mappings(value.get("tool_returns"))
    content = list(parts(value.get("content"))) if len(returns) < 2 else []
    text = "".join(p.text for p in content if isinstance(p, Text))
    rest = tuple(p for p in content if not isinstance(p, Text))
    for returned in returns or ({},):
        answer = text or string(returned.get("func_response"))
        call_id = string(returned.get("tool_call_id") or value.get("tool_call_id"))
        result = ToolResult(call_id, answer, returned.get("status") == "error" or _failed(answer))
        yield from outcome_facts(result, line)
        yield _made(value, "tool", (result, *rest), line)


def _failed(text: str) -> bool:
    status = (json_object(text) or {}).get("status")
    return isinstance(status, str) and status.lower() not in ("ok", "success")


FORMAT = Format("letta", "Letta agent file", sniff, conversations)
