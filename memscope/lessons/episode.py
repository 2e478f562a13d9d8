"""Episodes as somebody's program tells them, in JSON: checked strictly, since what is recorded stays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from memscope.base.errors import SourceError
from memscope.base.text import preview
from memscope.conversation.raw import is_too_deep
from memscope.lessons.document import UNKNOWN_MISTAKE
from memscope.lessons.fields import LARGEST, kind, said, whole
from memscope.lessons.model import UNKNOWN_TASK, Episode, SeenMistake

_LONGEST = 300  # characters of evidence, and of a lesson
_OF_MEMORY = ("episode_log", "score_history", "task_rules")  # which no episode has


def episode_of(document: object, where: str = "") -> Episode:
    """The episode that a parsed object tells. Fields that are missing have their defaults, unknown ones are ignored.
    Raises `SourceError` that says which field is wrong and why; `where`: what it was read from."""
    return _told(document, where)


def episodes_of(document: object, where: str = "") -> list[Episode]:
    """The episodes of an object or of a list of them, all or none. Raises `SourceError` as `episode_of`, which says the
    episode's place too, counted from 1."""
    if not isinstance(document, list):
        return [_told(document, where)]
    return [_told(one, where, f"episode {number}: ") for number, one in enumerate(document, 1)]


def _told(document: object, where: str, which: str = "") -> Episode:
    try:
        if not isinstance(document, dict):
            raise SourceError(f"this is {kind(document)}, not an object")
        if any(name in document for name in _OF_MEMORY):
            raise SourceError("this is an agent's memory, not an episode", do="Episodes are recorded into one.")
        if is_too_deep(document):
            raise SourceError("the JSON is nested too deeply")
        return _episode(document)
    except SourceError as error:
        raise SourceError(f"{which}{error.what}", where=where or None, do=error.do) from error


def _episode(document: Mapping[str, Any]) -> Episode:
    task = _text(document, "task_id")
    task = task if task.strip() else UNKNOWN_TASK
    return Episode(
        task_id=task,
        score=_score(document.get("score", 0.0)),
        steps=_steps(document.get("steps")),
        trajectory_summary=_text(document, "trajectory_summary"),
        mistakes=_texts(document, "mistakes"),
        successes=_texts(document, "successes"),
        mistake_cards=_cards(document, task),
    )


def _score(value: object) -> float:
    do = "A score is a number from 0 to 1."
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise SourceError(f"score is {kind(value)}, not a number", do=do)
    if isinstance(value, float) and not math.isfinite(value):
        raise SourceError(f"score is {value}, which is not finite", do=do)
    if not 0 <= value <= 1:
        raise SourceError(f"score is {preview(str(value), 20)}, which is outside 0 to 1", do=do)
    return float(value)


def _steps(value: object) -> int:
    steps = whole(0 if value is None else value)
    if steps is None or steps < 0:
        shown = preview(str(value), 20) if kind(value) == "a number" else kind(value)
        raise SourceError(f"steps is {shown}, not a whole number of 0 or more")
    if steps > LARGEST:
        raise SourceError(f"steps is {preview(str(value), 20)}, and {LARGEST:,} is the most that is counted")
    return steps


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str | None):
        raise SourceError(f"{name} is {kind(value)}, not a text")
    return value or ""


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    value = document.get(name)
    if not isinstance(value, list | None):
        raise SourceError(f"{name} is {kind(value)}, not a list")
    return value or []


def _texts(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The texts of a list, blank ones too; null is none."""
    values = _list(document, name)
    for number, value in enumerate(values, 1):
        if not isinstance(value, str | None):
            raise SourceError(f"entry {number} of {name} is {kind(value)}, not a text")
    return tuple(value for value in values if value is not None)


def _cards(document: Mapping[str, Any], task: str) -> tuple[SeenMistake, ...]:
    return tuple(_card(value, task) for value in _list(document, "mistake_cards") if isinstance(value, dict))


def _card(value: Mapping[str, Any], task: str) -> SeenMistake:
    told = {name: said(value.get(name)) for name in ("worker_id", "bad_decision", "correct_decision")}
    return SeenMistake(
        mistake_type=_words(value, "mistake_type") or UNKNOWN_MISTAKE,
        task_id=_words(value, "task_id") or task,
        **told,
        evidence=_words(value, "evidence")[:_LONGEST],
        lesson=_words(value, "lesson")[:_LONGEST],
        rest={name: value[name] for name, text in told.items() if text is not None and value[name] != text},
    )


def _words(card: Mapping[str, Any], name: str) -> str:
    """What a field of a card says; "" where it is blank."""
    text = said(card.get(name)) or ""
    return "" if text.isspace() else text
