"""Messages of Gemini CLI: parts of the Gemini API, and tool calls with what came of them beside.

A call and its answer are told up to twice, as parts and in `toolCalls`: each is read once. The first message of a newer
session holds the surroundings, and with them the project's GEMINI.md: its units are memories.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from memscope.conversation.formats._content import arguments, compact, joined, mappings, opaque, seconds, string
from memscope.conversation.formats._gemini_index import SNAPSHOT, texts_of
from memscope.conversation.formats._json import Json
from memscope.conversation.model import Kind, Memory, Message, Part, Text, Thinking, ToolCall, ToolResult
from memscope.conversation.records import Changes, Fact, Record, outcome_facts
from memscope.conversation.units import lines_of, split_units

_SURROUNDINGS = "<session_context>"
_SYNTHETIC = (
    *(_SURROUNDINGS, "<hook_context>", "This is the Gemini CLI. We are setting up the context", "/", "?"),
    *("Here is the user's editor context", "Here is a summary of changes in the user's editor context"),
    "System: Please continue",
)
_FOLDER = re.compile(r"^- \*\*Workspace Directories:\*\*\n  - (.+)$", re.MULTILINE)
_FILE = re.compile(r"--- Context from: (.+) ---$")
_EXIT_CODE = re.compile(r"\nExit Code: (-?\d{1,9})\s*(?:\n|$)")
_EXIT_WORD = "\nExit Code: "


@dataclass
class Reader:
    """Reads the messages of a session one after the other. `answered`: the calls of this window that have a result."""

    changes: Changes = field(default_factory=Changes)
    answered: set[str] = field(default_factory=set)

    def read(self, message: Json, line: int, is_carried: bool) -> Iterator[Record]:
        """The messages that one of the log stands for, and their facts."""
        if message["type"] == "gemini":
            yield from self._reply(message, line, "summary" if is_carried else "said")
        else:
            yield from self._turn(message, line, is_carried)

    def _turn(self, message: Json, line: int, is_carried: bool) -> Iterator[Record]:
        text = "".join(texts_of(message)).strip()
        if text.startswith(_SURROUNDINGS):
            folder = _FOLDER.search(text)
            yield from self.changes.told("cwd", folder[1].strip() if folder else None, line)
        kind = _kind(text, is_carried)
        answers, own = _apart(message.get("content"))
        told: list[Record] = []
        for answer in answers:
            call = ToolCall(string(answer.get("id")), string(answer.get("name")), "")
            at = _Told("summary" if is_carried else "said", _time(message), string(message.get("id")), line)
            told += self._result(call, [{"functionResponse": answer}], "", at)
        yield from told
        if own and (text or told or not answers):  # else what stands beside answers that are told a second time
            yield _message("user", [*_with_files(_parts(own))], kind, message, line)

    def _reply(self, message: Json, line: int, kind: Kind) -> Iterator[Record]:
        yield from self.changes.told("model", message.get("model"), line)
        records = mappings(message.get("toolCalls"))
        content = [*_parts(_raw_parts(message.get("content")))]
        if not any(isinstance(part, Thinking) for part in content):
            thoughts = map(_thought, mappings(message.get("thoughts")))
            content[0:0] = [Thinking(thought) for thought in thoughts if thought]
        calls = [*_calls([part for part in content if isinstance(part, ToolCall)], records)]
        content = [*(part for part in content if not isinstance(part, ToolCall)), *calls]
        if any(not isinstance(part, Text) or part.text for part in content):
            yield _message("assistant", content, kind, message, line)
        for record in records:
            call = ToolCall(string(record.get("id")), string(record.get("name")), "")
            told = _Told(kind, _time(record), string(message.get("id")), line)
            yield from self._result(call, record.get("result"), record.get("status"), told)

    def _result(self, call: ToolCall, result: Any, status: Any, at: _Told) -> Iterator[Record]:
        """The answer to a call, unless it was told before."""
        answer = _Answer.of(result, call.id)
        if answer is not None and not (call.id and call.id in self.answered):
            self.answered.add(call.id)
            failed = status == "error" or (answer.is_error and status != "cancelled")
            told = ToolResult(call.id, answer.text, failed, _exit_code(call.name, answer.text))
            yield Message("tool", (told, *answer.beside), at.kind, at.time, at.id, call.name, at.line)
            yield from outcome_facts(told, at.line)
        if answer is None and status == "error":
            yield Fact("error", f"{call.name} failed", at.line)
        if status == "cancelled":
            yield Fact("interrupted", (answer and answer.text) or f"{call.name} was cancelled", at.line)


class _Told(NamedTuple):
    """What a tool's answer has from the message it is in."""

    kind: Kind
    time: float | None
    id: str
    line: int


@dataclass(frozen=True)
class _Answer:
    """What a tool answered: its text, whether it says that it failed, and images and such."""

    text: str
    is_error: bool
    beside: tuple[Part, ...]

    @classmethod
    def of(cls, result: Any, call_id: str) -> _Answer | None:
        """`result` is a text, a part, or parts: with the answers to other calls of the same turn among them."""
        answers, beside = _apart(result)
        if not answers and not beside:
            return None
        own = [answer for answer in answers if answer.get("id") == call_id] or answers
        beside = beside if len(answers) < 2 else []
        texts = [_response(answer.get("response")) for answer in own]
        texts += [(part["text"], False) for part in beside if isinstance(part.get("text"), str)]
        others = (part for part in beside if not isinstance(part.get("text"), str))
        return cls(joined(text for text, _ in texts), any(failed for _, failed in texts), tuple(_parts(others)))


def _response(response: Any) -> tuple[str, bool]:
    """The text of a `functionResponse`, and whether it is an error."""
    if not isinstance(response, dict):
        return string(response), False
    if "output" in response:
        return string(response["output"]), False
    if "error" in response:
        return string(response["error"]), True
    return compact(response), False


def _apart(content: Any) -> tuple[list[Json], list[Json]]:
    """The answers of tools in a `PartListUnion`, and its other parts."""
    answers: list[Json] = []
    others: list[Json] = []
    for part in _raw_parts(content):
        answer = part.get("functionResponse")
        if isinstance(answer, dict):
            answers.append(answer)
        else:
            others.append(part)
    return answers, others


def _raw_parts(content: Any) -> Iterator[Json]:
    """The parts of a `PartListUnion`: a text, a part, or a list of either."""
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, str):
            if part:
                yield {"text": part}
        elif isinstance(part, dict):
            yield part
        elif part is not None:
            yield {"text": compact(part)}


def _parts(found: Iterable[Json]) -> Iterator[Part]:
    for part in found:
        text, call = part.get("text"), part.get("functionCall")
        if isinstance(text, str):
            yield Thinking(text) if part.get("thought") is True else Text(text)
        elif isinstance(call, dict):
            yield ToolCall(string(call.get("id")), string(call.get("name")), arguments(call.get("args")))
        else:
            name = next((name for name in part if name not in ("thought", "thoughtSignature")), None)
            if name is not None:
                yield opaque({"type": name, **part})


def _thought(thought: Json) -> str:
    subject, told = string(thought.get("subject")), string(thought.get("description"))
    return f"**{subject}** {told}".strip() if subject else told


def _calls(told: list[ToolCall], records: tuple[Json, ...]) -> Iterator[ToolCall]:
    """The calls of a reply: those among its parts, with the id of their record where they have none, and the others."""
    left = [(string(r.get("id")), string(r.get("name")), r) for r in records]
    for call in told:
        own = next((r for r in left if (r[0] == call.id if call.id else r[1] == call.name)), None)
        if own is not None:
            left.remove(own)
        yield ToolCall(call.id or (own[0] if own else ""), call.name, call.arguments)
    for name, tool, record in left:
        yield ToolCall(name, tool, arguments(record.get("args")))


def _kind(text: str, is_carried: bool) -> Kind:
    if text.startswith(_SURROUNDINGS):
        return "synthetic"
    if is_carried or SNAPSHOT in text[:200]:
        return "summary"
    return "synthetic" if text.startswith(_SYNTHETIC) else "said"


def _message(role: str, content: list[Part], kind: Kind, message: Json, line: int) -> Message:
    return Message(role, tuple(content), kind, _time(message), string(message.get("id")), line=line)


def _time(message: Json) -> float | None:
    return seconds(message.get("timestamp"))


def _exit_code(tool: str, text: str) -> int | None:
    """What the shell tool says at the end of its answer: older versions always, newer ones where it is not 0."""
    place = text.rfind(_EXIT_WORD) if "shell" in tool else -1
    found = _EXIT_CODE.match(text, place) if place >= 0 else None
    return int(found[1]) if found else None


def _with_files(found: Iterable[Part]) -> Iterator[Part]:
    """The parts, with the units of each GEMINI.md that was put into the surroundings as memories."""
    for part in found:
        if isinstance(part, Text) and part.text.lstrip().startswith(_SURROUNDINGS):
            yield from _surroundings(part.text)
        else:
            yield part


def _surroundings(text: str) -> Iterator[Part]:
    lines = lines_of(text)
    ends = {line.text: at for at, line in reversed([*enumerate(lines)]) if line.text.startswith("--- End of Context")}
    at, begun = 0, 0
    while at < len(lines):
        opening = _FILE.match(lines[at].text)
        close = ends.get(f"--- End of Context from: {opening[1]} ---", -1) if opening else -1
        if opening is None or close < at:
            at += 1
            continue
        first, behind = lines[at].end, lines[close].start
        yield Text(text[begun:first])
        for unit in split_units(text[first:behind]):
            yield Memory(f"{opening[1]}#{unit.name}", unit.text, "structured") if unit.text.strip() else Text(unit.text)
        begun, at = behind, close + 1
    yield Text(text[begun:])
