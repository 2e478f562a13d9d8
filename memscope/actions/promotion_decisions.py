"""What a person decides of patterns, kept in the journal: rejected, drafted, accepted; another name or another text for
the skill, members left out.

What is a skill on disk is one, whatever the journal says: the journal tells of it what it was made from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from memscope.promotion.model import Id
from memscope.promotion.pattern import Member, Pattern
from memscope.promotion.skill_reading import read
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


def left(pattern: Pattern, dropped: frozenset[MemberName]) -> list[Member]:
    """The members of a pattern that were not dropped, the closest first."""
    return [member for member in pattern.members if name_of(member) not in dropped]


def name_given(said: Said) -> str:
    """What its skill was called by a person, or is in the text that was written for it; "" where neither says."""
    if said.name or not said.text:
        return said.name
    skill = read(said.text).skill
    return skill.name if skill is not None else ""


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
            given = {field: payload[field] for field in ("name", "text") if isinstance(payload.get(field), str)}
            found = replace(found, **given)  # a text may come with the name that it has
        elif entry.verdict in ("drop", "keep"):
            names = frozenset(_names(payload.get("members")))
            dropped = found.dropped | names if entry.verdict == "drop" else found.dropped - names
            found = replace(found, dropped=dropped)
    return found


def decide(database: Database, signature: str, verdict: Verdict, payload: Mapping[str, Any]) -> None:
    """Keeps a decision on a pattern, on disk when this returns. Raises `StoreError`."""
    Journal(database).add(KIND, signature, verdict, payload)


def in_force(database: Database, signature: str) -> frozenset[str]:
    """The verdicts in force on a pattern. Raises `StoreError`."""
    return frozenset(entry.verdict for entry in Journal(database).entries(KIND, signature))


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
