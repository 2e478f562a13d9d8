"""The SKILL.md of the pattern under the cursor, as it would be written or is on disk, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions.promoting import draft_of, on_disk
from memscope.base.errors import MemscopeError
from memscope.base.files import shown_path
from memscope.base.text import counted
from memscope.tui.widgets.paragraphs import Look, Paragraph, Paragraphs

if TYPE_CHECKING:
    from memscope.actions.promoting import Draft
    from memscope.actions.promotion_decisions import Said
    from memscope.promotion.pattern import Pattern
    from memscope.promotion.skills_found import Skill

_FILE = "SKILL.md"
_DRAFTS = "_drafts"
_FENCE = "---"
_FLAGGED = 8  # messages that are named


@dataclass(frozen=True, slots=True)
class Drafted:
    """The `text` of a SKILL.md, and what is to be said of it before it is read."""

    text: str
    above: tuple[Paragraph, ...]


def drafted(pattern: Pattern, said: Said, skill: Skill | None, skills: Path) -> Drafted:
    """The draft of a pattern, or the `skill` it is on disk; in a thread."""
    if skill is not None:
        return _on_disk(pattern, skill)
    try:
        draft = draft_of(pattern, said)
    except MemscopeError as error:
        return Drafted("", (Paragraph("there is no draft", "title"), Paragraph(str(error), "warning")))
    name = draft.skill.name if draft.skill is not None else ""
    title = f"will be {shown_path(skills / _DRAFTS / name / _FILE)}"
    note = f"w writes it there; a makes it {shown_path(skills / name / _FILE)}"
    by_hand = [Paragraph("its text was changed by hand, or is a chat model's; c shows that", "note")]
    head = [Paragraph(title, "title"), Paragraph(note, "note"), *(by_hand if draft.is_own else [])]
    return Drafted(draft.text, (*head, *_checks(draft)))


def _on_disk(pattern: Pattern, skill: Skill) -> Drafted:
    is_what = "draft" if skill.is_draft else "accepted"
    head = [Paragraph(f"{is_what}: {shown_path(skill.path)}", "title")]
    head += [Paragraph("a makes it a skill as it is there; u takes it back", "note")] if skill.is_draft else []
    try:
        draft = on_disk(pattern, skill)
    except MemscopeError as error:
        return Drafted("", (*head, Paragraph(str(error), "warning")))
    return Drafted(draft.text, (*head, *_checks(draft)))


def _checks(draft: Draft) -> Iterator[Paragraph]:
    """What is wrong with a draft, and what a person should look at."""
    if not draft.errors:
        yield Paragraph("valid in the Agent Skills format", "note")
    for finding in draft.findings:
        yield Paragraph(f"{finding.severity}: {finding}", "warning" if finding.severity == "error" else "note")
    if draft.flags:
        yield Paragraph(f"look at its text: {'; '.join(draft.flags)}", "warning")
    for one in draft.flagged[:_FLAGGED]:
        words = f": {one.flag.words}" if one.flag.words else ""
        yield Paragraph(f"look at message {one.member + 1}: {one.flag.kind}{words}", "warning")
    if (more := len(draft.flagged) - _FLAGGED) > 0:
        yield Paragraph(f"and {counted(more, 'other place')} in its messages", "warning")


class DraftView(Paragraphs):
    """The text below what is said of it."""

    HELP = "The SKILL.md as it would be written, or as it is on disk; above it, what is wrong with it. y copies it."

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.text = ""

    def show_draft(self, draft: Drafted | None) -> None:
        """Shows a draft; None: there is none."""
        self.text = draft.text if draft is not None else ""
        self.show([*draft.above, Paragraph("", "note"), *_lines(draft.text)] if draft is not None else [])


def _lines(text: str) -> Iterator[Paragraph]:
    """The text as it is, its headings, quotations and frontmatter told apart."""
    head = text.startswith(_FENCE)
    for number, line in enumerate(text.split("\n")):
        is_fence = line == _FENCE
        look: Look = "note" if head or line.startswith(">") else "title" if line.startswith("#") else "text"
        head = head and not (is_fence and number)
        yield Paragraph(line, look)
