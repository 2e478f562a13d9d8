"""What the Lessons pane offers to write to a file: all of the lessons, and the context block with what was cut."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from memscope.actions.export import write_document, write_text
from memscope.reports.lessons import LESSONS
from memscope.reports.lessons_context import LESSONS_CONTEXT
from memscope.tui.pane import Exported, Written

if TYPE_CHECKING:
    from memscope.base.job import Job
    from memscope.reports.lessons import LessonsDocument
    from memscope.reports.lessons_context import LessonsContextDocument

_OF_THE_BLOCK = (("block", "txt"), ("context", "json"), ("cut", "csv"))  # its text, all of it, and what it lacks


def offered(lessons: LessonsDocument, context: LessonsContextDocument | None) -> list[Exported | Written]:
    """`context`: the block that is shown, None for none."""
    found: list[Exported | Written] = [Exported("lessons", LESSONS, lambda: lessons)]
    if context is None:
        return found

    def write(form: str, path: Path, overwrite: bool, _job: Job) -> str:
        if form == "txt":
            text = f"{context.text}\n" if context.text else ""
            return f"written: {write_text(path, text, overwrite=overwrite)}"
        kind: Literal["json", "csv"] = "json" if form == "json" else "csv"
        return f"written: {write_document(LESSONS_CONTEXT, context, path, kind, overwrite=overwrite)}"

    return [*found, *(Written(name, (form,), write) for name, form in _OF_THE_BLOCK)]
