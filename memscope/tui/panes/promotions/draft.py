"""The SKILL.md of the pattern under the cursor, as it would be written or is on disk, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions.promoting import draft_of, on_disk, places
from memscope.base.errors import MemscopeError
from memscope.base.files import shown_path
from memscope.base.text import counted
from memscope.tui.widgets.paragraphs import Look, Paragraph, Paragraphs

if TYPE_CHECKING:
    from memscope.actions.promoting import Draft
    from memscope.actions.promotion_decisions import Said
    from memscope.promotion.pattern import Pattern
    from memscope.promotion.skills_found import Skill

_FENCE = "---"
_FLAGGED = 8  # that are told one by one
_FIELD = re.compile(r"  (?:memscope-)?([\w-]+):")
_METADATA = "metadata:"


@dataclass(frozen=True, slots=True)
class Drafted:
    """The `text` of a SKILL.md, and what is to be said of it before it is read."""

    text: str
    above: tuple[Paragraph, ...]


def drafted(pattern: Pattern, said: Said, skill: Skill | None, skills: Path, back: str) -> Drafted:
    """The draft of a pattern, or the `skill` it is on disk; in a thread. `back`: how that is taken back, in words."""
    if skill is not None:
        return _on_disk(pattern, said, skill, back)
    try:
        draft = draft_of(pattern, said)
    except MemscopeError as error:
        return Drafted("", (Paragraph("there is no draft", "title"), Paragraph(str(error), "warning")))
    there, accepted = places(skills, draft.skill.name if draft.skill is not None else "")
    note = f"w writes it there; a makes it {shown_path(accepted)}"
    by_hand = [Paragraph("its text was changed by hand, or is a chat model's; c shows that", "note")]
    head = [Paragraph(f"will be {shown_path(there)}", "title"), Paragraph(note, "note")]
    return Drafted(draft.text, (*head, *(by_hand if draft.is_own else []), *_checks(draft)))


def _on_disk(pattern: Pattern, said: Said, skill: Skill, back: str) -> Drafted:
    where = shown_path(skill.path)
    if not skill.is_draft:
        head = [Paragraph(f"accepted: {where}", "title")]
    elif said.rejected:
        head = [Paragraph(f"rejected; its draft stays at {where}", "title")]
        head += [Paragraph("a makes it a skill all the same, as it is there", "note")]
    else:
        words = "a makes it a skill as it is there, r rejects it"
        head = [Paragraph(f"draft: {where}", "title"), Paragraph(f"{words}; {back}" if back else words, "note")]
    try:
        draft = on_disk(pattern, skill, said.dropped)
    except MemscopeError as error:
        return Drafted("", (*head, Paragraph(str(error), "warning")))
    return Drafted(draft.text, (*head, *_checks(draft)))


def _checks(draft: Draft) -> Iterator[Paragraph]:
    """What is wrong with a draft, and what a person should look at."""
    if not draft.errors:
        yield Paragraph("valid in the Agent Skills format", "note")
    for finding in draft.findings:
        yield Paragraph(f"{finding.severity}: {finding}", "warning" if finding.severity == "error" else "note")
    marks = dict.fromkeys(_told(mark.kind, mark.words) for mark in draft.marks)
    yield from _flagged([f"look at its text: {words}" for words in marks], "its text")
    members: dict[str, list[int]] = {}
    for one in draft.flagged:
        members.setdefault(_told(one.flag.kind, one.flag.words), []).append(one.member + 1)
    found = [f"look at {_numbered(numbers)}: {words}" for words, numbers in members.items()]
    yield from _flagged(found, "its messages")


def _flagged(found: Sequence[str], where: str) -> Iterator[Paragraph]:
    for words in found[:_FLAGGED]:
        yield Paragraph(words, "warning")
    if (more := len(found) - _FLAGGED) > 0:
        yield Paragraph(f"and {counted(more, 'other thing')} to look at in {where}", "warning")


def _told(kind: str, words: str) -> str:
    return f"{kind}: {words}" if words else kind


def _numbered(numbers: Iterable[int]) -> str:
    """Messages by their numbers, those that follow each other as a range: "messages 1-4, 7"."""
    ordered = list(dict.fromkeys(numbers))
    runs = [[at for _, at in run] for _, run in groupby(enumerate(ordered), lambda pair: pair[1] - pair[0])]
    said = ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
    return f"message{'s' if len(ordered) > 1 else ''} {said}"


class DraftView(Paragraphs):
    """The text below what is said of it."""

    HELP = (
        "The SKILL.md as it would be written, or as it is on disk; above it, what is wrong with it, and what a person "
        "should look at before an agent reads it. Its metadata are one line here; y copies all of it."
    )

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.text = ""

    def show_draft(self, draft: Drafted | None) -> None:
        """Shows a draft; None: there is none."""
        self.text = draft.text if draft is not None else ""
        self.show([*draft.above, Paragraph("", "note"), *_lines(draft.text)] if draft is not None else [])


def _lines(text: str) -> Iterator[Paragraph]:
    """The text as it is, its headings, quotations and frontmatter told apart; of metadata only what there is."""
    lines = text.split("\n")
    ends = next((number for number, line in enumerate(lines) if number and line == _FENCE), 0)
    head = lines[: ends + 1] if lines[0] == _FENCE else []
    for line in _folded(head):
        yield Paragraph(line, "note")
    for line in lines[len(head) :]:
        look: Look = "note" if line.startswith(">") else "title" if line.startswith("#") else "text"
        yield Paragraph(line, look)


def _folded(head: Sequence[str]) -> Iterator[str]:
    """Frontmatter with one line for its metadata, which would fill the screen."""
    at = 0
    while at < len(head):
        if head[at] != _METADATA:
            yield head[at]
            at += 1
            continue
        end = next((number for number in range(at + 1, len(head)) if not head[number].startswith(" ")), len(head))
        names = [match[1].replace("-", " ") for line in head[at + 1 : end] if (match := _FIELD.match(line)) is not None]
        yield f"{_METADATA} ({', '.join(names)})"
        at = end
