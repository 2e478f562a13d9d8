"""What a line of training data is made of: the prompt of a response without the memories, and what is to be trained on.

In the form of OpenAI's chat messages, whatever the transcript's own: tool calls as `tool_calls`, what tools answered as
messages that name the call, and the definitions of the tools.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation, ToolCall
from memscope.conversation.render import Prompt, Turn, render
from memscope.engines.chat import chat

ChatMessage = dict[str, Any]
"""A message as a JSON object in OpenAI's form."""

_ANSWERS = ("tool", "function")


@dataclass(frozen=True, slots=True)
class Example:
    """The response at `message` as an example: the `prompt` before it, without memories, and the `target`.

    `places`: the message of the conversation that each one of the prompt is. `tools`: their definitions.
    """

    message: int
    prompt: tuple[ChatMessage, ...]
    places: tuple[int, ...]
    target: ChatMessage
    tools: tuple[ChatMessage, ...]


class Examples:
    """The responses of a conversation as examples; what they share is made once."""

    def __init__(self, conversation: Conversation) -> None:
        bare = render(conversation, Ablation.of(*(memory.key for memory in conversation.memories)))
        there = [place for place, message in enumerate(conversation.messages) if not message.is_memory]
        said = chat(replace(bare, turns=_with_ids(bare.turns)))
        self.tools = tuple(map(_definition, said.tools))
        pairs = zip(
            there, map(_own_fields, said.messages), strict=False
        )  # nothing is rendered behind the last response
        self._messages = dict(pairs)

    def example(self, message: int, target: str | None = None) -> Example:
        """The response at `message`. `target`: words to train on in place of all that it said and called."""
        before = [(place, said) for place, said in self._messages.items() if place < message and not _is_empty(said)]
        trained = self._messages[message] if target is None else {"role": "assistant", "content": target}
        return Example(
            message, tuple(said for _, said in before), tuple(place for place, _ in before), trained, self.tools
        )


def reply_message(text: str, calls: Sequence[ToolCall] = ()) -> ChatMessage:
    """What an assistant said and called as a message."""
    (message,) = chat(Prompt(_with_ids([replace(Turn("assistant", ()), calls=tuple(calls))]))).messages
    return _own_fields({**message, "content": text})


def _own_fields(message: ChatMessage) -> ChatMessage:
    """A message with those fields alone that the role has, in OpenAI's own order; calls stand without empty words."""
    wanted = ("role", "content", "tool_calls") if message["role"] != "tool" else ("role", "tool_call_id", "content")
    own = {name: message[name] for name in wanted if name in message}
    if own.get("tool_calls"):
        own["tool_calls"] = [_with_object(call) for call in own["tool_calls"]]
        if not own["content"]:
            del own["content"]
    return own


def _definition(tool: ChatMessage) -> ChatMessage:
    """The definition of a tool with what a format knows of it alone."""
    function, known = tool["function"], ("name", "description", "parameters", "strict")
    return {**tool, "function": {name: function[name] for name in known if function.get(name) is not None}}


def _with_object(call: ChatMessage) -> ChatMessage:
    """A call whose arguments are a JSON object: what else a tool is given, such as a patch, is its `input`. What begins
    as an object and is none stays, and is refused."""
    text = call["function"]["arguments"]
    if text.lstrip().startswith("{"):
        return call
    return {**call, "function": {**call["function"], "arguments": json.dumps({"input": text}, ensure_ascii=False)}}


def _is_empty(message: ChatMessage) -> bool:
    """Whether nothing is said in it that is sent: by an assistant that only thought, or by a tool that nobody called
    and whose whole answer was a memory."""
    if message["role"] == "tool":
        return not message["tool_call_id"] and not message["content"]
    return message["role"] == "assistant" and not message.get("content") and not message.get("tool_calls")


def _with_ids(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """The turns with a name for every call, and answers that have none of their own answering those in order."""
    found: list[Turn] = []
    nameless: deque[str] = deque()
    for place, turn in enumerate(turns):
        if turn.calls and not all(call.id for call in turn.calls):
            calls = [call if call.id else replace(call, id=f"call_{place}_{n}") for n, call in enumerate(turn.calls)]
            nameless = deque(new.id for new, call in zip(calls, turn.calls, strict=True) if not call.id)
            found.append(replace(turn, calls=tuple(calls)))
        elif turn.role in _ANSWERS and not turn.call_id and nameless:
            found.append(replace(turn, call_id=nameless.popleft()))
        else:
            found.append(turn)
    return tuple(found)
