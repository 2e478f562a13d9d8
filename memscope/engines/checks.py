"""What `memscope doctor` finds out about an engine, and what is found out quietly before it is first used.

Every check scores or generates a few tokens and compares: a server whose numbers are wrong answers as readily as one
whose numbers are right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["pass", "fail", "warn", "skip"]
"""`warn`: it scores, but something will surprise; `skip`: it could not be tried, because an earlier check failed."""

SECONDS, NOISE = "seconds", "noise"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what was tried, how it went, what was found (`said`), and what to `do` where it did not pass.

    `measured` by it may be `SECONDS` that a token took, and `NOISE`: nats that a response's score differs by when it is
    asked for again.
    """

    name: str
    verdict: Verdict
    said: str
    do: str = ""
    measured: Mapping[str, float] = field(default_factory=dict)
