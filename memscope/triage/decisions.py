"""What was decided of a response as training data: entries of the journal, folded; and what was known then."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeGuard

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
    chosen, in seconds since the epoch. `about`: what was known then; `provenance_of` reads it.
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


@dataclass(frozen=True, slots=True)
class Whence:
    """What opens the conversation of a decision again, and the `message` in it that is the response.

    `path` is absolute, `format` the one the file was read as, `window` the one that was looked at; `memories` are the
    files and folders beside it, absolute too, `split` how they were cut, `sources` what else counted as a memory.
    """

    path: str
    format: str
    item: int
    window: int
    memories: tuple[str, ...]
    split: str | None
    sources: str
    message: int


@dataclass(frozen=True, slots=True)
class Provenance:
    """What was known when a decision was made: the engine and its model in words, the effect of all memories together
    and the threshold, in nats. `source`: None for a conversation that comes from no file."""

    engine: str
    model: str
    effect: float | None
    threshold: float | None
    source: Whence | None


def provenance(known: Provenance) -> dict[str, Any]:
    """What is kept with a decision: `{"engine", "model", "effect", "threshold", "source": {"path", "input_format",
    "item", "window", "memories", "split", "sources", "message"}}`, or null in place of what is not known."""
    source = None if known.source is None else asdict(known.source)
    if source is not None:
        source = {_FORMAT if name == "format" else name: value for name, value in source.items()}
        source["memories"] = list(source["memories"])
    effect = known.effect if known.effect is not None and math.isfinite(known.effect) else None
    return {
        "engine": known.engine,
        "model": known.model,
        "effect": effect,
        "threshold": known.threshold,
        "source": source,
    }


def provenance_of(about: Mapping[str, Any] | None) -> Provenance:
    """What was kept with a decision, as far as it can be read: it may come from another version of the program."""
    told = about or {}
    return Provenance(
        _text(told.get("engine")),
        _text(told.get("model")),
        _nats(told.get("effect")),
        _nats(told.get("threshold")),
        _whence(told.get("source")),
    )


_FORMAT = "input_format"


def _whence(told: object) -> Whence | None:
    """None where the conversation could not be opened by it."""
    if not isinstance(told, Mapping) or not _text(told.get("path")):
        return None
    item, window, message = (told.get(name) for name in ("item", "window", "message"))
    if not (_is_place(item) and _is_place(window) and _is_place(message)):
        return None
    memories = told.get("memories")
    return Whence(
        path=_text(told["path"]),
        format=_text(told.get(_FORMAT)),
        item=item,
        window=window,
        memories=tuple(filter(None, map(_text, memories))) if isinstance(memories, list) else (),
        split=_text(told.get("split")) or None,
        sources=_text(told.get("sources")),
        message=message,
    )


def _is_place(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _nats(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if math.isfinite(value) else None
