"""The context block of the row under the cursor, as the next episode's prompt would have it, and what was cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from memscope.base.text import preview
from memscope.reports.lessons_context import context_words
from memscope.tui.widgets.paragraphs import Paragraph, Paragraphs

if TYPE_CHECKING:
    from memscope.reports.lessons_context import LessonsContextDocument

_HEADING, _BULLET = "## ", "  - "


class BlockView(Paragraphs):
    """The text of the block below how long it is, and the lines that had no room below that."""

    HELP = (
        "The context block: what an agent is told of past episodes when the next one of this task begins, within the "
        "budget. Under it stands what had no room. t sets another budget, y copies the block."
    )

    def show_block(self, document: LessonsContextDocument | None, task: str = "", *, chosen: bool = False) -> None:
        """Shows a block for a task, as that is called; None: there is none. `chosen`: its budget is not the one of the
        settings."""
        self.show([*_paragraphs(document, task, chosen=chosen)] if document is not None else [])


def _paragraphs(document: LessonsContextDocument, task: str, *, chosen: bool) -> Iterator[Paragraph]:
    of = "no task" if document.task is None else preview(task, 40)
    budget = f" · t: {document.budget:,}" if chosen and document.budget is not None else ""
    yield Paragraph(f"Context block for {of}: {context_words(document)}{budget}", "title")
    if not document.text:
        why = "Nothing fits into the budget." if document.cut else "There is nothing to say yet: the block is empty."
        yield Paragraph(why, "note")
    for line in document.text.split("\n") if document.text else ():
        if line.startswith(_BULLET):
            yield Paragraph(line.removeprefix(_BULLET), lead=_BULLET)
        else:
            yield Paragraph(line, "title" if line.startswith(_HEADING) else "text")
    if document.cut:
        yield Paragraph("")
        yield Paragraph("Cut: these had no room; t sets another budget", "title")
        for one in document.cut:
            yield Paragraph(f"{one.section}: {one.line}", "note")
