"""Whether a session failed, and the line that says so.

What the agent marked as failed decides: a tool result that is an error, an exit code other than 0, an event of an
error, a turn that was broken off; the last such. It has to stand among the last 20 messages: agents fail at something
all the time and go on, and what a session worked past does not make it one that failed.

Where nothing could be marked (the agent's format has no way to and no result has an exit code, or no tool was used),
words decide: one of a few, as a word of its own and not negated, in one of the last 4 messages of the assistant or a
tool: the answer, and the two steps before it. Earlier ones say what the session was about, not how it ended.
"""

from __future__ import annotations

import re
from collections import deque
from typing import NamedTuple

from memscope.base.text import preview
from memscope.conversation.model import Message, ToolResult
from memscope.conversation.records import Fact
from memscope.sessions.facts import Evidence, Failure, FailureKind
from memscope.sessions.failing_words import failing_line, telling_line

ENDING = 20  # messages: what failed before them was worked past
LAST_WORDS = 4  # messages of assistant or tool whose words are looked at
EVIDENCE = 160  # characters that are kept of a line
_EXIT_CODE = re.compile(r"[^\n]{0,40}\bexit(?:ed)?\b[^\n]{0,20}\bcode:? *-?\d+[^\n]{0,20}\n", re.IGNORECASE)


_Placed = tuple[Message, int, int]
"""A message, its window and its index there."""


class _Marked(NamedTuple):
    """Something that was marked as failed, the message it stands in or behind, if there is any, and how many messages
    there were by then."""

    fact: Fact
    kind: FailureKind
    at: _Placed | None
    number: int


class Outcome:
    """Told every message and every fact of a conversation in their order, in the end it knows its failure."""

    def __init__(self, marks_failures: bool) -> None:
        self._marks_failures = marks_failures
        self._has_structure = False  # whether something was or could have been marked
        self._last: deque[_Placed] = deque(maxlen=LAST_WORDS)
        self._latest: _Placed | None = None
        self._count = 0
        self._marked: _Marked | None = None
        self._is_open = False  # whether the message that `_marked` is in may be yet to come
        self._was_told = False  # whether what the latest message says of a failure was told before it

    def message(self, message: Message, window: int, index: int) -> None:
        self._count += 1
        placed = self._latest = (message, window, index)
        self._was_told = False
        if self._is_open and self._marked is not None:
            self._is_open = False
            if _holds(message, self._marked.fact):
                self._was_told = True
                self._marked = self._marked._replace(at=placed, number=self._count)
        if self._has_structure or message.kind == "summary":
            return
        if message.role in ("assistant", "tool"):
            self._last.append(placed)
        results = (part for part in message.parts if type(part) is ToolResult)
        if any(self._marks_failures or result.is_error or result.exit_code is not None for result in results):
            self._has_structure = True
            self._last.clear()

    def fact(self, fact: Fact, kind: FailureKind) -> None:
        """A fact that is a failure. Formats tell it before or behind the message it is of."""
        self._has_structure = True
        before = self._marked
        is_told = self._latest is not None and not self._was_told and _holds(self._latest[0], fact)
        code = before if before is not None and before.kind == "exit_code" and before.at is self._latest else None
        if kind == "error" and code and code.fact.line == fact.line and (is_told or self._is_open):
            return  # a command that failed is marked as both, and the code says more
        self._marked = _Marked(fact, kind, self._latest, self._count)
        self._is_open = not is_told

    @property
    def failure(self) -> Failure | None:
        """Why the session failed, as far as it was told."""
        if not self._has_structure:
            return self._by_words()
        found = self._marked
        if found is None or self._count - found.number >= ENDING:
            return None
        _, window, index = found.at or (None, 0, 0)
        return Failure(found.kind, Evidence(window, index, found.fact.line, _words_of(found)))

    def _by_words(self) -> Failure | None:
        for message, window, index in reversed(self._last):
            line = failing_line(message.text)
            if line:
                return Failure("words", Evidence(window, index, message.line, preview(line, EVIDENCE)))
        return None


def _holds(message: Message, fact: Fact) -> bool:
    """Whether `fact` is one of `message`: they share the line, and the message says what the fact does."""
    if message.line != fact.line:
        return False
    if fact.kind == "interrupted":
        return fact.text in message.text
    results = (part for part in message.parts if isinstance(part, ToolResult))
    if fact.kind == "exit_code":
        return any(str(result.exit_code) == fact.text for result in results)
    return any(result.is_error and result.text.startswith(fact.text) for result in results)


def _words_of(found: _Marked) -> str:
    """The words that say most of what failed, on one line."""
    fact = found.fact
    if found.kind != "exit_code":
        return preview(telling_line(fact.text), EVIDENCE)
    code = f"exit code {fact.text}"
    results = [p for p in found.at[0].parts if isinstance(p, ToolResult)] if found.at else []
    said = next((r.text for r in results if str(r.exit_code) == fact.text), "")
    words = telling_line(_EXIT_CODE.sub("", said[:200], count=1) + said[200:], -1)
    return preview(f"{code}: {words}" if words else code, EVIDENCE)
