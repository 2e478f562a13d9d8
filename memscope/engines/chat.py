"""A prompt as chat servers take it: OpenAI messages with tools, memories folded into their neighbours where asked.

A chat template is free to refuse a message, or to drop it without a word. Folding (`Fold`) says the same things in
fewer messages: always by the same rule, so that a conversation with a memory and without it differ in the memory
alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from memscope.conversation.render import Piece, Prompt, Turn

Fold = Literal["off", "memories", "system"]
"""`memories`: a message that is a memory as a whole becomes a part of the message behind it (in front of a response: of
the one before), and what then stands in one role behind another is one message; `system`: the system message goes into
the first user message as well."""

_SYSTEM = ("system", "developer")
_ANSWERS = ("tool", "function")  # to calls
_ROLES = {"developer": "system", "function": "tool"}  # older and newer names of the same


@dataclass(frozen=True)
class Chat:
    """Messages and tool definitions in OpenAI's form. `responses` are the places of the responses in `messages`;
    `texts` what each of them says, as it is shown (`Turn.text`)."""

    messages: tuple[dict[str, Any], ...]
    tools: tuple[dict[str, Any], ...]
    responses: tuple[int, ...]
    texts: tuple[str, ...]

    def saying(self, place: int, content: str, *, calling: bool = False) -> Chat:
        """The same, but the message at `place` says `content` and calls nothing; `calling`: it calls as often as it
        did, with `content` in names and arguments."""
        message = {"role": self.messages[place]["role"], "content": content}
        if calling:
            function = {"name": "".join(filter(str.isalnum, content)), "arguments": json.dumps({content: content})}
            calls = [{**call, "function": function} for call in self.messages[place]["tool_calls"]]
            message |= {"tool_calls": calls}
        return replace(self, messages=(*self.messages[:place], message, *self.messages[place + 1 :]))


def chat(prompt: Prompt, fold: Fold = "off") -> Chat:
    """`prompt` as messages."""
    turns = prompt.turns if fold == "off" else _folded(prompt.turns, system=fold == "system")
    return Chat(
        messages=tuple(_message(turn) for turn in turns),
        tools=tuple(tool for text in prompt.tools if (tool := _tool(text)) is not None),
        responses=tuple(place for place, turn in enumerate(turns) if turn.is_response),
        texts=tuple(turn.text for turn in turns if turn.is_response),
    )


def _message(turn: Turn) -> dict[str, Any]:
    message: dict[str, Any] = {"role": _ROLES.get(turn.role, turn.role), "content": turn.content}
    if turn.calls:
        message["tool_calls"] = [
            {
                "id": call.id or f"call_{number}",
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments or "{}"},
            }
            for number, call in enumerate(turn.calls)
        ]
    if message["role"] == "tool":
        message["tool_call_id"] = turn.call_id
        if turn.name:
            message["name"] = turn.name
    return message


def _tool(text: str) -> dict[str, Any] | None:
    """A tool's definition in OpenAI's form, whichever it came in; None where it is no object with a name."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    if isinstance(found.get("function"), dict):
        return {"type": "function", "function": found["function"]}
    if not isinstance(found.get("name"), str):
        return None
    schema = found.get("parameters") or found.get("input_schema") or {"type": "object", "properties": {}}
    return {
        "type": "function",
        "function": {"name": found["name"], "description": str(found.get("description") or ""), "parameters": schema},
    }


def _folded(turns: Sequence[Turn], *, system: bool) -> tuple[Turn, ...]:
    """Turns without messages that are memories as a whole, and without two of one role in a row.

    A memory goes to the front of what comes behind it; in front of a response, to the end of what comes before it, and
    never across another response, which did not see it. Nothing comes between a call and its answer.
    """
    out: list[Turn] = []
    waiting: list[Piece] = []  # memories that look for a message
    for turn in turns:
        if turn.is_memory:
            waiting += _line(turn.pieces)
        elif turn.is_response:
            _give(out, waiting)
            waiting = []
            out.append(turn)
        elif turn.role in _ANSWERS:
            out.append(turn)
        else:
            late = system or any(earlier.role not in _SYSTEM for earlier in out)
            role = "user" if turn.role in _SYSTEM and late else _ROLES.get(turn.role, turn.role)
            said = replace(turn, role=role, pieces=(*waiting, *turn.pieces))
            waiting = []
            last = out[-1] if out else None
            if last is not None and last.role == said.role and not last.is_response:
                out[-1] = replace(last, pieces=(*_line(last.pieces), *said.pieces), calls=(*last.calls, *said.calls))
            else:
                out.append(said)
    _give(out, waiting)
    return tuple(out)


def _give(out: list[Turn], memories: Sequence[Piece]) -> None:
    """Puts memories at the end of the last turn; where that is a response, behind it as a message of their own.

    Each takes along the newline in front of it, whatever stands there: another memory would come and go with it.
    """
    if not memories:
        return
    lines = [replace(piece, text="\n" + piece.text.removesuffix("\n")) for piece in memories]
    if out and not out[-1].is_response:
        out[-1] = replace(out[-1], pieces=(*out[-1].pieces, *lines))
    else:
        out.append(Turn("user", tuple(lines)))


def _line(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces with a newline at their end, which is the last one's own: it comes and goes with it."""
    whole = list(pieces)
    if whole and not whole[-1].text.endswith("\n"):
        whole[-1] = replace(whole[-1], text=whole[-1].text + "\n")
    return whole
