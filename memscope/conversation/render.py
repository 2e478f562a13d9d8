"""The one renderer: a conversation and an ablation become the prompt an engine receives."""

from __future__ import annotations

import hashlib
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


@dataclass(frozen=True)
class Turn:
    """One message of a prompt. `is_memory`: the whole message is a memory; `said`: it was said in this context."""

    role: str
    pieces: tuple[Piece, ...]
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""
    name: str = ""
    is_memory: bool = False
    said: bool = True

    @property
    def content(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @property
    def is_response(self) -> bool:
        return self.role == "assistant" and self.said and not self.is_memory

    @cached_property
    def text(self) -> str:
        """The content with the tool calls written behind it."""
        return written(self.content, self.calls)

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of everything an engine may be sent of this turn; which part of it is a memory is not sent."""
        calls = [(call.id, call.name, call.arguments) for call in self.calls]
        sent = [self.role, self.content, calls, self.call_id, self.name, self.is_memory, self.is_response]
        return hashlib.sha256(json.dumps(sent).encode()).digest()


@dataclass(frozen=True)
class Prompt:
    """What is scored: the turns up to the last response, and the definitions of the tools.

    `repeat` tells a repeated scoring from the first; engines are sent the same. `thinking`: thinking counts as said, so
    that it is scored also where it stands in a response's words.
    """

    turns: tuple[Turn, ...]
    tools: tuple[str, ...] = ()
    repeat: int = 0
    thinking: bool = False

    @cached_property
    def responses(self) -> tuple[Turn, ...]:
        """The turns whose log-probability is asked for, in order."""
        return tuple(turn for turn in self.turns if turn.is_response)


class Renderer:
    """Renders ablations of one conversation; what no ablation changes is rendered once and shared by all prompts."""

    def __init__(self, conversation: Conversation) -> None:
        last = conversation.responses[-1] + 1 if conversation.responses else 0
        self._messages = conversation.messages[:last]
        self._tools = conversation.tools
        self._thinking = conversation.thinking
        self._turns = [_turn(message, BASELINE, self._thinking) for message in self._messages]
        self._keys = [frozenset(memory.key for memory in message.memories) for message in self._messages]

    def prompt(self, ablation: Ablation = BASELINE) -> Prompt:
        """The prompt with the ablation's memories left out, cut after the last response.

        Everything that is not left out stays byte for byte. A message left with no parts disappears, except a tool
        result, which stays with empty text. Opaque parts are never sent, thinking only where it counts as said.
        """
        turns = (
            turn if keys.isdisjoint(ablation.removed) else _turn(message, ablation, self._thinking)
            for message, turn, keys in zip(self._messages, self._turns, self._keys, strict=True)
        )
        return Prompt(tuple(turn for turn in turns if turn is not None), self._tools, ablation.repeat, self._thinking)


def render(conversation: Conversation, ablation: Ablation = BASELINE) -> Prompt:
    """The prompt of one ablation, as `Renderer.prompt` describes it."""
    return Renderer(conversation).prompt(ablation)


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
    """The text of a response: its words and its tool calls, as they are scored."""
    turn = _turn(conversation.messages[message], BASELINE, conversation.thinking)
    return turn.text if turn else ""


def _turn(message: Message, ablation: Ablation, thinking: bool) -> Turn | None:
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
    text = tuple(piece for piece in pieces if piece.text)
    return Turn(message.role, text, calls, call_id, message.name, message.is_memory, message.kind == "said")
