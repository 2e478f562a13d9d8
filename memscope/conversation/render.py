"""The one renderer: a conversation and an ablation become the prompt an engine receives."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation, Memory, Message, Text, Thinking, ToolCall, ToolResult


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text in a prompt; `owner` is the key of the memory it belongs to."""

    text: str
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a prompt. `is_memory`: the whole message is a memory."""

    role: str
    pieces: tuple[Piece, ...]
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""
    name: str = ""
    is_memory: bool = False

    @property
    def content(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @property
    def is_response(self) -> bool:
        return self.role == "assistant" and not self.is_memory


@dataclass(frozen=True)
class Prompt:
    """What is scored: the turns up to the last response, and the definitions of the tools."""

    turns: tuple[Turn, ...]
    tools: tuple[str, ...] = ()

    @cached_property
    def responses(self) -> tuple[int, ...]:
        """Indices of the turns whose log-probability is asked for, ascending."""
        return tuple(i for i, turn in enumerate(self.turns) if turn.is_response)


def written(content: str, calls: Iterable[ToolCall]) -> str:
    """`content` with the tool calls written behind it, for engines that know plain text only.

    This is the text a response is scored, shown and selected on. The form is the one open models are trained on.
    """
    lines = [content] if content else []
    for call in calls:
        name = json.dumps(call.name, ensure_ascii=False)
        lines.append(f'<tool_call>\n{{"name": {name}, "arguments": {call.arguments or "{}"}}}\n</tool_call>')
    return "\n".join(lines)


def response_text(conversation: Conversation, message: int) -> str:
    """The text of a response: its words and its tool calls, as they are scored (thinking left out)."""
    turn = _turn(conversation.messages[message], BASELINE, thinking=False)
    return written(turn.content, turn.calls) if turn else ""


def render(conversation: Conversation, ablation: Ablation = BASELINE, *, thinking: bool = False) -> Prompt:
    """The prompt of `conversation` with the ablation's memories left out, cut after the last response.

    Everything that is not left out stays byte for byte. A message left with no parts disappears, except a tool result,
    which stays with empty text. Opaque parts are never sent, thinking only when asked for.
    """
    last = conversation.responses[-1] + 1 if conversation.responses else 0
    turns = (_turn(message, ablation, thinking=thinking) for message in conversation.messages[:last])
    return Prompt(tuple(turn for turn in turns if turn is not None), conversation.tools)


def _turn(message: Message, ablation: Ablation, *, thinking: bool) -> Turn | None:
    parts = [p for p in message.parts if not (isinstance(p, Memory) and p.key in ablation.removed)]
    if not parts and message.parts:
        return None
    pieces: list[Piece] = []
    call_id = ""
    for part in parts:
        if isinstance(part, Memory):
            pieces.append(Piece(part.text, part.key))
        elif isinstance(part, Text):
            pieces.append(Piece(part.text))
        elif isinstance(part, ToolResult):
            call_id = part.call_id
            pieces.append(Piece(part.text))
        elif isinstance(part, Thinking) and thinking:
            pieces.append(Piece(f"<think>\n{part.text}\n</think>\n"))
    calls = tuple(p for p in parts if isinstance(p, ToolCall))
    return Turn(message.role, tuple(p for p in pieces if p.text), calls, call_id, message.name, message.is_memory)
