"""What was decided of a response as training data: entries of the journal, folded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from memscope.store.journal import Entry

KIND = "triage"

Bucket = Literal["undecided", "accepted", "rejected", "skipped"]
BUCKETS: dict[str, Bucket] = {"accept": "accepted", "reject": "rejected", "skip": "skipped"}
"""The bucket that each verdict puts a response into; EDIT and NOTE leave it where it is."""

EDIT, NOTE = "edit", "note"


@dataclass(frozen=True, slots=True)
class Decided:
    """What is known of one response.

    `target`: what is to be trained on in place of the response's own words; None: those. `at`: when the bucket was
    chosen, in seconds since the epoch. `about`: what was known then, as the one who decided had it (`engine`, `effect`
    and `threshold` in nats, and what opens the conversation again).
    """

    bucket: Bucket = "undecided"
    target: str | None = None
    note: str = ""
    at: float | None = None
    about: Mapping[str, Any] | None = None


UNDECIDED = Decided()


def folded(entries: Iterable[Entry]) -> Decided:
    """What the decisions in force on one response, oldest first, add up to; what is not understood is passed over."""
    found = UNDECIDED
    for entry in entries:
        text = entry.payload.get("text")
        if entry.verdict in BUCKETS:
            found = replace(found, bucket=BUCKETS[entry.verdict], at=entry.at, about=entry.payload)
        elif entry.verdict == EDIT and isinstance(text, str | None):
            found = replace(found, target=text)
        elif entry.verdict == NOTE and isinstance(text, str):
            found = replace(found, note=text)
    return found
