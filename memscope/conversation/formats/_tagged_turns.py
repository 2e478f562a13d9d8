"""Turns whose thoughts, tool calls and answers stand in the text, between tags: Hermes models are trained on such."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import replace

from memscope.conversation.formats._content import arguments, joined, json_object, string
from memscope.conversation.formats._json import Json
from memscope.conversation.model import Part, Text, Thinking, ToolCall, ToolResult

_THOUGHT = re.compile(r"\s*<(think|thinking|REASONING_SCRATCHPAD)>\n?(.*?)\n?</\1>\s*", re.DOTALL)
_CALL, _CALL_END = "<tool_call>", "</tool_call>"
# From the start of a line, or behind another, to the end of a line: else it is words that mention the tags.
_ANSWER = re.compile(
    r"(?:^|(?<=</tool_response>))[ \t]*<tool_response>(.*?)(?:</tool_response>[ \t]*(?=\n|<tool_response>|\Z)|\Z)",
    re.DOTALL | re.MULTILINE,
)


class Calls:
    """Names the calls of a conversation, few of which have ids, so that answers find them among those of a reply."""

    def __init__(self) -> None:
        self._number = 0
        self._is_answered = False
        self._begin()

    def _begin(self) -> None:
        """A new reply: what was not answered by now never is."""
        self._open: set[str] = set()
        self._all: deque[str] = deque()  # those that were answered among them too
        self._by_id: defaultdict[str, deque[str]] = defaultdict(deque)
        self._by_tool: defaultdict[str, deque[str]] = defaultdict(deque)

    def call(self, made: Json) -> ToolCall:
        """The call that is `made` of a tool's name, arguments, and maybe an id."""
        if self._is_answered:
            self._is_answered = False
            self._begin()
        self._number += 1
        given, tool, own = f"call-{self._number}", string(made.get("name")), string(made.get("id"))
        self._open.add(given)
        for queue in (self._all, self._by_tool[tool], *([self._by_id[own]] if own else [])):
            queue.append(given)
        return ToolCall(given, tool, arguments(made.get("arguments")))

    def answered(self, tool: str, call_id: str) -> str:
        """The call that an answer is to: the one it names, else the next of its tool, else the next; "" for none."""
        self._is_answered = True
        for queue in (self._by_id[call_id], self._by_tool[tool], self._all):
            while queue:
                given = queue.popleft()
                if given in self._open:
                    self._open.remove(given)
                    return given
        return ""


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
            yield calls.call(call)
            begun = at
    yield from _words(text[begun:])


def _words(text: str) -> Iterator[Part]:
    if text.strip():
        yield Text(text.strip("\n"))


def answers(text: str, calls: Calls) -> Iterator[tuple[ToolResult, str]]:
    """The answers in a tool's turn, each with the tool's name: those between tags, else all of it as one.

    Words outside the tags stay with the answer behind them, the last ones with the last. An answer that is not closed
    goes on to the end.
    """
    found, behind = _tagged(text)
    for place, (before, answer) in enumerate(found, start=1):
        result, name = _result(answer, calls)
        around = (before.strip("\n"), result.text, behind.strip("\n") if place == len(found) else "")
        yield replace(result, text=joined(filter(str.strip, around)) or result.text), name


def _tagged(text: str) -> tuple[list[tuple[str, str]], str]:
    """Every answer with the words before it, and the words behind the last."""
    found, at = [], 0
    for answer in _ANSWER.finditer(text):
        found.append((text[at : answer.start()], answer[1].strip("\n")))
        at = answer.end()
    return (found, text[at:]) if found else ([("", text)], "")


def _result(text: str, calls: Calls) -> tuple[ToolResult, str]:
    """What a tool answered: Hermes puts its name and the call's around. Its tools tell failures within their JSON."""
    wrapped = json_object(text)
    name, call_id, inner = "", "", wrapped
    if wrapped is not None and "content" in wrapped and ("name" in wrapped or "tool_call_id" in wrapped):
        name, call_id, held = string(wrapped.get("name")), string(wrapped.get("tool_call_id")), wrapped["content"]
        text = string(held)
        inner = held if isinstance(held, dict) else None
    return ToolResult(calls.answered(name, call_id), text, _failed(inner), _exit_code(inner)), name


def _failed(answer: Json | None) -> bool:
    return answer is not None and (answer.get("success") is False or bool(answer.get("error")))


def _exit_code(answer: Json | None) -> int | None:
    code = answer.get("exit_code") if answer is not None else None
    return code if type(code) is int else None
