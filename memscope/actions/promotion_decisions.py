"""What a person decides of patterns, kept in the journal: rejected, drafted, accepted; another name or another text for
the skill, members left out.

What is a skill on disk is one, whatever the journal says: the journal tells of it what it was made from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from memscope.promotion.model import Id
from memscope.promotion.pattern import Member
from memscope.store.database import Database
from memscope.store.journal import Entry, Journal

KIND = "promotion"

Verdict = Literal["draft", "accept", "reject", "name", "text", "drop", "keep"]
MemberName = tuple[Id, Id]
"""A member by its session's name and its own."""


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of a pattern: whether it is `rejected`; the `name` of its skill, "" for the one it has by default;
    the whole `text` of its SKILL.md, "" where that is made from the members; the members `dropped`. `about`: what the
    journal was told of the pattern as it was decided last (see `decided.told`), None where it was not."""

    rejected: bool = False
    name: str = ""
    text: str = ""
    dropped: frozenset[MemberName] = frozenset()
    about: Mapping[str, Any] | None = None


NOTHING = Said()


def name_of(member: Member) -> MemberName:
    return member.session_id, member.message_id


def said(database: Database | None, signatures: Iterable[str] | None = None) -> dict[str, Said]:
    """What was said of patterns, by signature (None: of all); those of which nothing is in force are left out. Raises
    `StoreError`."""
    if database is None:
        return {}
    wanted = None if signatures is None else list(signatures)
    return {subject: folded(entries) for subject, entries in Journal(database).all_entries(KIND, wanted).items()}


def folded(entries: Sequence[Entry]) -> Said:
    """What the decisions in force on a pattern, oldest first, add up to; what is not understood is passed over."""
    found = NOTHING
    for entry in entries:
        payload = entry.payload
        if entry.verdict in ("draft", "accept", "reject"):
            found = replace(found, rejected=entry.verdict == "reject", about=payload)
        elif entry.verdict in ("name", "text") and isinstance(payload.get(entry.verdict), str):
            found = replace(found, **{entry.verdict: payload[entry.verdict]})
        elif entry.verdict in ("drop", "keep"):
            names = frozenset(_names(payload.get("members")))
            dropped = found.dropped | names if entry.verdict == "drop" else found.dropped - names
            found = replace(found, dropped=dropped)
    return found


def decide(database: Database, signature: str, verdict: Verdict, payload: Mapping[str, Any]) -> None:
    """Keeps a decision on a pattern, on disk when this returns. Raises `StoreError`."""
    Journal(database).add(KIND, signature, verdict, payload)


def latest_step(database: Database, signatures: Iterable[str] | None = None) -> Entry | None:
    """The latest decision in force on any of these patterns (None: on any at all). Raises `StoreError`."""
    wanted = None if signatures is None else list(signatures)
    found = Journal(database).all_entries(KIND, wanted).values()
    return max((entries[-1] for entries in found), key=lambda entry: entry.id, default=None)


def undo_latest(database: Database, signature: str) -> None:
    """Takes back the latest decision in force on a pattern. Raises `StoreError`."""
    Journal(database).undo(KIND, signature)


def latest(database: Database) -> int:
    """A number that grows with every decision and undo, of any process. Raises `StoreError`."""
    return Journal(database).latest(KIND)


def _names(kept: object) -> Iterable[MemberName]:
    for one in kept if isinstance(kept, list) else []:
        if isinstance(one, list) and len(one) == 2 and all(isinstance(part, str | int) for part in one):
            yield one[0], one[1]
