"""What a line of training data is made of: the prompt of a response without the memories, and what is to be trained on.

In the form of OpenAI's chat messages, whatever the transcript's own: tool calls as `tool_calls`, what tools answered as
messages that name the call, and the definitions of the tools. What is said here is what a subject (see
`triage.subjects`) is a digest of: thinking is not in it, nor the newlines at the end of a message of a prompt.
"""

from __future__ import annotations

import json
from bisect import bisect_left
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
    """The response at `message` as an example: the `prompt` before it, without memories, and the `target`. Calls that
    nothing answers, such as those of a server's own tools, are not in the prompt: no API takes them.

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
        aloud = replace(conversation, thinking=False)
        bare = render(aloud, Ablation.of(*(memory.key for memory in conversation.memories)))
        there = [place for place, message in enumerate(conversation.messages) if not message.is_memory]
        said = chat(replace(bare, turns=_with_ids(bare.turns)))
        self.tools = tuple(map(_definition, said.tools))
        # Nothing is rendered behind the last response.
        self._messages = dict(zip(there, said.messages, strict=False))
        self._places, self._before = _prompt(self._messages)

    def example(self, message: int, target: str | None = None) -> Example:
        """The response at `message`. `target`: words to train on in place of its own; its calls stay."""
        own = self._messages[message]
        trained = _own_fields(own if target is None else {**own, "content": target})
        end = bisect_left(self._places, message)
        return Example(message, self._before[:end], self._places[:end], trained, self.tools)


def reply_message(text: str, calls: Sequence[ToolCall] = ()) -> ChatMessage:
    """What an assistant said and called as a message."""
    (message,) = chat(Prompt(_with_ids([replace(Turn("assistant", ()), calls=tuple(calls))]))).messages
    return _own_fields({**message, "content": text})


def _prompt(messages: dict[int, ChatMessage]) -> tuple[tuple[int, ...], tuple[ChatMessage, ...]]:
    """The places and the messages as every prompt that reaches so far has them: answers stand right behind their calls,
    so no prompt ends between the two."""
    found: list[tuple[int, ChatMessage]] = []
    answered: set[str] = set()  # by the messages right behind the one that is looked at
    for place in reversed(messages):
        said = {**messages[place], "content": messages[place]["content"].rstrip("\n")}
        if "tool_calls" in said:
            said["tool_calls"] = [call for call in said["tool_calls"] if call["id"] in answered]
        said = _own_fields(said)
        if not _is_empty(said):
            found.append((place, said))
            answered = {*answered, said["tool_call_id"]} if said["role"] == "tool" else set()
    found.reverse()
    return tuple(place for place, _ in found), tuple(said for _, said in found)


def _own_fields(message: ChatMessage) -> ChatMessage:
    """A message with those fields alone that the role has, in OpenAI's own order; calls stand without empty words."""
    wanted = ("role", "content", "tool_calls") if message["role"] != "tool" else ("role", "tool_call_id", "content")
    own = {name: message[name] for name in wanted if name in message}
    if calls := own.pop("tool_calls", None):
        own["tool_calls"] = [_with_object(call) for call in calls]
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
