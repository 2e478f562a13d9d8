"""Turns whose thoughts, tool calls and answers stand in the text, between tags: Hermes models are trained on such."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from memscope.conversation.formats._content import arguments, json_object, string
from memscope.conversation.model import Part, Text, Thinking, ToolCall, ToolResult

_THOUGHT = re.compile(r"\s*<(think|thinking|REASONING_SCRATCHPAD)>\n?(.*?)\n?</\1>\s*", re.DOTALL)
_CALL, _CALL_END = "<tool_call>", "</tool_call>"
_ANSWER, _ANSWER_END = "<tool_response>", "</tool_response>"


class Calls:
    """Names the calls of a conversation, which have no ids, so that answers find them: in order, those of a reply."""

    def __init__(self) -> None:
        self._number = 0
        self._open: deque[str] = deque()
        self._is_answered = False

    def call(self, name: str, sent: Any) -> ToolCall:
        if self._is_answered:  # a new reply: what was not answered by now never is
            self._open.clear()
            self._is_answered = False
        self._number += 1
        self._open.append(f"call-{self._number}")
        return ToolCall(self._open[-1], name, arguments(sent))

    def answered(self) -> str:
        """The call that is answered next; "" for an answer to none."""
        self._is_answered = True
        return self._open.popleft() if self._open else ""


def reply(text: str, calls: Calls) -> Iterator[Part]:
    """The parts of what the model said. A call that is no JSON object with a name stays text."""
    self_told = _THOUGHT.match(text)
    if self_told:
        if self_told[2].strip():
            yield Thinking(self_told[2])
        text = text[self_told.end() :]
    at = begun = 0
    while (start := text.find(_CALL, at)) >= 0:
        end = text.find(_CALL_END, start)
        if end < 0:
            break
        at = end + len(_CALL_END)
        call = json_object(text[start + len(_CALL) : end])
        if call is not None and isinstance(call.get("name"), str):
            yield from _words(text[begun:start])
            yield calls.call(call["name"], call.get("arguments"))
            begun = at
    yield from _words(text[begun:])


def _words(text: str) -> Iterator[Part]:
    if text.strip():
        yield Text(text.strip("\n"))


def answers(text: str, calls: Calls) -> Iterator[tuple[ToolResult, str]]:
    """The answers in a tool's turn, each with the tool's name: those between tags, else all of it as one."""
    told = list(_answers(text))
    for answer in told or [text]:
        yield _result(answer, calls.answered())


def _answers(text: str) -> Iterator[str]:
    at = 0
    while (start := text.find(_ANSWER, at)) >= 0:
        end = text.find(_ANSWER_END, start)
        if end < 0:
            return
        at = end + len(_ANSWER_END)
        yield text[start + len(_ANSWER) : end].strip("\n")


def _result(text: str, call: str) -> tuple[ToolResult, str]:
    """What a tool answered: Hermes puts its name and the call's around. Its tools tell failures within their JSON."""
    wrapped = json_object(text)
    name, inner = "", wrapped
    if wrapped is not None and "content" in wrapped and ("name" in wrapped or "tool_call_id" in wrapped):
        name, held = string(wrapped.get("name")), wrapped["content"]
        text = string(held)
        inner = held if isinstance(held, dict) else None
    return ToolResult(call, text, _failed(inner), _exit_code(inner)), name


def _failed(answer: Mapping[str, Any] | None) -> bool:
    return answer is not None and (answer.get("success") is False or bool(answer.get("error")))


def _exit_code(answer: Mapping[str, Any] | None) -> int | None:
    code = answer.get("exit_code") if answer is not None else None
    return code if type(code) is int else None
