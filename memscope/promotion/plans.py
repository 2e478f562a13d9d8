"""What the assistant set out to do for a request, as a text that is alike for what is done alike.

It has the names of tools and of their arguments, never what the arguments say, nor what a tool answered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pydantic_core import from_json

from memscope.conversation import failed_calls
from memscope.conversation.model import Message, Text, ToolCall, ToolResult
from memscope.promotion.model import RowKind

MOST_STEPS = 100  # of a plan that are told: what takes hundreds is no pattern

_WORDS = 300  # characters of what was said first
_TOOLS = 3  # different ones that say something without a word
_MOST_ARGUMENTS = 12
_NAME = 80  # characters of a tool's name
_PARSED = 1_000_000  # characters of arguments: longer ones are not looked into
_ARGUMENT = re.compile(r"[A-Za-z_][\w.-]{0,39}")  # a name: what else stands in its place is a value too
_CALLS = re.compile(r"[^\s()]{1,80}(?: [^\s()]{1,80}){0,8}\([^()\n]*\)(?:, [^()\n]{1,80}\([^()\n]*\))*(?:, …)?")
_PARAGRAPH = re.compile(r"\n\s*\n")
_REST = "…"


@dataclass(slots=True)
class Plan:
    """A plan on its way: what the assistant says and calls from a message on, which is its first. `window` and
    `message` are where that stands, `time` when it was said, `mark` what it is known by. `first`: the first call."""

    window: int
    message: int
    time: float | None
    mark: str = ""
    words: str = ""
    steps: list[_Step] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    first: ToolCall | None = None
    _called: dict[str, str] = field(default_factory=dict)  # tools by the ids of their calls

    def add(self, message: Message) -> None:
        """What follows. Words count up to the first call: what is said later tells what came of it."""
        if not self.words and not self.steps:
            self.words = _opening("".join(part.text for part in message.parts if type(part) is Text))
        for part in message.parts:
            if type(part) is ToolCall:
                self._call(part)

    def answered(self, message: Message) -> None:
        """What tools answered: of that, only what failed is told, and what failed alike once."""
        for part in message.parts:
            if type(part) is ToolResult and failed_calls.has_failed(part) and len(self.failures) < failed_calls.MOST:
                told = failed_calls.failure_of(part, self._called.get(part.call_id, ""))
                if told and told not in self.failures:
                    self.failures.append(told)

    def _call(self, call: ToolCall) -> None:
        self.first = self.first or call
        tool = " ".join(call.name[:_NAME].split()) or "?"
        self._called[call.id] = tool
        if len(self.steps) > MOST_STEPS:
            return
        step = _Step(tool, _shape(call.arguments))
        if not self.steps or self.steps[-1] != step:
            self.steps.append(step)

    @property
    def text(self) -> str:
        """The first words, and below them `Bash(command), Read(file_path)`: what is called, each once. How often says
        how hard it was, and would have plans of as many calls look alike."""
        told = [*dict.fromkeys(step.told for step in self.steps[:MOST_STEPS])]
        if len(self.steps) > MOST_STEPS:
            told.append(_REST)
        return "\n".join(filter(None, (self.words, ", ".join(told))))

    @property
    def says_little(self) -> bool:
        """Whether it is a tool or two, without a word: every session looks something up and reads it."""
        return not self.words and len({step.tool for step in self.steps}) < _TOOLS

    @property
    def tools(self) -> tuple[str, ...]:
        """The names of the tools in order, a run of one as one."""
        names = [step.tool for step in self.steps[:MOST_STEPS]]
        return tuple(name for place, name in enumerate(names) if not place or names[place - 1] != name)


@dataclass(frozen=True, slots=True)
class _Step:
    """A tool that is called, once or some times in a row, with arguments of these names."""

    tool: str
    arguments: tuple[str, ...]

    @property
    def told(self) -> str:
        return f"{self.tool}({', '.join(self.arguments)})"


def words_of(text: str, kind: RowKind) -> str:
    """What was said in a row's text: of a plan its words alone, unless it has none."""
    return text.rpartition("\n")[0] or text if kind == "plan" else text


def has_words(text: str, kind: RowKind) -> bool:
    """Whether something is said in a row's text: a plan may have its calls alone."""
    return kind != "plan" or _CALLS.fullmatch(text) is None


def _opening(text: str) -> str:
    """The first paragraph, cut between words."""
    text = text.lstrip()[: 4 * _WORDS]
    words = " ".join(_PARAGRAPH.split(text, maxsplit=1)[0].split())
    return words if len(words) <= _WORDS else words[:_WORDS].rpartition(" ")[0] or words[:_WORDS]


def _shape(arguments: str) -> tuple[str, ...]:
    """The names of a call's arguments, in the order they came in; of what is no JSON object, that there are some."""
    if len(arguments) > _PARSED:
        return (_REST,)
    try:
        found = from_json(arguments, cache_strings="keys") if arguments.strip() else {}
    except ValueError:
        return (_REST,)
    if not isinstance(found, dict):
        return () if found is None else (_REST,)
    names = [name if _ARGUMENT.fullmatch(name) else _REST for name in found]
    if len(names) > _MOST_ARGUMENTS:
        names[_MOST_ARGUMENTS:] = [_REST]
    return tuple(dict.fromkeys(names))
