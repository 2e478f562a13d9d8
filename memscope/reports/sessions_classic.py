"""Sessions as the first sampler printed them: its fields and its table, for those who compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from memscope.sessions.classic import ClassicSession


def classic_rows(sessions: Sequence[ClassicSession]) -> list[dict[str, Any]]:
    """For JSON, which is a bare list."""
    return [
        {
            "path": one.path,
            "filename": one.filename,
            "score": one.score,
            "breakdown": one.parts._asdict(),
            "message_count": one.message_count,
            "repos": list(one.repos),
            "is_failure": one.is_failure,
        }
        for one in sessions
    ]


def classic_lines(sessions: Sequence[ClassicSession]) -> list[str]:
    """The table, its head first; names as found."""
    lines = [f"{'SCORE':>5} {'MSGS':>5} {'REPOS':<25} FILE"]
    for one in sessions:
        repos = ", ".join(one.repos[:2]) or "-"
        failed = " FAIL" if one.is_failure else ""
        lines.append(f"{one.score:>5} {one.message_count:>5} {repos:<25} {one.filename[:40]}{failed}")
    return lines
