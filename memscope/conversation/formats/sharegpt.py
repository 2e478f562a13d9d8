"""ShareGPT conversations: `{"conversations": [{"from", "value"}]}`, a document, a list of them, or one a line.

Hermes' trajectories are written so, with thoughts and tool calls between tags; so are many data sets. Beside the turns,
at the top: `system`, `tools`, `model`, and `completed`, which is false where the agent gave up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from memscope.conversation.formats._content import compact, decoded, entries, json_object, seconds, string
from memscope.conversation.formats._json import Json
from memscope.conversation.formats._tagged_turns import Calls, answers, reply
from memscope.conversation.model import Message, Skipped, Text
from memscope.conversation.raw import Raw, Value
from memscope.conversation.records import (
    Fact,
    Format,
    Item,
    No,
    Record,
    Yes,
    merge_assistant,
    outcome_facts,
    title_from,
)

_ROLES = {
    **dict.fromkeys(("system",), "system"),
    **dict.fromkeys(("human", "user"), "user"),
    **dict.fromkeys(("gpt", "assistant", "model", "chatgpt", "bot", "bing", "bard", "function_call"), "assistant"),
    **dict.fromkeys(("tool", "observation", "function_response", "function", "ipython"), "tool"),
}
_OPENING = 8  # turns, by which a conversation is known


def sniff(raw: Raw) -> Yes | No:
    if not raw.head:
        return No("it holds no JSON")
    if _first(raw) is not None:
        return Yes(0.8)
    return No('it has no "conversations" of turns with "from" and "value"')


def conversations(raw: Raw) -> Iterator[Item | Skipped]:
    if _is_turn(_first(raw)):  # a turn a line
        yield Item(merge_assistant(_told(raw.values())))
        return
    for value in raw.values():
        if isinstance(value, Skipped):
            yield value
            continue
        for one in _listed(value.json):
            if _is_conversation(one):
                told = merge_assistant(_conversation(one, value.line))
                yield Item(told, _title(one), marks_failures="completed" in one)
            else:
                yield Skipped(value.line, 'the object has no "conversations"')


def _first(raw: Raw) -> Any:
    """The first value that shows what the file holds: a turn, or conversations."""
    return next((value for value in raw.head if _is_turn(value) or any(map(_is_conversation, _listed(value)))), None)


def _is_turn(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("from"), str) and "value" in value


def _is_conversation(value: Any) -> bool:
    return isinstance(value, dict) and any(map(_is_turn, _turns(value)[:_OPENING]))


def _listed(value: Any) -> list[Any]:
    """What may be a conversation in one JSON value: itself, each entry of a list of them, or a bare list of turns."""
    if not isinstance(value, list) or not value:
        return [value]
    return [{"conversations": value}] if any(map(_is_turn, value[:_OPENING])) else value


def _turns(top: Json) -> list[Any]:
    return entries(top.get("conversations", top.get("conversation")))


def _title(top: Json) -> str:
    asked = (string(turn["value"]) for turn in _turns(top) if _is_turn(turn) and _ROLES.get(turn["from"]) == "user")
    return string(top.get("title")) or title_from(asked)


def _conversation(top: Json, line: int) -> Iterator[Record]:
    if isinstance(top.get("model"), str) and top["model"]:
        yield Fact("model", top["model"], line)
    for tool in entries(decoded(top.get("tools"))):
        yield Fact("tool", compact(tool), line)
    turns = _turns(top)
    begins = _is_turn(turns[0]) and turns[0]["from"] == "system"
    if isinstance(top.get("system"), str) and top["system"] and not begins:
        yield Message("system", (Text(top["system"]),), line=line)
    yield from _dated(list(_told(Value(line, turn) for turn in turns)), seconds(top.get("timestamp")))
    if top.get("completed") is False:
        yield Fact("error", "the task was not completed", line)


def _dated(told: list[Record], time: float | None) -> Iterator[Record]:
    """The last message gets the only time there is, when the conversation was written down."""
    last = max((place for place, record in enumerate(told) if isinstance(record, Message)), default=-1)
    for place, record in enumerate(told):
        yield replace(record, time=time) if place == last and isinstance(record, Message) else record


def _told(turns: Iterator[Value | Skipped]) -> Iterator[Record]:
    """The messages of the turns; a turn in which several tools answer is a message for each."""
    calls = Calls()
    for turn in turns:
        if isinstance(turn, Skipped):
            yield turn
        elif not _is_turn(turn.json):
            yield Skipped(turn.line, 'the entry is no turn with "from" and "value"')
        else:
            yield from _turn(turn.json["from"], string(turn.json["value"]), turn.line, calls)


def _turn(whose: str, text: str, line: int, calls: Calls) -> Iterator[Record]:
    role = _ROLES.get(whose, "")
    call = json_object(text) if whose == "function_call" else None
    if role == "tool":
        for result, name in answers(text, calls):
            yield Message("tool", (result,), name=name, line=line)
            yield from outcome_facts(result, line)
    elif call is not None and isinstance(call.get("name"), str):
        yield Message("assistant", (calls.call(call),), line=line)
    elif role == "assistant":
        yield Message(role, tuple(reply(text, calls)), line=line)
    elif role:
        yield Message(role, (Text(text),), line=line)
    else:
        yield Skipped(line, "a turn of nobody known", repr(whose))


FORMAT = Format("sharegpt", "ShareGPT conversation or Hermes trajectory", sniff, conversations)
