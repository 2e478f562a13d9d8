"""What a person changes in a file of lessons in the console, so that it can be taken back.

The journal has the memory before each change, and a digest of the one after it. As long as the file holds that, an undo
brings back what was; once others have written since, an undo takes back only what it can without losing theirs: the
rules that were added.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memscope.actions.consolidation import Proposal
from memscope.actions.consolidation import keep as keep_rules
from memscope.actions.lessons import with_episodes
from memscope.base.errors import SourceError, StoreError, UsageError
from memscope.lessons import consolidation, file
from memscope.lessons.document import document_of, memory_of
from memscope.lessons.model import AgentMemory, Episode
from memscope.reports.lessons_change import LessonsChangeDocument, What, change_document
from memscope.store.database import Database
from memscope.store.journal import Entry, Journal

if TYPE_CHECKING:
    from memscope.base.settings import Settings

KIND = "lessons"
Store = Database
_WORDS: dict[str, str] = {"record": "the episodes that were recorded", "consolidate": "the rules that were derived"}


@dataclass(frozen=True, slots=True)
class Undone:
    """A change that was taken back: `what` it was in words. `partly`: others have written since, so that only the rules
    went."""

    what: str
    partly: bool = False


def record(
    path: Path, episodes: Sequence[Episode], settings: Settings, database: Database | None
) -> tuple[LessonsChangeDocument, StoreError | None]:
    """Records episodes as `lessons.record` does, and notes how to take them back; why that could not be noted, None
    where it could."""
    before, after = file.changing(path, lambda memory: with_episodes(memory, episodes, settings))
    written = after is not before
    trouble = _note(path, "record", before, after, database) if written else None
    return change_document(path, "record", before, after, written=written), trouble


def keep(proposal: Proposal, database: Database | None) -> tuple[LessonsChangeDocument, StoreError | None]:
    """Keeps rules as `consolidation.keep` does, and notes how to take them back."""
    before, after, document = keep_rules(proposal)
    trouble = _note(proposal.path, "consolidate", before, after, database) if document.written else None
    return document, trouble


def can_undo(path: Path, database: Database | None) -> bool:
    """Whether a change of this file is noted. Raises `StoreError`."""
    return database is not None and bool(Journal(database).entries(KIND, _subject(path)))


def undo(path: Path, database: Database | None) -> Undone | None:
    """Takes back the latest change of this file; None where there is none. Raises `UsageError` where others have
    written since what cannot be told apart from it, `StoreError`, and what `lessons.record` does; it stays then."""
    entries = Journal(database).entries(KIND, _subject(path)) if database is not None else []
    if database is None or not entries:
        return None
    entry = entries[-1]
    partly = False

    def back(memory: AgentMemory) -> AgentMemory:
        nonlocal partly
        before = _before(entry)
        if before is not None and _digest(memory) == entry.payload.get("after"):
            return before
        rules = _rules(entry)
        if rules is None:
            what = f"others have written to it since {_WORDS['record']} here, which cannot be taken back any more"
            raise UsageError(what, where=path, do=f"What it was before is in {path.name}.bak, or was.")
        partly = True
        return consolidation.taken_back(memory, *rules)

    file.changing(path, back)
    Journal(database).undo(KIND, _subject(path))
    return Undone(_WORDS.get(entry.verdict, "a change"), partly)


def _note(
    path: Path, what: What, before: AgentMemory, after: AgentMemory, database: Database | None
) -> StoreError | None:
    if database is None:
        return StoreError("nothing is kept on disk, so that it cannot be taken back")
    payload: dict[str, Any] = {"before": document_of(before), "after": _digest(after)}
    payload |= {"rules": [*after.global_rules], "at": after.last_consolidated_at}
    try:
        Journal(database).add(KIND, _subject(path), what, payload)
    except StoreError as error:
        return error
    return None


def _subject(path: Path) -> str:
    return os.path.realpath(path)


def _digest(memory: AgentMemory) -> str:
    text = json.dumps(document_of(memory), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _before(entry: Entry) -> AgentMemory | None:
    try:
        return memory_of(entry.payload.get("before"))
    except SourceError:
        return None


def _rules(entry: Entry) -> tuple[AgentMemory, AgentMemory] | None:
    """The memory before a consolidation, and what of the one after it that is about; None for another change."""
    before, rules, at = _before(entry), entry.payload.get("rules"), entry.payload.get("at")
    if entry.verdict != "consolidate" or before is None or not isinstance(rules, list) or not isinstance(at, int):
        return None
    after = AgentMemory(global_rules=tuple(map(str, rules)), last_consolidated_at=at)
    return before, after
