"""What a person changes in a file of lessons in the console, so that it can be taken back.

The journal has the memory before each change, and a digest of the one after it. As long as the file holds that, an undo
brings back what was; once others have written since, an undo takes back only what it can without losing theirs: the
rules that were added.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
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
Wait = Callable[[], object]
_WORDS: dict[str, str] = {"record": "the episodes that were recorded", "consolidate": "the rules that were derived"}


@dataclass(frozen=True, slots=True)
class Undone:
    """A change that was taken back: `what` it was in words. `partly`: others have written since, so that only the rules
    went; `gone`: they took them all out already, so that nothing was to be written."""

    what: str
    partly: bool = False
    gone: bool = False


def record(
    path: Path, episodes: Sequence[Episode], settings: Settings, database: Database | None, wait: Wait = lambda: None
) -> tuple[LessonsChangeDocument, StoreError | None]:
    """Records episodes as `lessons.record` does, and notes how to take them back; why that could not be noted, None
    where it could. `wait` is called again and again while others change the file, and may raise to end that."""
    before, after = file.changing(path, lambda memory: with_episodes(memory, episodes, settings), wait=wait)
    written = after is not before
    trouble = _note(path, "record", before, after, database) if written else None
    return change_document(path, "record", before, after, written=written), trouble


def keep(
    proposal: Proposal, database: Database | None, wait: Wait = lambda: None
) -> tuple[LessonsChangeDocument, StoreError | None]:
    """Keeps rules as `consolidation.keep` does, and notes how to take them back. `wait` as for `record`."""
    before, after, document = keep_rules(proposal, wait)
    trouble = _note(proposal.path, "consolidate", before, after, database) if document.written else None
    return document, trouble


def undo(path: Path, database: Database | None, wait: Wait = lambda: None) -> Undone | None:
    """Takes back the latest change of this file; None where there is none.

    Raises `UsageError` where others have written since what cannot be told apart from it: that is forgotten once it is
    said, so that the changes before it can be taken back. Raises `UsageError` for a file that is gone, `StoreError`,
    and what `lessons.record` does; it stays then.
    """
    entry = Journal(database).newest(KIND, _subject(path)) if database is not None else None
    if database is None or entry is None:
        return None
    if not path.exists():
        raise UsageError("the file is gone, so that nothing in it can be taken back", where=path)
    what, partly = _WORDS.get(entry.verdict, "a change"), False

    def back(memory: AgentMemory) -> AgentMemory:
        nonlocal partly
        before = _before(entry)
        if before is not None and _digest(memory) == entry.payload.get("after"):
            return before
        rules = _rules(entry)
        if rules is None:
            raise _TooLateError
        partly = True
        return consolidation.taken_back(memory, *rules)

    try:
        found, left = file.changing(path, back, wait=wait)
    except _TooLateError:
        Journal(database).undo(KIND, _subject(path))
        told = f"others have written to it since: {what} cannot be taken back any more"
        do = "That is forgotten, and the file is as it was: undo goes on to what was done before."
        raise UsageError(told, where=path, do=do) from None
    Journal(database).undo(KIND, _subject(path))
    return Undone(what, partly, gone=partly and left is found)


class _TooLateError(Exception):
    """What was done cannot be told apart from what others wrote since."""


def _note(
    path: Path, what: What, before: AgentMemory, after: AgentMemory, database: Database | None
) -> StoreError | None:
    if database is None:
        return StoreError("nothing is kept on disk (the setting store)")
    payload: dict[str, Any] = {"before": _packed(before), "after": _digest(after)}
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


def _packed(memory: AgentMemory) -> str:
    """A whole memory, for the journal: a file may be long, and each change notes it."""
    return b64encode(zlib.compress(json.dumps(document_of(memory)).encode())).decode()


def _before(entry: Entry) -> AgentMemory | None:
    try:
        return memory_of(json.loads(zlib.decompress(b64decode(str(entry.payload.get("before"))))))
    except (SourceError, ValueError, zlib.error):
        return None


def _rules(entry: Entry) -> tuple[AgentMemory, AgentMemory] | None:
    """The memory before a consolidation, and what of the one after it that is about; None for another change."""
    before, rules, at = _before(entry), entry.payload.get("rules"), entry.payload.get("at")
    if entry.verdict != "consolidate" or before is None or not isinstance(rules, list) or not isinstance(at, int):
        return None
    after = AgentMemory(global_rules=tuple(map(str, rules)), last_consolidated_at=at)
    return before, after
