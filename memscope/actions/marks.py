"""A person's own marks, kept in the journal: lines of a message that are a memory though no rule knows them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from memscope.base.errors import UsageError
from memscope.base.settings import Settings, data_dir
from memscope.conversation.marks import Mark, lines_at, mark_key, refusal
from memscope.store.database import FILE_NAME, Database
from memscope.store.journal import Entry, Journal

if TYPE_CHECKING:
    from memscope.actions.open import Opened

KIND = "mark"
_MARKED, _UNMARKED = "mark", "unmark"


def marks_of(database: Database, subject: str) -> list[Mark]:
    """The marks in force on a conversation (`Opened.subject`), oldest first. Raises `StoreError`."""
    marks: dict[Mark, None] = {}
    for entry in Journal(database).entries(KIND, subject):
        mark = _mark_of(entry)
        if mark is not None and entry.verdict == _MARKED:
            marks[mark] = None
        elif mark is not None and entry.verdict == _UNMARKED:
            marks.pop(mark, None)
    return list(marks)


def add_mark(database: Database, opened: Opened, message: int, start: int, end: int, *, key: str = "") -> Mark:
    """Makes the lines that `start` to `end` touch in a message of `opened.conversation` a memory, for good.

    `key`: what it is called; by default one is made of its words. What is open shows it after `opened.again`. Raises
    `UsageError` for what cannot be marked, `StoreError`.
    """
    why = refusal(opened.marked, Mark(message, start, end, ""))
    if why:
        do = "Mark lines of a message that is no response."
        raise UsageError(f"this cannot be marked: {why}", where=f"message #{message}", do=do)
    shown, index = opened.marked.messages[message], message - opened.in_front
    first, last = lines_at(shown, start, end)
    # A text may have been given a newline, because memories from disk follow it.
    last = min(last, len(opened.loaded.messages[index].text))
    mark = Mark(index, first, last, key or mark_key(shown.text[first:last]))
    Journal(database).add(KIND, opened.subject, _MARKED, _payload(mark))
    return mark


def remove_mark(database: Database, opened: Opened, message: int, at: int) -> Mark | None:
    """Takes back the mark that covers the character `at` of a message of `opened.conversation`, and returns it; None
    where there is none. Raises `StoreError`."""
    index = message - opened.in_front
    for mark in marks_of(database, opened.subject):
        if mark.message == index and mark.start <= at < mark.end:
            Journal(database).add(KIND, opened.subject, _UNMARKED, _payload(mark))
            return mark
    return None


def undo_mark(database: Database, opened: Opened) -> Mark | None:
    """Undoes the latest mark of a conversation, or the latest taking back of one, and returns that mark; None when
    there is nothing to undo. Raises `StoreError`."""
    entry = Journal(database).undo(KIND, opened.subject)
    return None if entry is None else _mark_of(entry)


def kept_marks(subject: Callable[[], str], settings: Settings, database: Database | None) -> list[Mark]:
    """The marks of a conversation, for opening it. `subject` is asked only where there are marks at all.

    Without a `database` the store is looked into if it is on and there, and never made. Raises `StoreError`,
    `SettingsError`.
    """
    if database is not None:
        return _marks_in(database, subject)
    if not settings.store or not os.path.isfile(data_dir() / FILE_NAME):  # noqa: PTH113 - which never raises
        return []
    own = Database(data_dir())
    try:
        return _marks_in(own, subject)
    finally:
        own.close()


def _marks_in(database: Database, subject: Callable[[], str]) -> list[Mark]:
    return marks_of(database, subject()) if Journal(database).has(KIND) else []


def _payload(mark: Mark) -> dict[str, object]:
    return {"message": mark.message, "start": mark.start, "end": mark.end, "key": mark.key}


def _mark_of(entry: Entry) -> Mark | None:
    """The mark an entry tells of; None when it does not."""
    told = entry.payload
    message, start, end, key = (told.get(name) for name in ("message", "start", "end", "key"))
    if isinstance(message, int) and isinstance(start, int) and isinstance(end, int) and isinstance(key, str):
        return Mark(message, start, end, key)
    return None
