"""What a person decides of memories: to prune, keep or pin one, that it is harmful, and notes; kept in the journal.

A decision is about a memory's key and text, as it stood last, so it holds in every conversation that has the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from memscope.actions.engine import open_store
from memscope.actions.runs import text_digest
from memscope.actions.score import unknown_memory
from memscope.base.errors import UsageError
from memscope.base.settings import Settings
from memscope.base.text import preview
from memscope.conversation.model import Conversation, MemoryEntry
from memscope.reports.memory_columns import MemoryDecision
from memscope.store.database import Database
from memscope.store.journal import Decision, Entry, Journal

KIND = "memory"

VERDICTS: tuple[MemoryDecision, ...] = get_args(MemoryDecision)
CLEAR, NOTE = "clear", "note"


@dataclass(frozen=True, slots=True)
class Step:
    """One decision in force, when it was made (seconds since the epoch), and the words of a note."""

    at: float
    verdict: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What a person has said of a memory: the verdict in force ("" for none), when, what was known then, a note, and
    every step that led there, oldest first.

    `about` holds, where it was known, `key`, `source` (a path), `engine`, `model`, and `total` in nats.
    """

    verdict: MemoryDecision | Literal[""] = ""
    at: float | None = None
    about: Mapping[str, Any] | None = None
    note: str = ""
    steps: tuple[Step, ...] = ()


SAID_NOTHING = Said()


@dataclass(frozen=True, slots=True)
class KnownThen:
    """What is known while something is decided: the engine, its model, and the totals of memories in nats."""

    engine: str = ""
    model: str = ""
    totals: Mapping[str, float | None] | None = None


@dataclass(frozen=True, slots=True)
class Undone:
    """A decision that was taken back: about the memory `key`, and what it said."""

    key: str
    verdict: str


def memory_subject(key: str, text: str) -> str:
    """What the decisions on a memory are kept under: its key, and the `text_digest` of its text."""
    return f"{text} {key}"


def subject_of(memory: MemoryEntry) -> str:
    """The same for a memory of a conversation: of its text as it stood last."""
    return memory_subject(memory.key, text_digest(memory.texts[-1]))


def verdicts_on_any(database: Database) -> dict[str, MemoryDecision]:
    """The verdicts in force on memories wherever they are, by their `memory_subject`. Raises `StoreError`."""
    found = {subject: folded(entries).verdict for subject, entries in Journal(database).all_entries(KIND).items()}
    return {subject: verdict for subject, verdict in found.items() if verdict}


def said_of(database: Database, conversation: Conversation) -> dict[str, Said]:
    """What was said of the memories of a conversation, by key; those of which nothing was are not in it. Raises
    `StoreError`."""
    subjects = {subject_of(memory): memory.key for memory in conversation.memories}
    found = Journal(database).all_entries(KIND, subjects)
    return {subjects[subject]: folded(entries) for subject, entries in found.items()}


def folded(entries: Iterable[Entry]) -> Said:
    """What the decisions in force on one memory, oldest first, add up to; what is not understood is passed over."""
    found = SAID_NOTHING
    for entry in entries:
        text = entry.payload.get("text")
        verdict = next((known for known in VERDICTS if known == entry.verdict), None)
        if verdict is not None:
            found = replace(found, verdict=verdict, at=entry.at, about=entry.payload)
        elif entry.verdict == CLEAR:
            found = replace(found, verdict="", at=None, about=None)
        elif entry.verdict == NOTE and isinstance(text, str):
            found = replace(found, note=text)
        else:
            continue
        step = Step(entry.at, entry.verdict, text if entry.verdict == NOTE and isinstance(text, str) else "")
        found = replace(found, steps=(*found.steps, step))
    return found


def decide(
    database: Database,
    conversation: Conversation,
    keys: Sequence[str],
    verdict: MemoryDecision | Literal["clear"] | None,
    *,
    note: str | None = None,
    known: KnownThen | None = None,
) -> None:
    """Keeps a verdict on some memories, a note on them, or both, as one step: `undo_decision` undoes it as one.

    Raises `UsageError` for a key that is not in the conversation, `StoreError`; nothing is kept then.
    """
    memories = {memory.key: memory for memory in conversation.memories}
    for key in keys:
        if key not in memories:
            raise unknown_memory(key, list(memories))
    chosen = [memories[key] for key in dict.fromkeys(keys)]
    decisions: list[Decision] = []
    for memory in chosen:
        if verdict is not None:
            decisions.append((subject_of(memory), verdict, _payload(conversation, memory, known or KnownThen())))
        if note is not None:
            decisions.append((subject_of(memory), NOTE, {"text": note}))
    Journal(database).add_all(KIND, decisions)


def undo_decision(database: Database, conversation: Conversation) -> list[Undone]:
    """Takes back the latest step on memories of the conversation; empty when there is nothing to undo. Raises
    `StoreError`."""
    subjects = {subject_of(memory): memory.key for memory in conversation.memories}
    undone = Journal(database).undo_step(KIND, subjects)
    return [Undone(subjects.get(entry.subject, entry.subject.partition(" ")[2]), entry.verdict) for entry in undone]


def latest_decision(database: Database) -> int:
    """A number that grows with every decision on any memory: it tells whether another process has made one."""
    return Journal(database).latest(KIND)


@contextmanager
def decisions_kept(settings: Settings) -> Iterator[Database]:
    """The store, for a command that needs what was decided. Raises `UsageError` where it is off, `StoreError`."""
    database = open_store(settings)
    if database is None:
        raise UsageError("decisions are kept in the store, which is off", do="Switch the setting store on.")
    try:
        yield database
    finally:
        database.close()


def _payload(conversation: Conversation, memory: MemoryEntry, known: KnownThen) -> dict[str, Any]:
    source = conversation.source
    told: dict[str, Any] = {"key": memory.key, "text": preview(memory.texts[-1], 200)}
    if source is not None:
        told |= {"source": str(source.path.absolute()), "item": source.item, "window": source.window}
    if known.engine:
        told |= {"engine": known.engine, "model": known.model}
    total = (known.totals or {}).get(memory.key)
    return told if total is None else {**told, "total": total}
