"""An agent's memory as the JSON document that its file holds: version 1, and what older files leave out.

Reading is lenient and loses nothing: an entry that is not what its list is of is carried along as strange, and a field
that is read as something else than it is stays in `rest`, from which it is written back while it still reads the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from memscope.base.errors import SourceError
from memscope.base.text import preview
from memscope.lessons.fields import LARGEST, kind, number, said, whole
from memscope.lessons.model import UNKNOWN_TASK, VERSION, AgentMemory, LoggedEpisode, MistakeCard

UNKNOWN_MISTAKE = "unknown_mistake"

Entry = TypeVar("Entry")


class WrongValueError(SourceError):
    """A value of the document is not what it should be. `names`: the keys that lead to it."""

    def __init__(self, what: str, *names: str, do: str = "") -> None:
        super().__init__(what, do=do)
        self.names = names


def memory_of(document: object) -> AgentMemory:
    """The memory that a parsed document holds. Keys that are missing or null are empty. Raises `SourceError` for one
    that is no object, another program's or of another version, and for a key that holds another type than it should."""
    if not isinstance(document, dict):
        raise SourceError(f"it holds {kind(document)}, not the object that an agent's memory is")
    _check_keys(document)
    _check_version(document)
    strange: dict[str, tuple[Any, ...]] = {}

    def entries(name: str, read: Callable[[Any], Entry | None]) -> tuple[Entry, ...]:
        return _entries(document.get(name), read, strange, name)

    def by_task(name: str, read: Callable[[Any], Entry | None]) -> dict[str, tuple[Entry, ...]]:
        lists = document.get(name)
        if not isinstance(lists, dict | None):
            raise WrongValueError(f"{name} is {kind(lists)}, not an object", name)
        return {task: _entries(held, read, strange, name, task) for task, held in (lists or {}).items()}

    consolidated = document.get("last_consolidated_at")
    rest = {name: value for name, value in document.items() if name not in _KEYS}
    if consolidated is not None and consolidated != _consolidated(consolidated):
        rest["last_consolidated_at"] = consolidated  # the time of day that some wrote, which counts for nothing
    return AgentMemory(
        last_consolidated_at=_consolidated(consolidated),
        global_rules=entries("global_rules", _text_only),
        task_rules=by_task("task_rules", _text_only),
        episode_log=entries("episode_log", _episode),
        score_history=by_task("score_history", number),
        mistakes=entries("mistakes", _text_only),
        mistake_cards=entries("mistake_cards", _card),
        successes=entries("successes", _text_only),
        strange=strange,
        rest=rest,
        total_episodes=_total(document),  # the last, as it counts lists that were found to be some
    )


def document_of(memory: AgentMemory) -> dict[str, Any]:
    """The document that holds this memory; strange entries stand first in their lists, as the newest are read from the
    end."""

    def entries(values: tuple[Any, ...], *names: str) -> list[Any]:
        return [*memory.strange.get("/".join(names), ()), *values]

    def by_task(lists: Mapping[str, tuple[Any, ...]], name: str) -> dict[str, list[Any]]:
        return {task: entries(values, name, task) for task, values in lists.items()}

    document: dict[str, Any] = {
        "version": VERSION,
        "total_episodes": memory.total_episodes,
        "last_consolidated_at": memory.last_consolidated_at or None,
        "global_rules": entries(memory.global_rules, "global_rules"),
        "task_rules": by_task(memory.task_rules, "task_rules"),
        "episode_log": entries(tuple(_written(one, _EPISODE) for one in memory.episode_log), "episode_log"),
        "score_history": by_task(memory.score_history, "score_history"),
        "mistakes": entries(memory.mistakes, "mistakes"),
        "mistake_cards": entries(tuple(_written(one, _CARD) for one in memory.mistake_cards), "mistake_cards"),
        "successes": entries(memory.successes, "successes"),
    }
    kept = {name: value for name, value in memory.rest.items() if name not in document}
    if not memory.last_consolidated_at and "last_consolidated_at" in memory.rest:
        kept["last_consolidated_at"] = memory.rest["last_consolidated_at"]
    return document | kept


_KEYS = frozenset(document_of(AgentMemory()))
_SHARED = frozenset({"version", "mistakes", "mistake_cards", "successes"})  # that an episode may have too
_OF_EPISODE = frozenset({"score", "steps", "task_id", "trajectory_summary"})


def _check_version(document: Mapping[str, Any]) -> None:
    version = document.get("version")
    if version is None or whole(version) == VERSION:  # older files say none
        return
    shown = kind(version) if isinstance(version, dict | list | bool) else preview(str(version), 20)
    if isinstance(version, str):
        shown = f'the text "{shown}"'
    raise WrongValueError(f"its version is {shown}, and only the number {VERSION} can be read", "version")


def _check_keys(document: Mapping[str, Any]) -> None:
    """What is recorded must not go into another program's file, nor into that of an episode."""
    keys = document.keys() - {"version"}
    do = "Name the file of a memory; it was left as it is."
    if keys & _OF_EPISODE and not keys & (_KEYS - _SHARED):
        raise SourceError("it holds an episode, not an agent's memory", do=do)
    if keys and not keys & _KEYS:
        raise SourceError("it has nothing that an agent's memory has, so it is none", do=do)


def _total(document: Mapping[str, Any]) -> int:
    """How many episodes there were; where a file does not say it, as many as it tells of."""
    told = document.get("total_episodes")
    if told is None:
        scored = sum(len(scores or ()) for scores in (document.get("score_history") or {}).values())
        return max(scored, len(document.get("episode_log") or ()))
    total = whole(told)
    if total is None or total < 0:
        shown = kind(told) if total is None else preview(str(total), 20)
        raise WrongValueError(f"total_episodes is {shown}, not a whole number of 0 or more", "total_episodes")
    if total > LARGEST:
        what = f"total_episodes is {preview(str(told), 20)}, and {LARGEST:,} is the most that is counted"
        raise WrongValueError(what, "total_episodes")
    return total


def _consolidated(value: object) -> int:
    at = whole(value) or 0
    return at if 0 <= at <= LARGEST else 0


def _entries(
    values: object, read: Callable[[Any], Entry | None], strange: dict[str, tuple[Any, ...]], *names: str
) -> tuple[Entry, ...]:
    """The entries of a list; those for which `read` gives None are strange."""
    if not isinstance(values, list | None):
        shown = " of ".join(preview(name, 40) for name in names)
        raise WrongValueError(f"{shown} is {kind(values)}, not a list", *names)
    found = [(value, read(value)) for value in values or ()]
    if odd := tuple(value for value, entry in found if entry is None):
        strange["/".join(names)] = odd
    return tuple(entry for _, entry in found if entry is not None)


def _text_only(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _text(value: object) -> str:
    return said(value) or ""


def _task(value: object) -> str:
    return UNKNOWN_TASK if value is None else _text(value)


def _mistake(value: object) -> str:
    return _text(value) or UNKNOWN_MISTAKE


def _count(value: object) -> int:
    """A number of steps or episodes, as near as it can be told."""
    try:
        found: int = int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return 0
    return max(-LARGEST, min(found, LARGEST))


def _seen(value: object) -> int:
    return 1 if value is None else _count(value)


# The fields of an entry in the order in which they are written, and how each is read.
_EPISODE: Mapping[str, Callable[[Any], Any]] = {
    "timestamp": _text,
    "task_id": _task,
    "score": number,
    "steps": _count,
    "summary": _text,
}
_CARD: Mapping[str, Callable[[Any], Any]] = {
    "mistake_type": _mistake,
    "task_id": _task,
    "worker_id": said,
    "bad_decision": said,
    "correct_decision": said,
    "evidence": _text,
    "lesson": _text,
    "seen_count": _seen,
    "first_seen_episode": _count,
    "last_seen_episode": _count,
}


def _episode(value: object) -> LoggedEpisode | None:
    """An episode of the log. Without a score it is none: 0 would be a lie."""
    if not isinstance(value, dict) or number(value.get("score")) is None:
        return None
    return LoggedEpisode(**_read(value, _EPISODE))


def _card(value: object) -> MistakeCard | None:
    return MistakeCard(**_read(value, _CARD)) if isinstance(value, dict) else None


def _read(value: Mapping[str, Any], fields: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    found = {name: read(value.get(name)) for name, read in fields.items()}
    rest = {name: held for name, held in value.items() if name not in found or not _is_same(held, found[name])}
    return {**found, "rest": rest}


def _is_same(held: object, read: object) -> bool:
    return held == read and not isinstance(held, bool)  # true is 1 in Python, and not in JSON


def _written(entry: LoggedEpisode | MistakeCard, fields: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """An entry as an object. What was read as something else is written as it was, unless that has changed."""
    written = {name: getattr(entry, name) for name in fields}
    rest = entry.rest.items()
    return written | {name: held for name, held in rest if name not in fields or fields[name](held) == written[name]}
