"""Sessions made up for tests: whatever is not said of one is as plain as can be."""

from __future__ import annotations

from typing import Any

from memscope.sessions.facts import Evidence, Facts, Failure, Repository
from memscope.sessions.ranked import Breakdown, RankedSession

NOW = 1_777_636_800.0  # 2026-05-01 12:00 UTC
DAY = 86_400.0

FAILED = Failure("exit_code", Evidence(0, 9, 812, "Process exited with code 1"))

_FACTS = Facts(
    item=0,
    title="",
    request="",
    session="",
    parent="",
    print="",
    is_subagent=False,
    messages=4,
    responses=2,
    tool_calls=0,
    memories=0,
    memory=None,
    windows=1,
    began=NOW - DAY,
    ended=NOW - DAY,
    repositories=(),
    failure=None,
    has_content=True,
    malformed=0,
    skipped=0,
)


def repository(name: str, message: int = 1) -> Repository:
    return Repository(name, Evidence(0, message, message + 1, f"cd {name}"))


def session(path: str = "/s/a.jsonl", *, days: float = 1.0, repos: tuple[str, ...] = (), **told: Any) -> RankedSession:
    """A session of so many `days` ago. What a row has by name is the row's, all else is of its facts; the parts of the
    score are those that the facts make, but that nobody else has its repositories."""
    of_row = {name: told.pop(name) for name in RankedSession._fields if name in told}
    facts = _FACTS._replace(repositories=tuple(map(repository, repos)), **told)
    outcome = 3 if facts.failure else 2 if facts.has_content else 1
    parts = Breakdown(
        3 if days < 8 else 2 if days < 31 else 1,
        3 if facts.messages > 50 else 2 if facts.messages > 20 else 1,
        5 if repos else 0,
        outcome,
        2 if facts.tool_calls > 10 else 0,
    )
    row = RankedSession(
        path, facts.item, "claude-code", 5_000, facts, "", sum(parts), parts, NOW - days * DAY, "message"
    )
    return row._replace(**of_row)


def unreadable(path: str = "/s/broken.jsonl", error: str = "this file holds no JSON") -> RankedSession:
    """A file that holds no session."""
    parts = Breakdown(0, 0, 0, 0, 0)
    return RankedSession(path, 0, "", 12, None, error, 0, parts, NOW - DAY, "file")
