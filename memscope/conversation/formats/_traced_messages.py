"""Messages as tracing libraries note them down: what goes into a model and what comes out, in every provider's shape.

OpenAI's chat and Responses APIs, Anthropic's blocks, Gemini's `parts`, LangChain's messages (`type: human|ai|tool`,
also serialised with `lc` and `kwargs`), and OpenTelemetry's `gen_ai` conventions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from memscope.conversation.formats._anthropic import messages_of
from memscope.conversation.formats._codex_index import ITEMS
from memscope.conversation.formats._codex_items import read_item
from memscope.conversation.formats._content import (
    arguments,
    compact,
    decoded,
    entries,
    mappings,
    opaque,
    string,
)
from memscope.conversation.formats.openai import read_message
from memscope.conversation.model import Message, Opaque, Skipped, Text, Thinking, ToolCall, ToolResult
from memscope.conversation.records import Fact, Record, outcome_facts

_ROLES = {
    "human": "user",
    "HumanMessage": "user",
    "HumanMessageChunk": "user",
    "ChatMessage": "user",
    "ai": "assistant",
    "AIMessage": "assistant",
    "AIMessageChunk": "assistant",
    "model": "assistant",
    "ToolMessage": "tool",
    "FunctionMessage": "tool",
    "SystemMessage": "system",
}
_KNOWN_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_IN = ("messages", "input", "contents", "new_message", "prompt", "args")
_DEEPEST = 4  # requests within each other: texts hold texts, so what each holds sets no bound
_NO_MESSAGE = "the entry is no message"
_OTHER_REPLY = "another of several replies to one request"
_OTHER_REQUEST = "another request of a batch"


def unwrapped(value: Any) -> Any:
    """The JSON in a string, which may itself be a string of JSON."""
    for _ in range(4):
        if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "[", '"'):
            break
        inner = decoded(value)
        if inner is value:
            break
        value = inner
    return None if value == "null" else value


def messages_in(value: Any, line: int) -> list[Record]:
    """The messages that went into a model, tools and facts between them; none where `value` tells of no message."""
    value = unwrapped(value)
    if isinstance(value, str):
        return [Message("user", (Text(value),), line=line)] if value.strip() else []
    if isinstance(value, Mapping):
        return list(_request(value, line, _DEEPEST))
    return list(_listed(value, line))


def messages_out(value: Any, line: int, *, is_reply: bool) -> list[Record]:
    """The messages that came out of a model; `is_reply`: what is none by its shape is the text that the model wrote."""
    written, value = value, unwrapped(value)
    if isinstance(value, str):
        return [Message("assistant", (Text(value),), line=line)] if value.strip() and is_reply else []
    is_one = isinstance(value, Mapping)
    found = list(_response(value, line, _DEEPEST) if is_one else _listed(value, line, "assistant"))
    if is_reply and value not in (None, [], {}) and all(isinstance(record, Skipped) for record in found):
        found = [Message("assistant", (Text(_as_written(written)),), line=line)]
    return found


def _as_written(value: Any) -> str:
    """JSON that is a reply, in its own spelling where a text holds it."""
    while isinstance(value, str) and isinstance(inner := decoded(value), str) and inner != value:
        value = inner
    return string(value)


def _request(value: Mapping[str, Any], line: int, levels: int) -> Iterator[Record]:
    """What a request holds, which is in turn a request at most so many `levels` down."""
    if _is_message(value):
        yield from _message(value, line)
        return
    config = unwrapped(value.get("config"))
    config = config if isinstance(config, Mapping) else {}
    given = (value.get(name, config.get(name)) for name in ("system", "system_instruction", "instructions"))
    system = next(filter(None, given), None)
    name = next((name for name in _IN if value.get(name)), "")
    inner = unwrapped(value.get(name))
    if not name and system is None:
        return
    for tool in entries(value.get("tools", config.get("tools"))):
        yield Fact("tool", compact(tool), line)
    if system is not None:
        yield Message("system", (Text(plain(system)),), line=line)
    if isinstance(inner, str):
        yield Message("user", (Text(inner),), line=line)
    elif name == "args":
        yield from (Message("user", (Text(text),), line=line) for text in entries(inner) if isinstance(text, str))
    elif not isinstance(inner, Mapping):
        yield from _listed(inner, line)
    elif levels:
        yield from _request(inner, line, levels - 1)
    else:
        yield Skipped(line, "a request too deep within others")


def _response(value: Mapping[str, Any], line: int, levels: int) -> Iterator[Record]:
    if _is_message(value):
        yield from _message(value, line, "assistant")
        return
    several = value.get("choices", value.get("candidates"))
    content = value.get("content")
    if isinstance(several, list):
        first, *others = mappings(several) or ({},)
        if levels:
            yield from _response(first, line, levels - 1)
        else:
            yield Skipped(line, "a reply too deep within others")
        yield from (Skipped(line, _OTHER_REPLY) for _ in others)
    elif isinstance(value.get("message"), Mapping):
        yield from _message(value["message"], line, "assistant")
    elif isinstance(value.get("messages"), list):
        yield from _listed(value["messages"], line, "assistant")
    elif isinstance(value.get("generations"), list):
        yield from _generated(value["generations"], line)
    elif isinstance(value.get("output"), list):
        yield from _of_responses_api(value, line)
    elif isinstance(content, Mapping) and "parts" in content:
        yield from _message(content, line, "assistant")
    elif isinstance(content, str | list) or value.keys() & {"tool_calls", "toolCalls", "toolCallId", "text"}:
        yield from _message({"content": value.get("text"), **value, "role": "assistant"}, line, "assistant")


def _of_responses_api(value: Mapping[str, Any], line: int) -> Iterator[Record]:
    """A response, which repeats what it was asked for."""
    if isinstance(value.get("instructions"), str) and value["instructions"]:
        yield Message("system", (Text(value["instructions"]),), line=line)
    for tool in entries(value.get("tools")):
        yield Fact("tool", compact(tool), line)
    yield from _listed(value["output"], line, "assistant")


def _generated(generations: list[Any], line: int) -> Iterator[Record]:
    """LangChain's result: for each prompt a list of generations."""
    is_batch = bool(generations) and isinstance(generations[0], list)
    first, *others = mappings(generations[0] if is_batch else generations) or ({},)
    said = first.get("message", first.get("text"))
    if isinstance(said, Mapping):
        yield from _message(said, line, "assistant")
    elif isinstance(said, str):
        yield Message("assistant", (Text(said),), line=line)
    yield from (Skipped(line, _OTHER_REPLY) for _ in others)
    yield from (Skipped(line, _OTHER_REQUEST) for _ in generations[1:] if is_batch)


def _listed(value: Any, line: int, role: str = "") -> Iterator[Record]:
    """The messages of a list; a list of lists is a batch, of which the first is meant."""
    listed = entries(value)
    if listed and isinstance(listed[0], list):
        yield from (Skipped(line, _OTHER_REQUEST) for _ in listed[1:])
        listed = listed[0]
    called: dict[str, str] = {}
    for entry in map(unwrapped, listed):
        if isinstance(entry, Mapping):
            name = string(entry.get("role"))
            if name in called and name not in _KNOWN_ROLES:  # LangChain in JavaScript: the tool's name for a role
                entry = {**entry, "role": "tool", "tool_call_id": called[name]}  # noqa: PLW2901
            for record in _message(entry, line, role):
                if isinstance(record, Message):
                    called.update((call.name, call.id) for call in record.calls)
                yield record
        elif isinstance(entry, str) and role != "assistant":
            yield from [Message(role or "user", (Text(entry),), line=line)] if entry.strip() else []
        else:
            yield Skipped(line, _NO_MESSAGE)


def _is_message(value: Mapping[str, Any]) -> bool:
    kind = value.get("type")
    if value.get("lc") is not None and isinstance(value.get("kwargs"), Mapping):
        return True
    if isinstance(value.get("role"), str) and value.keys() & {"content", "parts", "tool_calls", "function_call"}:
        return True
    return isinstance(kind, str) and (
        (kind in _ROLES and bool(value.keys() & {"content", "data"}))
        or (kind in ("tool", "system", "function") and "content" in value)
        or (kind in ITEMS and bool(value.keys() & {"call_id", "content", "summary"}))
    )


def _message(value: Mapping[str, Any], line: int, role: str = "") -> Iterator[Record]:
    """One message, whatever library wrote it."""
    value = _opened(value)
    kind, own = string(value.get("type")), string(value.get("role"))
    if not own and kind in ITEMS and kind != "message":
        yield from read_item(value, line=line, time=None, exit_codes={})
        return
    own = _ROLES.get(own, own) or _ROLES.get(kind, kind if kind in _KNOWN_ROLES else "") or role
    if own not in _KNOWN_ROLES:
        yield Skipped(line, "a message of an unknown role" if own else _NO_MESSAGE, own or kind)
        return
    content = value.get("content")
    if own == "tool" and isinstance(content, Mapping) and content.get("type") == "function":
        yield Fact("tool", compact(content), line)  # LangChain puts the tools among the messages
    elif isinstance(value.get("parts"), list):
        yield from _of_parts(own, mappings(value["parts"]), line)
    elif isinstance(content, list) and own != "tool" and any(b.get("type") == "tool_result" for b in mappings(content)):
        for message in messages_of(own, content, line=line):
            yield message
            yield from (f for p in message.parts if isinstance(p, ToolResult) for f in outcome_facts(p, line))
    else:
        row = {**value, "role": own, "tool_calls": list(_calls(value)), "time": None}
        if own == "tool":
            failed = value.get("status") == "error" or value.get("is_error") is True
            row |= {"content": plain(content), "is_error": failed}
        elif isinstance(content, Mapping):
            row |= {"content": compact(content)}
        yield from read_message(row, line)


def _opened(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A LangChain message out of its serialisation, with its class or type as `type`."""
    inner, data = value.get("kwargs"), value.get("data")
    if value.get("lc") is not None and isinstance(inner, Mapping):
        names = entries(value.get("id"))
        return {**inner, "type": string(names[-1]) if names else inner.get("type")}
    if isinstance(data, Mapping) and "content" in data and "content" not in value:
        return {**data, "type": value.get("type")}
    return value


def _calls(value: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The calls of a message in OpenAI's form: its own, or what LangChain keeps of the provider's."""
    more = value.get("additional_kwargs")
    kept = [
        value.get("tool_calls"),
        value.get("toolCalls"),
        more.get("tool_calls") if isinstance(more, Mapping) else None,
    ]
    found = next((mappings(calls) for calls in map(unwrapped, kept) if mappings(calls)), ())
    for call in found or ([value] if "toolCallId" in value else []):
        function = call.get("function")
        function = function if isinstance(function, Mapping) else call
        sent = next((function[n] for n in ("arguments", "args", "input") if function.get(n) is not None), None)
        name = string(function.get("name") or call.get("toolName"))
        call_id = string(call.get("id") or call.get("call_id") or call.get("toolCallId"))
        yield {"id": call_id, "function": {"name": name, "arguments": arguments(sent)}}


def _of_parts(role: str, found: tuple[Mapping[str, Any], ...], line: int) -> Iterator[Record]:
    """A message of parts, as Gemini and OpenTelemetry have them; each answer of a tool is a message of its own."""
    said: list[Text | Thinking | ToolCall | Opaque] = []
    answers: list[ToolResult] = []
    for part in found:
        call = part.get("function_call", part.get("functionCall"))
        answer = part.get("function_response", part.get("functionResponse"))
        kind, text = part.get("type"), part.get("text", part.get("content"))
        if isinstance(call, Mapping):
            call_id = string(call.get("id")) or string(call.get("name"))
            said.append(ToolCall(call_id, string(call.get("name")), arguments(call.get("args"))))
        elif isinstance(answer, Mapping):
            call_id = string(answer.get("id")) or string(answer.get("name"))
            answers.append(ToolResult(call_id, plain(answer.get("response"))))
        elif kind == "tool_call":
            said.append(ToolCall(string(part.get("id")), string(part.get("name")), arguments(part.get("arguments"))))
        elif kind == "tool_call_response":
            told = next((part[n] for n in ("response", "result", "content") if part.get(n) is not None), None)
            answers.append(ToolResult(string(part.get("id")), plain(told)))
        elif isinstance(text, str):
            thought = kind in ("reasoning", "thinking") or part.get("thought") is True
            said.append(Thinking(text) if thought else Text(text))
        else:
            said.append(opaque(part))
    for result in answers:
        yield Message("tool", (result,), line=line)
    if said:
        yield Message(role if role != "tool" else "user", tuple(said), line=line)


def plain(value: Any) -> str:
    """The text of a value: of its text blocks, of its one text, or its JSON."""
    value = value if isinstance(value, str) else unwrapped(value)
    if isinstance(value, Mapping) and isinstance(value.get("parts", value.get("content")), list):
        value = value.get("parts", value.get("content"))
    blocks = [value] if isinstance(value, Mapping) else entries(value)
    texts = [
        b if isinstance(b, str) else b.get("text", b.get("content")) for b in blocks if isinstance(b, str | Mapping)
    ]
    if blocks and len(texts) == len(blocks) and all(isinstance(text, str) for text in texts):
        is_text = all(isinstance(b, str) or b.get("type", "text") == "text" for b in blocks)
        if is_text and not (isinstance(value, Mapping) and len(value) > 2):
            return "".join(map(string, texts))
    return string(value)
