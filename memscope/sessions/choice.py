"""Which of the ranked sessions are listed: those that are asked for, and of these the first so many."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from memscope.sessions.query import Query
from memscope.sessions.query_values import last_name
from memscope.sessions.ranked import RankedSession

Row = TypeVar("Row")


class Choice(NamedTuple):
    """What sessions have to be, all of it: what `query` says; of the repository `repo`, by its last name, or with that
    in their file's name, in whatever case; not from before `since`, in seconds since the epoch; of at least `min_score`
    points."""

    query: Query
    repo: str = ""
    since: float | None = None
    min_score: int = 0


def choose(rows: Sequence[RankedSession], choice: Choice) -> list[RankedSession]:
    """The sessions that are asked for, in the order there is; and files without one, as far as they fit."""
    query, repo, since, least = choice
    wanted = (last_name(repo) or repo).casefold()
    return [
        row
        for row in rows
        if (since is None or row.date >= since)
        and (not least or (row.facts is not None and row.score >= least))
        and query(row)
        and (not wanted or _is_of(row, wanted))
    ]


def _is_of(row: RankedSession, repo: str) -> bool:
    names = row.facts.repositories if row.facts is not None else ()
    return any(one.name.casefold() == repo for one in names) or repo in os.path.basename(row.path).casefold()  # noqa: PTH119


def first_of(rows: Sequence[Row], count: int, percent: float | None, total: int) -> Sequence[Row]:
    """The first `count` rows; or, if `percent` says so, that part of a `total`, which is one at least."""
    return rows[: count if percent is None else max(1, int(total * percent / 100))]
