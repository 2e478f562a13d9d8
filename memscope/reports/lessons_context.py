"""The context block for a task, and what its budget left out."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from memscope.base.text import counted
from memscope.lessons.context import Context
from memscope.reports.view import Column, Document, View


class LessonsCut(Document):
    """A line that was left out, and the section it would have stood in."""

    section: str
    line: str


class LessonsContextDocument(Document):
    """`task`: null for none, so that only what is general is told. `tokens` of four characters that `text` has, of a
    `budget`, null for none. `text`: "" where there is nothing to say."""

    schema_: Literal["memscope/lessons-context@1"] = Field("memscope/lessons-context@1", alias="schema")
    source: str
    task: str | None
    budget: int | None
    tokens: int
    text: str
    cut: list[LessonsCut]


def context_document(path: Path, task: str | None, made: Context) -> LessonsContextDocument:
    """The document of a block."""
    cut = [LessonsCut(section=one.section, line=one.line) for one in made.cut]
    return LessonsContextDocument(
        source=str(path), task=task, budget=made.budget, tokens=made.tokens, text=made.text, cut=cut
    )


def context_words(document: LessonsContextDocument) -> str:
    """How long the block is, and how much was cut."""
    of = "" if document.budget is None else f" of {document.budget:,}"
    cut = f", {counted(len(document.cut), 'line')} cut" if document.cut else ""
    return f"{counted(document.tokens, 'token') if not of else f'{document.tokens:,}{of} tokens'}{cut}"


CUT_COLUMNS: tuple[Column[LessonsCut], ...] = (
    Column("section", lambda row: row.section),
    Column("line", lambda row: row.line, wide=True),
)

LESSONS_CONTEXT: View[LessonsContextDocument, LessonsCut] = View(
    "lessons-context", LessonsContextDocument, lambda document: document.cut, lambda _: CUT_COLUMNS
)
