"""The session under the cursor: why it has its score, each part with where that stands, and what belongs to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from memscope.reports.session_parts import place_words, told
from memscope.tui.keys import key
from memscope.tui.widgets.links import Linked, Links

if TYPE_CHECKING:
    from memscope.sessions.facts import Evidence
    from memscope.sessions.ranked import Place, RankedSession

_COPIES = 20  # that are listed


@dataclass(frozen=True, slots=True)
class ToText:
    """To a place in the session's transcript."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class ToRow:
    """To another row of the table."""

    place: Place


class SessionDetail(Links):
    """Lines with an arrow lead somewhere: see `goal`, which is a `ToText`, a `ToRow` or None."""

    HELP = "Why the session has its score. A line with an arrow leads somewhere: Enter, or a click, goes there."

    BINDINGS: ClassVar[list[BindingType]] = [key("deeper", "enter", "deeper", "Go there", "To where the line leads")]

    def action_deeper(self) -> None:
        self.post_message(self.Chosen(self))

    def show_session(self, row: RankedSession | None, at: float, *, place: bool = False) -> None:
        """Shows a session as of a time; None: there is none, and nothing stands here unless its `place` is kept."""
        self.display = row is not None or place
        self.show_linked([*_lines(row, at)] if row is not None else [])


def _lines(row: RankedSession, at: float) -> Iterator[Linked]:
    """The title, what has a label, which is the score and what it rests on, other rows, then what is only read."""
    lines = told(row, at)
    title = [line for line in lines if line.look == "title"]
    labelled = [line for line in lines if line.label]
    for line in (*title, *labelled):
        yield Linked(line.text, line.look, line.label, ToText(line.evidence) if line.evidence is not None else None)
    yield from _others(row)
    for line in lines:
        if line not in title and not line.label:
            yield Linked(line.text, line.look)


def _others(row: RankedSession) -> Iterator[Linked]:
    """The rows that belong to it: who was first in its repositories, of what it is a part, what is part of it."""
    for name, place in row.holder:
        yield Linked(f"of {name}: {place_words(place)}", label="first", goal=ToRow(place))
    if row.copy_of is not None:
        yield Linked(place_words(row.copy_of), label="part of", goal=ToRow(row.copy_of))
    for number, place in enumerate(row.copies[:_COPIES]):
        yield Linked(place_words(place), label="" if number else "copies", goal=ToRow(place))
    if (more := len(row.copies) - _COPIES) > 0:
        yield Linked(f"and {more:,} more; c shows them", "note")
