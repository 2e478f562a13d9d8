"""How a conversation is looked at: what is kept of it from one time to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from memscope.reports.scale import Unit
from memscope.reports.worth import THRESHOLD

UNITS: tuple[Unit, ...] = get_args(Unit)
_MOST_NATS = 1e6  # a threshold above it is a damaged one


@dataclass(frozen=True, slots=True)
class View:
    """How the numbers are looked at, in every pane; kept for each conversation. `sorts`: by pane or part of one.
    `worth`: what a response must owe to its memories to be worth training on, in nats."""

    threshold: float
    unit: Unit = "nats"
    signed: bool = True
    sorts: dict[str, str] = field(default_factory=dict)
    pane: str = ""
    worth: float = THRESHOLD

    @classmethod
    def of(cls, kept: Mapping[str, Any], threshold: float) -> View:
        """The view that was kept, as far as it can be read; `threshold` where none was."""
        found = cls(threshold)
        if (was := _nats(kept.get("threshold"))) is not None:
            found = replace(found, threshold=was)
        if (was := _nats(kept.get("worth"))) is not None:
            found = replace(found, worth=was)
        if kept.get("unit") in UNITS:
            found = replace(found, unit=kept["unit"])
        if isinstance(kept.get("signed"), bool):
            found = replace(found, signed=kept["signed"])
        if isinstance(kept.get("pane"), str):
            found = replace(found, pane=kept["pane"])
        if isinstance(kept.get("sorts"), dict):
            found = replace(found, sorts={str(name): str(sort) for name, sort in kept["sorts"].items()})
        return found


def _nats(kept: object) -> float | None:
    """A threshold that was kept; None for a damaged one."""
    if not isinstance(kept, int | float) or isinstance(kept, bool):
        return None
    return float(kept) if 0 <= kept <= _MOST_NATS else None
