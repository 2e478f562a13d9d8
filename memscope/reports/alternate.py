"""What a chat model answers in place of a response, and how the two differ, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from memscope.clients.kept_chat import KeptReply
from memscope.conversation.model import ToolCall
from memscope.conversation.render import written
from memscope.reports.view import Document

Op = Literal["same", "removed", "added"]

_WORD = re.compile(r"\s+|\w+|[^\w\s]")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_MOST = 50_000_000  # pairs of pieces that are compared: what is longer is compared more coarsely


class AlternateCall(Document):
    """A tool call, its arguments as JSON text."""

    id: str
    name: str
    arguments: str


class Alternate(Document):
    """What a chat model answered to the prompt up to the response at `message` with all memories removed.

    `model`: which one; `at`: when, in seconds since the epoch; `cached`: it had been asked before.
    """

    message: int
    text: str
    calls: list[AlternateCall]
    model: str
    at: float
    cached: bool

    @property
    def written(self) -> str:
        """Its words with the tool calls behind them, in the form in which responses are shown."""
        return written(self.text, (ToolCall(call.id, call.name, call.arguments) for call in self.calls))


def alternate_row(message: int, kept: KeptReply) -> Alternate:
    calls = [AlternateCall(id=call.id, name=call.name, arguments=call.arguments) for call in kept.reply.calls]
    return Alternate(
        message=message, text=kept.reply.text, calls=calls, model=kept.model, at=kept.at, cached=kept.cached
    )


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of text that both texts have (`same`), or only the response (`removed`) or the alternate (`added`)."""

    op: Op
    text: str


def word_diff(response: str, alternate: str) -> list[Segment]:
    """How to get from the response to the alternate, in words: what is same and removed, put together, is the response;
    same and added the alternate. Very long texts are compared in lines, or in their beginnings and ends alone."""
    return list(_joined(_compared(_WORD.findall(response), _WORD.findall(alternate))))


def _compared(old: Sequence[str], new: Sequence[str]) -> Iterator[Segment]:
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    yield Segment("same", "".join(old[:head]))
    yield from _middle(old[head : len(old) - tail], new[head : len(new) - tail])
    yield Segment("same", "".join(old[len(old) - tail :]))


def _middle(old: Sequence[str], new: Sequence[str]) -> Iterator[Segment]:
    if len(old) * len(new) <= _MOST:
        yield from _matched(old, new)
        return
    lines = [_LINE.findall("".join(pieces)) for pieces in (old, new)]
    if [len(one) for one in lines] == [len(old), len(new)] or len(lines[0]) * len(lines[1]) > _MOST:
        yield from _replaced(old, new)
        return
    for op, before, after in _blocks(*lines):
        if op == "equal":
            yield Segment("same", "".join(before))
        elif not before or not after:
            yield from _replaced(before, after)
        else:
            words = [_WORD.findall("".join(block)) for block in (before, after)]
            if len(words[0]) * len(words[1]) <= _MOST // 100:  # of these there may be many
                yield from _matched(*words)
            else:
                yield from _replaced(before, after)


def _matched(old: Sequence[str], new: Sequence[str]) -> Iterator[Segment]:
    for op, before, after in _blocks(old, new):
        if op == "equal":
            yield Segment("same", "".join(before))
        else:
            yield from _replaced(before, after)


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
    """Runs that are equal in both, and what stands between them. Neither blanks nor, in long texts, words that come up
    all the time are a reason to see a likeness, and without them the search is a quick one."""
    for op, a, b, c, d in SequenceMatcher(str.isspace, old, new).get_opcodes():
        yield op, old[a:b], new[c:d]


def _replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[Segment]:
    yield Segment("removed", "".join(old))
    yield Segment("added", "".join(new))


def _shared(old: Sequence[str], new: Sequence[str]) -> int:
    """How many pieces two texts begin with together."""
    pairs = zip(old, new, strict=False)
    return next((place for place, (one, other) in enumerate(pairs) if one != other), min(len(old), len(new)))


def _joined(segments: Iterable[Segment]) -> Iterator[Segment]:
    """The same in few segments: what is removed in one place comes before what is added there, and what is the same
    between two changes is a part of them where it is blank, or shorter than either: a word that both happen to have."""
    runs: list[tuple[str, str, str]] = []  # what is the same, then what is removed and added behind it
    for segment in segments:
        text, (same, removed, added) = segment.text, runs.pop() if runs else ("", "", "")
        if segment.op == "removed":
            runs.append((same, removed + text, added))
        elif segment.op == "added":
            runs.append((same, removed, added + text))
        elif removed or added:
            runs += [(same, removed, added), (text, "", "")] if text else [(same, removed, added)]
        else:
            runs.append((same + text, "", ""))
    before, removed, added = 0, "", ""
    for same, gone, new in runs:
        size = max(len(gone), len(new))
        if before and size and (same.isspace() or len(same) <= min(before, size)):
            removed, added = removed + same + gone, added + same + new
        else:
            yield from _shown(removed, added, same)
            removed, added = gone, new
        before = size
    yield from _shown(removed, added, "")


def _shown(removed: str, added: str, same: str) -> Iterator[Segment]:
    runs: tuple[tuple[Op, str], ...] = (("removed", removed), ("added", added), ("same", same))
    return (Segment(op, text) for op, text in runs if text)
