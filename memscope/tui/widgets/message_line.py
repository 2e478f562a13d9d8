"""The one line of a folded message: what stands where, and what gives way when the screen is narrow."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len

from memscope.base.cells import beginning, middle
from memscope.base.text import clean_line
from memscope.conversation.model import Conversation
from memscope.reports.figures import ResponseFigures
from memscope.reports.view import nats, signed
from memscope.tui.widgets.outline import Line

_ROLES = {"system": "S", "developer": "D", "user": "U", "assistant": "A", "tool": "T"}
_NUMBER = 7  # cells of a number of nats, its blank included
_LEAST_WORDS = 16  # cells of opening words that are worth more than another column
_NONE = "–"


def fold_sign(line: Line, *, plain: bool) -> str:
    """Whether there is something to unfold, or to fold; one cell."""
    if line.folded is None:
        return " "
    return ("+-" if plain else "▸▾")[0 if line.folded else 1]


def lead_of(conversation: Conversation, line: Line, *, plain: bool, roles: bool) -> tuple[str, str, str]:
    """What stands before a message's words: fold sign and index; its role (small: not said by it), where `roles` are
    shown; and whether it holds a memory."""
    digits = len(str(max(0, len(conversation.messages) - 1))) + 1
    if not conversation.messages:
        return " " * (digits + 3), "", ""
    message = conversation.messages[line.message]
    role = _ROLES.get(message.role, "?")
    role = role if message.kind == "said" else role.lower()
    memory = ("*" if plain else "◆") if message.memories else " "
    number = f"{fold_sign(line, plain=plain)} {f'#{line.message}':>{digits}} "
    return (number, f"{role} ", f"{memory} ") if roles else (number, "", "")


@dataclass(frozen=True, slots=True)
class Room:
    """Cells of a message's opening words and of the columns behind them; 0: a column that has given way."""

    words: int
    total: int
    top: int
    gap: int

    def header(self, lead: int) -> str:
        """The titles, behind a `lead` of so many cells."""
        said = " message".ljust(lead + self.words)[: lead + self.words]
        top = (" " + beginning("strongest memory", self.top - 1)).ljust(self.top) if self.top else ""
        return said + ("total".rjust(self.total) if self.total else "") + top + ("gap".rjust(self.gap)[: self.gap])

    def figures(self, figures: ResponseFigures, *, plain: bool) -> tuple[str, str, str]:
        """Total, strongest memory and gap."""
        total = _NONE if figures.total is None else nats(figures.total)
        if figures.total is not None and figures.left_out:
            total = (">" if plain else "≥") + total
        top = _NONE if figures.top is None else middle(clean_line(figures.top), max(0, self.top - 1))
        gap = _NONE if figures.gap is None else signed(figures.gap)
        return (
            total.rjust(self.total) if self.total else "",
            " " + top + " " * (self.top - 1 - cell_len(top)) if self.top else "",
            gap.rjust(self.gap) if self.gap else "",
        )


def room_of(width: int, lead: int, *, figures: bool) -> Room:
    """How a line `width` cells wide is divided: the gap gives way first, then the strongest memory, then the total."""
    words = max(0, width - lead)
    if figures:
        top = max(9, min(25, (words - 2 * _NUMBER) // 2))
        for room in (Room(0, _NUMBER, top, _NUMBER), Room(0, _NUMBER, top, 0), Room(0, _NUMBER, 0, 0)):
            left = words - room.total - room.top - room.gap
            if left >= _LEAST_WORDS:
                return Room(left, room.total, room.top, room.gap)
    return Room(words, 0, 0, 0)
