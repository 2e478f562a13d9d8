"""The session under the cursor: why it has its score, each part with where that stands, and what belongs to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memscope.base.text import counted
from memscope.reports.session_parts import place_words, told
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

    def show_session(self, row: RankedSession | None, at: float) -> None:
        """Shows a session as of a time; None: there is none."""
        self.display = row is not None
        self.show_linked([*_lines(row, at)] if row is not None else [])


def _lines(row: RankedSession, at: float) -> Iterator[Linked]:
    """The title, then what has a label, which is the score and what it rests on, and then what is only read."""
    lines = told(row, at)
    for line in sorted(lines, key=lambda line: 0 if line.look == "title" else 1 if line.label else 2):
        yield Linked(line.text, line.look, line.label, ToText(line.evidence) if line.evidence is not None else None)
    for name, place in row.holder:
        yield Linked(f"first of {name}: {place_words(place)}", goal=ToRow(place))
    if row.copy_of is not None:
        yield Linked(f"counts as part of {place_words(row.copy_of)}", goal=ToRow(row.copy_of))
    for place in row.copies[:_COPIES]:
        yield Linked(f"copy or sub-agent: {place_words(place)}", goal=ToRow(place))
    if (more := len(row.copies) - _COPIES) > 0:
        yield Linked(f"and {counted(more, 'more copy', 'more copies')}; c shows them", "note")
