"""What an export of training data holds, and what it left out: the manifest that is written beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from memscope.base.text import counted
from memscope.reports.view import Column, Document, View

_NAMED = 3  # responses in which the same is wrong: more are counted


class TrainingEngine(Document):
    """What the decisions of so many lines were made on: an engine's numbers, and what a response had to owe to all
    memories then, in nats."""

    engine: str
    model: str
    threshold: float | None
    lines: int


class TrainingSource(Document):
    """A conversation: its place in a file, the SHA-256 of its native form as it was opened, and its lines."""

    path: str
    item: int
    window: int
    title: str
    sha256: str
    lines: int
    validation: bool


class TrainingFile(Document):
    """A file beside the manifest, and the SHA-256 of its bytes."""

    name: str
    part: Literal["training", "validation"]
    lines: int
    sha256: str


class LeftOut(Document):
    """So many accepted responses are in no line, for one reason."""

    reason: str
    count: int


class TrainingError(Document):
    """A response, by message index, that should be in a line and is not. `message`: as it was when it was decided; null
    where that is not known."""

    source: str
    item: int
    message: int | None
    error: str


class TrainingDocument(Document):
    """`accepted` responses are `written` in one line each, or left out, or in error. `when`: ISO 8601, UTC; `memscope`:
    its version; `conversations`: how many there are, which no two files share. No `files`: nothing was written."""

    schema_: Literal["memscope/training@1"] = Field("memscope/training@1", alias="schema")
    format: Literal["sft", "dpo", "trl"]
    memscope: str
    when: str
    accepted: int
    written: int
    left_out: list[LeftOut]
    errors: list[TrainingError]
    conversations: int
    validation: float
    engines: list[TrainingEngine]
    sources: list[TrainingSource]
    files: list[TrainingFile]


def training_words(document: TrainingDocument) -> list[str]:
    """What was written and what was not, a sentence each."""
    if not document.accepted:
        return ["No response is accepted: decide in the Fine-tune pane of the console."]
    said = [
        f"{file.name}: {counted(file.lines, 'line')} for {file.part}, checked as {document.format}."
        for file in document.files
    ]
    if document.files and document.validation and document.conversations == 1:
        said.append("All lines are of one conversation, so none are set aside for validation.")
    if not document.files:
        said.append(f"Nothing is written of {counted(document.accepted, 'accepted response')}.")
    said += [f"Left out: {counted(one.count, 'response')}: {one.reason}." for one in document.left_out]
    if document.errors:
        said.append(f"{counted(len(document.errors), 'accepted response')} could not be exported.")
    return said


def error_lines(document: TrainingDocument) -> list[str]:
    """What is wrong with which responses: a line for each thing that is wrong with some of a conversation's."""
    alike: dict[tuple[str, int, str], list[TrainingError]] = {}
    for error in document.errors:
        alike.setdefault((error.source, error.item, error.error), []).append(error)
    return [_error_line(errors) for errors in alike.values()]


def _error_line(errors: Sequence[TrainingError]) -> str:
    first = errors[0]
    place = f"{first.source} (item {first.item})" if first.item else first.source
    messages = [f"#{error.message}" for error in errors if error.message is not None]
    if len(errors) > _NAMED or not messages:
        return ", ".join(filter(None, (place, counted(len(errors), "response")))) + f": {first.error}"
    return ", ".join(filter(None, (place, *messages))) + f": {first.error}"


TRAINING: View[TrainingDocument, TrainingSource] = View(
    "training",
    TrainingDocument,
    lambda document: document.sources,
    lambda _: (
        Column("conversation", lambda row: row.title, wide=True),
        Column("lines", lambda row: row.lines, "lines"),
        Column("part", lambda row: "validation" if row.validation else "training"),
        Column("item", lambda row: row.item, "index", rank=2),
        Column("window", lambda row: row.window, "index", rank=2),
        Column("source", lambda row: row.path, rank=1),
    ),
)
