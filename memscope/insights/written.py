"""An insight as JSON values, for the store and for files, and read again from what may be anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

from memscope.conversation.model import Source
from memscope.insights.model import KINDS, Evidence, Insight

_LATEST = 253_402_300_799  # seconds since the epoch: the end of the year 9999


def encoded(insight: Insight) -> dict[str, Any]:
    """`{"kind", "text", "confidence", "time", "model", "sessions", "evidence": [{"session", "path", "format", "item",
    "window", "message", "words"}]}`. Texts and paths may hold lone surrogates. What is no time of a calendar is null.
    """
    return {
        "kind": insight.kind,
        "text": insight.text,
        "confidence": insight.confidence,
        "time": _time(insight.time),
        "model": insight.model,
        "sessions": insight.sessions,
        "evidence": [_told(one) for one in insight.evidence],
    }


def decoded(payload: object) -> Insight | None:
    """The insight that was encoded; None for what is none, in any part. What earlier versions wrote has no "sessions":
    they are 0 then."""
    try:
        return _insight(payload)
    except _StrangeError:
        return None


class _StrangeError(ValueError):
    """What is no part of an insight."""


def _told(one: Evidence) -> dict[str, Any]:
    return {
        "session": one.session,
        "path": str(one.source.path),
        "format": one.source.format,
        "item": one.source.item,
        "window": one.source.window,
        "message": one.message,
        "words": one.words,
    }


def _insight(payload: object) -> Insight:
    kept = _object(payload)
    kind = next((known for known in KINDS if known == kept.get("kind")), None)
    text, confidence, evidence = _text(kept, "text"), kept.get("confidence"), kept.get("evidence")
    if kind is None or not isinstance(evidence, list):
        raise _StrangeError
    if not _is_number(confidence) or not 0 <= confidence <= 1:
        raise _StrangeError
    spots = tuple(map(_evidence, evidence))
    sessions = _place(kept, "sessions") if "sessions" in kept else 0
    return Insight(kind, text, confidence, spots, _time(kept.get("time")), _text(kept, "model"), sessions)


def _evidence(told: object) -> Evidence:
    one = _object(told)
    path, message = _text(one, "path"), one.get("message")
    if not path or not (message is None or _is_place(message)):
        raise _StrangeError
    source = Source(Path(path), _text(one, "format"), _place(one, "item"), _place(one, "window"))
    return Evidence(_text(one, "session"), source, message, _text(one, "words"))


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise _StrangeError
    return value


def _text(value: Mapping[str, object], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        raise _StrangeError
    return text


def _place(value: Mapping[str, object], name: str) -> int:
    place = value.get(name)
    if not _is_place(place):
        raise _StrangeError
    return place


def _is_place(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _time(value: object) -> float | None:
    return value if _is_number(value) and 0 <= value <= _LATEST else None
