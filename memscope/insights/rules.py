"""What a conversation teaches by rules that need no model: a tool that fails again and again, a sequence of tool calls
that worked, a long piece of reasoning.

A fold over a format's records, in which each message counts once, at its place: see `told_once`. What looks like a
credential is masked in all that is told, for it is kept, exported and sent to models.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby

from memscope.base.masking import masked
from memscope.base.text import preview
from memscope.conversation.failed_calls import has_failed
from memscope.conversation.many import Fold
from memscope.conversation.model import Memory, Message, Text, ToolCall, ToolResult
from memscope.conversation.own_words import own_words, without_memories
from memscope.conversation.records import Record
from memscope.conversation.told_once import told_once
from memscope.insights.failed import SAMPLE, failed_words, tool_name
from memscope.insights.model import Observation, RuleKind, Spot

UNKNOWN_TOOL = "unknown tool"
REPEATED = 2  # results of a tool that failed, and calls of a sequence: fewer are no pattern
LONG = 500  # characters of an answer that is reasoning

MOST_SPOTS = 20
_MOST_NAMES = 12  # of a sequence that are told
_HINT = 100  # characters of what was asked for
_REASONING = 300  # characters that are told of an answer
_WORDS = 120  # characters of a spot
_LATEST = 32  # texts of a conversation that are told more than once, mostly near each other
_LOOKED_AT = 4000  # characters in which the words of a line are looked for: more than `preview` looks at


def observe(records: Iterable[Record]) -> list[Observation]:
    """What the rules see in a conversation: errors by the first one of their tool, then sequences, then reasoning, as
    they come. The records are read once, and what they raise (`SourceError`) ends the reading."""
    words = _Words()
    errors, sequences, reasoning = _Errors(words), _Sequences(words), _Reasoning(words)
    for window, index, message in told_once(records):
        errors.message(window, index, message)
        sequences.message(window, index, message)
        reasoning.message(window, index, message)
    return [*errors.found(), *sequences.found, *reasoning.found]


def observing() -> Fold[list[Observation]]:
    """The same for many files: see `many.read_files`."""
    return lambda records, is_subagent: observe(records)


class _Words:
    """Texts as they are told. They are masked where they are, only then, and once: that takes as long as all else that
    the rules do, or longer."""

    def __init__(self) -> None:
        self._masked = lru_cache(_LATEST)(lambda text: masked(text)[0])

    def line(self, text: str, limit: int) -> str:
        """The beginning of a text on one clean line. What is cut in two is no longer found, so that it is masked
        before."""
        return preview(self._masked(_begun(text)), limit)


class _Errors:
    """Results that failed, by their tools: `repeated_tool_error`. What a person stopped is none."""

    def __init__(self, words: _Words) -> None:
        self._words = words
        self._called: dict[str, str] = {}  # tools by the ids of their calls
        self._nameless: deque[str] = deque()  # tools of the calls without an id that are not answered yet
        self._failed: dict[str, list[tuple[Spot, float | None]]] = {}  # with words as they were found
        self._counts: dict[str, int] = {}

    def message(self, window: int, index: int, message: Message) -> None:
        if message.calls:
            self._nameless.clear()
        for part in message.parts:
            if type(part) is ToolCall:
                self._call(part)
            elif type(part) is ToolResult:
                tool = self._tool_of(part, message)
                if has_failed(part):
                    self._fail(tool, part, Spot(window, index), message.time)

    def _call(self, call: ToolCall) -> None:
        if call.id:
            self._called[call.id] = tool_name(call.name)
        else:
            self._nameless.append(tool_name(call.name))

    def _tool_of(self, result: ToolResult, message: Message) -> str:
        """The tool whose call has the result's id; else the one that the message itself names, as some formats do for
        a call that went with an earlier window; a result without an id answers the next call without one."""
        if result.call_id in self._called:
            return self._called[result.call_id]
        next_one = self._nameless.popleft() if self._nameless and not result.call_id else ""
        if message.role == "tool" and message.name:
            return tool_name(message.name)
        return next_one or UNKNOWN_TOOL

    def _fail(self, tool: str, result: ToolResult, spot: Spot, time: float | None) -> None:
        self._counts[tool] = self._counts.get(tool, 0) + 1
        failed = self._failed.setdefault(tool, [])
        if len(failed) < MOST_SPOTS:
            failed.append((spot._replace(words=_begun(failed_words(result))), time))

    def found(self) -> list[Observation]:
        told = []
        for tool, failed in self._failed.items():
            count = self._counts[tool]
            if count >= REPEATED:
                sample = self._words.line(failed[0][0].words, SAMPLE)
                text = f"'{preview(tool, 80)}' errored {count} times: {sample}"
                spots = tuple(spot._replace(words=self._words.line(spot.words, _WORDS)) for spot, _ in failed)
                told.append(Observation("repeated_tool_error", text, min(count / 5, 1.0), spots, failed[0][1]))
        return told


class _Sequences:
    """Tool calls from one plain turn of the assistant to the next, none of which failed: `successful_sequence`. What a
    person stopped did not succeed. Spots: the message of the first call, and the turn that ends it."""

    def __init__(self, words: _Words) -> None:
        self.found: list[Observation] = []
        self._words = words
        self._asked = ""
        self._tools: list[str] = []
        self._begin: tuple[int, int, Message] | None = None
        self._has_failed = False

    def message(self, window: int, index: int, message: Message) -> None:
        for part in message.parts:
            if type(part) is ToolResult and (part.is_error or part.exit_code):
                self._has_failed = True
        if message.kind != "said":
            return
        if message.role == "user":
            self._asked = own_words(without_memories(message)) or self._asked
        elif message.role == "assistant":
            calls = message.calls
            if calls:
                self._begin = self._begin or (window, index, message)
                self._tools += [tool_name(call.name) for call in calls]
            elif _said(message):
                self._end(window, index, message)

    def _end(self, window: int, index: int, plain: Message) -> None:
        """What came before the `plain` turn is a sequence, if it is long enough and worked."""
        tools, begin = self._tools, self._begin
        if begin is not None and len(tools) >= REPEATED and not self._has_failed:
            hint = self._words.line(self._asked, _HINT)
            text = f"Sequence [{_arrows(tools)}] succeeded{hint and f' for: {hint}'}"
            confidence = _clamped(len(tools) / 10, 0.5, 0.9)
            turns = (begin, (window, index, plain))
            spots = tuple(
                Spot(at, place, self._words.line(_said(turn) or tools[0], _WORDS)) for at, place, turn in turns
            )
            self.found.append(Observation("successful_sequence", text, confidence, spots, begin[2].time))
        self._tools, self._begin, self._has_failed = [], None, False


class _Reasoning:
    """Long texts of the assistant: `long_reasoning`."""

    def __init__(self, words: _Words) -> None:
        self.found: list[Observation] = []
        self._words = words

    def message(self, window: int, index: int, message: Message) -> None:
        if message.role != "assistant" or message.kind != "said":
            return
        text = _said(message)
        if len(text) >= LONG:
            kind: RuleKind = "long_reasoning"
            confidence = _clamped(len(text) / 2000, 0.4, 0.8)
            spot = Spot(window, index, self._words.line(text, _WORDS))
            told = self._words.line(text, _REASONING)
            self.found.append(Observation(kind, told, confidence, (spot,), message.time))


def _said(message: Message) -> str:
    """What the assistant said, without space around it: a memory inside a response is its text, as in loading."""
    return "".join(part.text for part in message.parts if type(part) is Text or type(part) is Memory).strip()


def _arrows(tools: list[str]) -> str:
    """`Read→Edit→Bash×3`: a run of a tool as one, with how often it was called."""
    runs = [(preview(name, 80), sum(1 for _ in run)) for name, run in groupby(tools)]
    names = [name if times == 1 else f"{name}×{times}" for name, times in runs]
    return "→".join(names if len(names) <= _MOST_NAMES else [*names[:_MOST_NAMES], "…"])


def _begun(text: str) -> str:
    """As much of a text as is looked at for a line of it."""
    return text.lstrip()[:_LOOKED_AT]


def _clamped(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
