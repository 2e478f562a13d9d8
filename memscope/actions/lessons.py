"""The lessons in a file: read, recorded into, and the context block that is made of them.

The file is another program's as much as ours: it is read anew before every change, under a lock, and what a change is
not about stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.base.clock import now
from memscope.base.errors import SourceError, UsageError
from memscope.base.settings import CLASSIC
from memscope.base.text import byte_count
from memscope.conversation.unreadable import why
from memscope.lessons import file
from memscope.lessons.context import Context, context
from memscope.lessons.episode import episodes_of
from memscope.lessons.model import AgentMemory, Episode
from memscope.lessons.recording import recorded
from memscope.reports.lessons import LessonsDocument, lessons_document, why_nothing
from memscope.reports.lessons_change import LessonsChangeDocument, change_document
from memscope.reports.lessons_context import LessonsContextDocument, context_document

if TYPE_CHECKING:
    from memscope.base.settings import Settings

PATIENCE = 60.0
"""Seconds that a recorder waits for others: what it has to say is said once."""

LARGEST = 16 * 2**20  # bytes of JSON that episodes are read from


@dataclass(frozen=True, slots=True)
class Lessons:
    """What is in the file at `path`; of one that does not exist, a fresh memory."""

    path: Path
    exists: bool
    memory: AgentMemory

    @property
    def reason(self) -> str | None:
        """Why there is nothing; None where there is something."""
        return why_nothing(self.memory, exists=self.exists)

    def document(self) -> LessonsDocument:
        """What there is, as it is listed."""
        return lessons_document(self.path, self.memory, exists=self.exists)

    def context(self, task: str | None, settings: Settings, budget: int | None = None) -> LessonsContextDocument:
        """The context block for a task; `budget`: None for that of the settings."""
        return context_document(self.path, task, _context(self.memory, task, settings, budget))


def read_lessons(path: Path) -> Lessons:
    """What is in a file. Raises `SourceError` for one that holds no lessons, or cannot be read; it is left alone."""
    path = expanded(path)
    memory = file.read(path)  # first: it says what is wrong with a name that no file can have
    return Lessons(path, path.exists(), memory)


def lessons_path(settings: Settings, path: Path | None = None) -> Path:
    """The file that is named, or that of the settings. Raises `UsageError` for the ~ of somebody who does not exist."""
    return expanded(path if path is not None else Path(settings.lessons_file))


def expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise UsageError("there is no such home folder", where=path) from error


def _context(memory: AgentMemory, task: str | None, settings: Settings, budget: int | None) -> Context:
    if settings.compat == CLASSIC:
        return context(memory, task, None, classic=True)
    return context(memory, task, budget or settings.lessons_budget)


# Recording.


def read_episodes(text: str | bytes, where: str = "") -> list[Episode]:
    """The episodes in JSON: one as an object, or a list of them. Raises `SourceError` for what is no JSON, or no
    episode; `where` says what it was read from."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SourceError(_no_json(error), where=where or None) from error
    return episodes_of(document, where)


def _no_json(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return f"this is no JSON: line {error.lineno}: {error.msg}"
        case UnicodeDecodeError():
            return "this is no JSON, for it is no text"
        case RecursionError():
            return "the JSON is nested too deeply"
    return "it holds a number too long to read"


def read_episode_file(path: Path) -> list[Episode]:
    """The episodes in a file of JSON. Errors as `read_episodes`, and what the system says of the file."""
    path = expanded(path)
    try:
        with path.open("rb") as opened:
            text = opened.read(LARGEST + 1)
    except OSError as error:
        raise SourceError(why(error), where=path) from error
    if len(text) > LARGEST:
        raise SourceError(f"it is larger than {byte_count(LARGEST)}", where=path, do="Record it in parts.")
    return read_episodes(text, str(path))


def record(path: Path, episodes: Sequence[Episode], settings: Settings) -> LessonsChangeDocument:
    """Records episodes, all or none; they are on disk when this returns. Raises `SourceError` for a file that holds no
    lessons, `UsageError` for one that is locked too long, `MemscopeError` of the disk."""
    before, after = file.changing(path, lambda memory: with_episodes(memory, episodes, settings), patience=PATIENCE)
    return change_document(path, "record", before, after, written=after is not before)


def would_record(path: Path, episodes: Sequence[Episode], settings: Settings) -> LessonsChangeDocument:
    """What recording them would change; nothing is written. Errors as `record`."""
    before = file.read(path)
    return change_document(path, "record", before, with_episodes(before, episodes, settings), written=False)


def with_episodes(memory: AgentMemory, episodes: Sequence[Episode], settings: Settings) -> AgentMemory:
    """The memory with these episodes recorded, now."""
    for episode in episodes:
        memory = recorded(memory, episode, now(), classic=settings.compat == CLASSIC)
    return memory
