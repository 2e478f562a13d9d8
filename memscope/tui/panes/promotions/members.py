"""The messages of the pattern under the cursor, each with where it stands, below what is known of the pattern."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from memscope.actions.promotion_decisions import MemberName, Said, name_of
from memscope.base.cells import middle
from memscope.base.clock import time_words
from memscope.base.files import shown_path
from memscope.base.text import clean_line, counted, preview
from memscope.tui.keys import key
from memscope.tui.widgets.links import Linked, Links

if TYPE_CHECKING:
    from memscope.promotion.pattern import Member, Pattern
    from memscope.reports.promotions import PromotionRow, PromotionSkill

_TITLE = 200  # characters
_TEXT = 150  # about two lines of a narrow screen
_DATE = 10  # characters of a time that are its day
_NAME = 22  # cells of a file's name
_NEAREST = "like it"
_INDENTED = " "  # a label of nothing
_SKILL = {"duplicate": "a duplicate: much the same is a skill already", "merge": "merge? it may belong into that skill"}


@dataclass(frozen=True, slots=True)
class ToMember:
    """A message of a pattern."""

    signature: str
    member: MemberName


class PatternMembers(Links):
    """Lines with an arrow are messages; `goal` is a `ToMember`, or None."""

    HELP = (
        "The messages of the pattern, the closest to its middle first, with their numbers; one with a ! has something "
        "to look at, which is told with the draft. Enter, or a click, leads into the transcript."
    )

    BINDINGS: ClassVar[list[BindingType]] = [key("deeper", "enter", "deeper", "Go there", "To where the line leads")]

    def action_deeper(self) -> None:
        self.post_message(self.Chosen(self))

    def show_pattern(self, pattern: Pattern, row: PromotionRow, said: Said, *, lexical: bool, unsteady: str) -> None:
        """Shows a pattern. `lexical`: it is one of words, whatever they mean; `unsteady`: why its stability is not
        known, where it is not."""
        self.show_linked([*_head(pattern, row, lexical=lexical, unsteady=unsteady), *_members(pattern, said)])

    def show_none(self) -> None:
        """There is no pattern."""
        self.show_linked([])


def _head(pattern: Pattern, row: PromotionRow, *, lexical: bool, unsteady: str) -> Iterator[Linked]:
    """What is known of the pattern as a whole."""
    yield Linked(preview(row.preview, _TITLE), "title")
    short = pattern.signature[:12]
    of = "" if short in row.name else f", of the pattern {short}"
    yield Linked(f"{row.name}{of}, {_state(row)}", label="skill")
    nearest = f"; the middle of the nearest other group is at {row.nearest:.2f}" if row.nearest is not None else ""
    yield Linked(f"{row.cohesion:.2f}, 1 where all say the same{nearest}", label="cohesion")
    if row.stability is not None:
        yield Linked(f"{row.stability:.2f}, 1 where all samples of the messages hold it", label="stability")
    else:
        yield Linked(unsteady, label="stability")
    if row.nearest_skill is not None:
        yield from _skill(row.nearest_skill, lexical=lexical)
    if row.flags:
        yield Linked(f"{'; '.join(row.flags)}: in the messages with a !", "warning", label="flags")


def _state(row: PromotionRow) -> str:
    if row.state == "grown" and row.decided:
        return f"grown from {row.decided[:64]}, on which was decided"
    return row.state


def _skill(skill: PromotionSkill, *, lexical: bool) -> Iterator[Linked]:
    if skill.verdict is None:
        far = "none is near by its words" if lexical else "none is near"
        yield Linked(f"{far}; the nearest is {skill.name} at {skill.similarity:.2f}", label=_NEAREST)
    else:
        yield Linked(f"{skill.name} {skill.similarity:.2f}: {_SKILL[skill.verdict]}", label=_NEAREST)
        yield Linked(shown_path(Path(skill.path)), "note", label=_INDENTED)


def _members(pattern: Pattern, said: Said) -> Iterator[Linked]:
    count = f"{counted(pattern.size, 'message')} of {counted(len(pattern.sessions), 'session')}"
    dropped = f", {len(said.dropped):,} dropped" if said.dropped else ""
    more = pattern.size - len(pattern.members)
    kept = f", the {len(pattern.members):,} closest of them here" if more > 0 else ""
    yield Linked(f"{count}{dropped}{kept}", "note", label="messages")
    for number, member in enumerate(pattern.members, 1):
        name = name_of(member)
        is_out = name in said.dropped
        text = preview(member.text, _TEXT)
        goal = ToMember(pattern.signature, name)
        label = f"{number} !" if member.flags and not is_out else str(number)
        yield Linked(f"(dropped) {text}" if is_out else text, "note" if is_out else "text", label=label, goal=goal)
        yield Linked(_where(member), "note", label=_INDENTED)


def _where(member: Member) -> str:
    """When a message was said, what was called for it, how close it is to the middle, and where it stands."""
    said = [time_words(member.time)[:_DATE]] if member.time is not None else []
    said += [" ".join(member.tools)] if member.tools else []
    name = member.ref.source.path.name if member.ref is not None else str(member.session_id)
    return " · ".join([*said, f"{member.closeness:.2f}", middle(clean_line(name), _NAME)])
