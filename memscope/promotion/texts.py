"""The rows of one conversation: what a person asked for, and what the assistant set out to do for it.

A fold over a format's records, in which each message counts once, at its place: see `told_once`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from memscope.conversation.model import Message
from memscope.conversation.own_words import is_short, own_words, without_memories
from memscope.conversation.records import Record
from memscope.conversation.told_once import told_once
from memscope.promotion.marks import call_mark, message_mark
from memscope.promotion.model import RowKind
from memscope.promotion.plans import Plan

LONGEST = 20_000  # characters of a request: what follows was pasted


class Told(NamedTuple):
    """A row as plain values: its text, and where its message is, an index into those of the context `window`. `tools`
    and `failures` of a request are those of what was done for it. `marks`: what it is known by where it is told again
    (see `marks`), none where nothing says so."""

    window: int
    message: int
    kind: RowKind
    text: str
    tools: tuple[str, ...] = ()
    time: float | None = None
    failures: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()


class Texts(NamedTuple):
    """What a conversation told, in its order; how many texts in a person's name are left out, for software wrote them,
    another agent too (`synthetic`), or for they say too little (`short`)."""

    rows: list[Told]
    synthetic: int = 0
    short: int = 0


def read_texts(records: Iterable[Record], kinds: Collection[RowKind], *, is_subagent: bool = False) -> Texts:
    """The rows of these `kinds` of a conversation; its records are read once, and what they raise (`SourceError`) ends
    the reading. `is_subagent`: what it is asked no person said."""
    fold = _Fold(kinds, is_subagent)
    for window, index, message in told_once(records):
        fold.message(window, index, message)
    return fold.texts()


def texts_fold(kinds: Collection[RowKind]) -> Callable[[Iterable[Record], bool], Texts]:
    """The same for many files: see `many.read_files`."""
    return lambda records, is_subagent: read_texts(records, kinds, is_subagent=is_subagent)


class _Fold:
    """What is known of a conversation so far. `asked`: the last request, while its answer goes on, and `plan` what is
    done in that."""

    def __init__(self, kinds: Collection[RowKind], is_subagent: bool) -> None:
        self.requests, self.plans = "request" in kinds, "plan" in kinds
        self.is_subagent = is_subagent
        self.rows: list[Told] = []
        self.asked: Told | None = None
        self.plan: Plan | None = None
        self.synthetic = self.short = 0

    def message(self, window: int, index: int, message: Message) -> None:
        role = message.role
        if self.plan is not None and role != "assistant":
            self.plan.answered(message)
        if role == "user":
            self._said(window, index, message)
        elif role == "assistant" and message.kind == "said":
            if self.plan is None:
                self.plan = Plan(window, index, message.time, mark=message_mark(message, message.text))
            self.plan.add(message)

    def _said(self, window: int, index: int, message: Message) -> None:
        text = without_memories(message)
        if not text or text.isspace():
            return
        words = own_words(text) if message.kind == "said" else ""
        if not words:
            self.synthetic += self.requests
            if self.plan is not None and not self.plan.steps:  # it was an answer: what comes is not for that request
                self._end()
            return
        self._end()
        if not self.requests:
            return
        if self.is_subagent:
            self.synthetic += 1
        elif is_short(words):
            self.short += 1
        else:
            mark = message_mark(message, words)
            self.asked = Told(window, index, "request", words[:LONGEST], (), message.time, (), (mark,))

    def _end(self) -> None:
        """What was asked is answered, as far as it is."""
        asked, plan = self.asked, self.plan
        self.asked = self.plan = None
        tools, failures = (plan.tools, tuple(plan.failures)) if plan is not None else ((), ())
        first = plan.first if plan is not None else None
        if asked is not None:
            marks = _marks(*asked.marks, call_mark(first, asked.text) if first is not None else "")
            self.rows.append(asked._replace(tools=tools, failures=failures, marks=marks))
        if plan is None or not plan.steps or not self.plans:
            return
        if plan.says_little:
            self.short += 1
        else:
            marks = _marks(plan.mark, call_mark(first) if first is not None else "")
            self.rows.append(Told(plan.window, plan.message, "plan", plan.text, tools, plan.time, failures, marks))

    def texts(self) -> Texts:
        self._end()
        return Texts(self.rows, self.synthetic, self.short)


def _marks(*marks: str) -> tuple[str, ...]:
    return tuple(filter(None, marks))
