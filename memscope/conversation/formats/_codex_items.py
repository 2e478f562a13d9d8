"""The items of OpenAI's Responses API, of which a Codex rollout is made: messages, reasoning, calls, outputs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from memscope.conversation.formats._codex_index import CALLS, OUTPUTS, SILENT_ITEMS, are_synthetic, texts_of
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
        content = _readable(item.get("content"))
        if content:
            yield Message(role, content, _kind(role, content, kind), time, item_id, line=line)
    elif what == "reasoning":
        thoughts = tuple(_thoughts(item))
        if thoughts:
            yield Message("assistant", thoughts, kind or "said", time, item_id, line=line)
    elif what in CALLS:
        yield Message("assistant", tuple(_call(what, item)), kind or "said", time, item_id, line=line)
    elif what in OUTPUTS:
        result, beside = _output(item, exit_codes)
        yield Message("tool", (result, *beside), kind or "said", time, item_id, line=line)
        yield from outcome_facts(result, line)
    elif what == "agent_message":
        words = _readable(item.get("content"))
        if words:
            yield Message("user", words, "synthetic", time, item_id, string(item.get("author")), line)
    elif what not in SILENT_ITEMS:
        yield Skipped(line, "an item of an unknown type", repr(what))


def _kind(role: str, content: Sequence[Part], kind: Kind | None) -> Kind:
    if role == "developer" or (role == "user" and are_synthetic(texts_of(content))):
        return "synthetic"
    return kind or "said"


def _readable(content: Any) -> tuple[Part, ...]:
    """Parts of a message; what is encrypted for the API says nothing to anybody else."""
    return tuple([p for p in parts(content) if type(p) is not Opaque or p.kind != "encrypted_content"])


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


def _output(item: Mapping[str, Any], exit_codes: Mapping[str, int]) -> tuple[ToolResult, list[Part]]:
    """The tool's answer as the model read it, and images beside it."""
    found = item.get("output")
    if found is None:
        found = next((item[key] for key in ("result", "tools") if item.get(key) is not None), None)
    call_id = string(item.get("call_id"))
    content = [] if isinstance(found, str) else _answer(found)
    text = found if isinstance(found, str) else joined(texts_of(content))
    code = _exit_code(text)
    failed = (isinstance(found, dict) and found.get("success") is False) or text.startswith("Script failed")
    result = ToolResult(call_id, text, failed, exit_codes.get(call_id) if code is None else code)
    return result, [part for part in content if not isinstance(part, Text)]


def _answer(found: Any) -> list[Part]:
    """An output's parts; JSON that is no list of blocks, such as the tools a search found, as its text."""
    if isinstance(found, dict) and "content" in found:
        found = found["content"]  # beside "success"
    blocks = found if isinstance(found, list) else [found]
    if isinstance(found, str) or all(isinstance(b, dict) and string(b.get("type")).startswith(_BLOCKS) for b in blocks):
        return parts(found)
    return [] if found is None else [Text(compact(found))]


def _exit_code(text: str) -> int | None:
    """The exit code in an answer: in its header, before the program's own words, or in the JSON the answer is."""
    stated = _EXIT_CODE.search(text[:1000].partition("Output:\n")[0])
    if stated:
        return int(stated[1])
    told = json_object(text)
    for holder in (told, told.get("metadata") if told else None):
        if isinstance(holder, dict):
            code = holder.get("exit_code", holder.get("exitCode"))
            if isinstance(code, int) and not isinstance(code, bool):
                return code
    return None
