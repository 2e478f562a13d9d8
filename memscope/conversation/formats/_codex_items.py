"""The items of OpenAI's Responses API, of which a Codex rollout is made: messages, reasoning, calls, outputs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from memscope.conversation.formats._codex_index import CALLS, OUTPUTS, SILENT_ITEMS, is_synthetic
from memscope.conversation.formats._content import arguments, compact, joined, json_object, opaque, parts, string
from memscope.conversation.model import Kind, Message, Opaque, Part, Skipped, Text, Thinking, ToolCall, ToolResult
from memscope.conversation.records import Record, outcome_facts

_BLOCKS = ("input_", "output_", "text")  # how the types of content blocks begin
_EXIT_CODE = re.compile(r"(?:Process exited with code|Exit code:) *(-?\d+)")


def read_item(
    item: Mapping[str, Any], *, line: int, time: float | None, exit_codes: Mapping[str, int], kind: Kind | None = None
) -> Iterator[Record]:
    """The message an item stands for, if any, and its facts. `kind` overrides what the item itself tells."""
    what, item_id = string(item.get("type")), string(item.get("id"))
    if what == "message":
        role = string(item.get("role")) or "user"
        content = tuple(_readable(item.get("content")))
        if content:
            yield Message(role, content, _kind(role, item, kind), time, item_id, line=line)
    elif what == "reasoning":
        thoughts = tuple(_thoughts(item))
        if thoughts:
            yield Message("assistant", thoughts, kind or "said", time, item_id, line=line)
    elif what in CALLS:
        yield Message("assistant", tuple(_call(what, item)), kind or "said", time, item_id, line=line)
    elif what in OUTPUTS:
        content = tuple(_output(item, exit_codes))
        yield Message("tool", content, kind or "said", time, item_id, line=line)
        if isinstance(content[0], ToolResult):
            yield from outcome_facts(content[0], line)
    elif what == "agent_message":
        words = tuple(_readable(item.get("content")))
        if words:
            yield Message("user", words, "synthetic", time, item_id, string(item.get("author")), line)
    elif what not in SILENT_ITEMS:
        yield Skipped(line, "an item of an unknown type", repr(what))


def _kind(role: str, item: Mapping[str, Any], kind: Kind | None) -> Kind:
    if role == "developer" or (role == "user" and is_synthetic(item)):
        return "synthetic"
    return kind or "said"


def _readable(content: Any) -> Iterator[Part]:
    """Parts of a message; what is encrypted for the API says nothing to anybody else."""
    for part in parts(content):
        if not (isinstance(part, Opaque) and part.kind == "encrypted_content"):
            yield part


def _thoughts(item: Mapping[str, Any]) -> Iterator[Thinking]:
    """The reasoning's summary; the reasoning itself where a model gives it away."""
    for name in ("summary", "content"):
        listed = item.get(name)
        blocks = [b for b in (listed if isinstance(listed, list) else []) if isinstance(b, dict)]
        thoughts = [Thinking(b["text"]) for b in blocks if isinstance(b.get("text"), str) and b["text"]]
        if thoughts:
            yield from thoughts
            return


def _call(what: str, item: Mapping[str, Any]) -> Iterator[Part]:
    function = item.get("function")
    name = string(item.get("name") or (function.get("name") if isinstance(function, dict) else ""))
    sent = next((item[key] for key in ("arguments", "input", "action") if item.get(key) is not None), None)
    yield ToolCall(string(item.get("call_id") or item.get("id")), name or what.removesuffix("_call"), arguments(sent))
    if what == "image_generation_call":
        yield opaque(item)


def _output(item: Mapping[str, Any], exit_codes: Mapping[str, int]) -> Iterator[Part]:
    """The tool's answer as the model read it, and images beside it."""
    found = item.get("output")
    if found is None:
        found = next((item[key] for key in ("result", "tools") if item.get(key) is not None), None)
    call_id = string(item.get("call_id"))
    content = [Text(found)] if isinstance(found, str) else list(_answer(found))
    text = joined(part.text for part in content if isinstance(part, Text))
    code = _exit_code(text)
    failed = (isinstance(found, dict) and found.get("success") is False) or text.startswith("Script failed")
    yield ToolResult(call_id, text, failed, exit_codes.get(call_id) if code is None else code)
    yield from (part for part in content if not isinstance(part, Text))


def _answer(found: Any) -> Iterator[Part]:
    """An output's parts; JSON that is no list of blocks, such as the tools a search found, as its text."""
    if isinstance(found, dict) and "content" in found:
        found = found["content"]  # beside "success"
    blocks = found if isinstance(found, list) else [found]
    if isinstance(found, str) or all(isinstance(b, dict) and string(b.get("type")).startswith(_BLOCKS) for b in blocks):
        yield from parts(found)
    elif found is not None:
        yield Text(compact(found))


def _exit_code(text: str) -> int | None:
    """The exit code in an answer: in its header, before the program's own words, or in the JSON the answer is."""
    stated = _EXIT_CODE.search(text.partition("Output:\n")[0][:1000])
    if stated:
        return int(stated[1])
    told = json_object(text)
    for holder in (told, told.get("metadata") if told else None):
        if isinstance(holder, dict):
            code = holder.get("exit_code", holder.get("exitCode"))
            if isinstance(code, int) and not isinstance(code, bool):
                return code
    return None
