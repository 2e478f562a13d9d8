"""The ranking: from what a scan found to rows in order, each with its score.

Everything that looks at more than one session happens here, over all of them and before any filter: which of several
files counts, and who was first at a repository.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import sep

from memscope.base.collecting import lasting
from memscope.sessions.copies import Candidate, grouped
from memscope.sessions.facts import Facts, ScannedFile
from memscope.sessions.ranked import Breakdown, Place, RankedSession
from memscope.sessions.score import FIRST, LATER, date_of, length_of, outcome_of, recency_of, tool_calls_of

Holders = tuple[tuple[str, Place], ...]

_NO_PARTS = Breakdown(0, 0, 0, 0, 0)
_NONE: tuple[int, Holders] = (0, ())  # for no repository


def rank(files: Sequence[ScannedFile], now: float) -> list[RankedSession]:
    """A row for every session of `files`, and for every file without one, at the time `now`, whatever their order.

    In order: the highest score, then the most memories, then the newest, then by path; behind them, alike, those that
    count elsewhere (`copy_of`), then files that hold no session.
    """
    with lasting():
        return _ranked(files, now)


def _ranked(files: Sequence[ScannedFile], now: float) -> list[RankedSession]:
    candidates = []
    for file in files:
        path, stamp, form, sessions, _ = file
        name = path.rpartition(sep)[2]
        for facts in sessions:
            at, by = date_of(name, facts.ended, stamp.modified)
            candidates.append(Candidate(path, form, facts, at, by, file))
    copies, copy_of = _copies(candidates)
    first = _first_of_each(candidates, copy_of)
    rows = []
    for number, (path, form, facts, at, by, file) in enumerate(candidates):
        counts_at = copy_of.get(number)
        unique, holders = _repositories(path, facts, first) if facts.repositories and counts_at is None else _NONE
        parts = Breakdown(
            recency_of(at, now),
            length_of(facts.messages),
            unique,
            outcome_of(facts),
            tool_calls_of(facts.tool_calls),
        )
        size, error, score, others = file.stamp.size, file.error, sum(parts), copies.get(number, ())
        rows.append(
            RankedSession(path, facts.item, form, size, facts, error, score, parts, at, by, holders, others, counts_at)
        )
    rows.extend(_without_session(file) for file in files if not file.sessions)
    rows.sort(key=_order)
    return rows


def _order(row: RankedSession) -> tuple[int, int, int, float, str, int]:
    facts = row.facts
    group = 2 if facts is None else 0 if row.copy_of is None else 1
    return group, -row.score, -facts.memories if facts else 0, -row.date, row.path, row.item


def _copies(candidates: Sequence[Candidate]) -> tuple[dict[int, tuple[Place, ...]], dict[int, Place]]:
    """For the candidate that counts, by its number, the places of the same session; for those, where it counts."""
    copies: dict[int, tuple[Place, ...]] = {}
    copy_of: dict[int, Place] = {}
    for counts, *others in grouped(candidates):
        copies[counts] = tuple(_place(candidates[other]) for other in others)
        copy_of.update(dict.fromkeys(others, _place(candidates[counts])))
    return copies, copy_of


def _first_of_each(candidates: Sequence[Candidate], copy_of: dict[int, Place]) -> dict[str, Place]:
    """The first session of each repository, by date, then path, among those that count."""
    first: dict[str, tuple[float, str, int]] = {}
    for number, (path, _, facts, at, *_) in enumerate(candidates):
        if facts.repositories and number not in copy_of:
            this = at, path, facts.item
            for repository in facts.repositories:
                name = repository.name.casefold()
                if name not in first or this < first[name]:
                    first[name] = this
    return {name: Place(path, item) for name, (_, path, item) in first.items()}


def _repositories(path: str, facts: Facts, first: dict[str, Place]) -> tuple[int, Holders]:
    """What a session has for its repositories, and who was first at those that it was not the first at."""
    unique, holders = LATER, []
    for repository in facts.repositories:
        holder = first[repository.name.casefold()]
        if holder.item == facts.item and holder.path == path:
            unique = FIRST
        else:
            holders.append((repository.name, holder))
    return unique, tuple(holders)


def _place(candidate: Candidate) -> Place:
    return Place(candidate.path, candidate.facts.item)


def _without_session(file: ScannedFile) -> RankedSession:
    at, by = date_of(file.path.rpartition(sep)[2], None, file.stamp.modified)
    return RankedSession(*(file.path, 0, file.format, file.stamp.size, None, file.error, 0, _NO_PARTS, at, by))
