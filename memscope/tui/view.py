"""How a conversation is looked at: what is kept of it from one time to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from memscope.reports.scale import Unit

UNITS: tuple[Unit, ...] = get_args(Unit)
_MOST_NATS = 1e6  # a threshold above it is a damaged one


@dataclass(frozen=True, slots=True)
class View:
    """How the numbers are looked at, in every pane; kept for each conversation. `sorts`: by pane or part of one."""

    threshold: float
    unit: Unit = "nats"
    signed: bool = True
    sorts: dict[str, str] = field(default_factory=dict)
    pane: str = ""

    @classmethod
    def of(cls, kept: Mapping[str, Any], threshold: float) -> View:
        """The view that was kept, as far as it can be read; `threshold` where none was."""
        found, was = cls(threshold), kept.get("threshold")
        if isinstance(was, int | float) and not isinstance(was, bool) and 0 <= was <= _MOST_NATS:
            found = replace(found, threshold=float(was))
        if kept.get("unit") in UNITS:
            found = replace(found, unit=kept["unit"])
        if isinstance(kept.get("signed"), bool):
            found = replace(found, signed=kept["signed"])
        if isinstance(kept.get("pane"), str):
            found = replace(found, pane=kept["pane"])
        if isinstance(kept.get("sorts"), dict):
            found = replace(found, sorts={str(name): str(sort) for name, sort in kept["sorts"].items()})
        return found
