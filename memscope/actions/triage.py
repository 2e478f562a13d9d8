"""What a person decides of responses as training data: kept in the journal the moment it is decided, and undone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from memscope.actions.open import Opened, Opening, Sources
from memscope.conversation.units import Split
from memscope.store.database import Database
from memscope.store.journal import Entry, Journal
from memscope.triage import subjects as triage_subjects
from memscope.triage.decisions import (
    BUCKETS,
    EDIT,
    KIND,
    NOTE,
    Decided,
    Provenance,
    Whence,
    folded,
    provenance,
)

if TYPE_CHECKING:
    from memscope.conversation.model import Conversation
    from memscope.engines.protocol import EngineIdentity

Verdict = Literal["accept", "reject", "skip"]


@dataclass(frozen=True, slots=True)
class Decision:
    """A response by its subject, what is decided of it, and what is known of it then. `text`: of an edit (None: the
    response's own words) or a note."""

    subject: str
    verdict: Verdict | Literal["edit", "note"]
    known: Provenance
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Undone:
    """A decision that was taken back: its subject, and what it was in words."""

    subject: str
    what: str


def subjects_of(conversation: Conversation) -> dict[int, str]:
    """What decisions on the responses of a conversation are kept under, by message index; large ones take a moment."""
    return triage_subjects.subjects(conversation)


def known_of(
    opened: Opened, identity: EngineIdentity | None, message: int, effect: float | None, threshold: float | None
) -> Provenance:
    """What is known of a response as it is decided: the engine, the `effect` of all memories on it and the `threshold`
    in nats, and where it is."""
    name, model = (identity.name, identity.model) if identity is not None else ("", "")
    return Provenance(name, model, effect, threshold, _whence(opened, message))


def opening_of(source: Whence) -> Opening:
    """What opens the conversation of a decision again."""
    return Opening(
        Path(source.path),
        source.format,
        source.item,
        source.window,
        tuple(map(Path, source.memories)),
        next((split for split in get_args(Split) if split == source.split), None),
        next((sources for sources in get_args(Sources) if sources == source.sources), "memories"),
    )


def decided(database: Database, subjects: Collection[str]) -> dict[str, Decided]:
    """What was decided of responses, by their subject; those of which nothing is in force are left out. Raises
    `StoreError`."""
    return {subject: folded(found) for subject, found in Journal(database).all_entries(KIND, subjects).items()}


def decide(database: Database, decisions: Sequence[Decision]) -> None:
    """Keeps decisions as one step, on disk when this returns. Raises `StoreError`."""
    Journal(database).add_all(KIND, [(one.subject, one.verdict, _payload(one)) for one in decisions])


def undo(database: Database, subjects: Collection[str]) -> list[Undone]:
    """Undoes the latest step that touches any of these responses, whenever and by whom it was made; what it was.
    Empty: nothing is left to undo. Raises `StoreError`."""
    return [Undone(entry.subject, _words(entry)) for entry in Journal(database).undo_step(KIND, subjects)]


def latest(database: Database) -> int:
    """A number that grows with every decision and undo, of any process. Raises `StoreError`."""
    return Journal(database).latest(KIND)


def _payload(decision: Decision) -> dict[str, Any]:
    known = provenance(decision.known)
    return {**known, "text": decision.text} if decision.verdict in (EDIT, NOTE) else known


def _words(entry: Entry) -> str:
    if entry.verdict in BUCKETS:
        return BUCKETS[entry.verdict]
    return {EDIT: "a changed target", NOTE: "a note"}.get(entry.verdict, "a decision")


def _whence(opened: Opened, message: int) -> Whence | None:
    source, opening = opened.conversation.source, opened.opening
    if source is None:
        return None
    return Whence(
        path=str(source.path.absolute()),
        format=source.format,
        item=source.item,
        window=source.window,
        memories=tuple(str(path.absolute()) for path in opening.memories),
        split=opening.split,
        sources=opening.sources,
        message=message,
    )
