"""The memory of an agent as memscope holds it: what was recorded, and whatever else stood in its file.

Everything is frozen: a change makes another memory, so that what was read stays what it was. What other programs keep
in the same file, and entries that are none, are carried along and written back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

VERSION = 1
UNKNOWN_TASK = "unknown"
WORKS, AVOID = "[WORKS] ", "[AVOID] "
"""What a rule of a task begins with."""


@dataclass(frozen=True, slots=True)
class LoggedEpisode:
    """An episode as the log has it. `timestamp`: ISO 8601, UTC; `score` 0 to 1; `rest`: fields of others."""

    timestamp: str
    task_id: str
    score: float
    steps: int
    summary: str
    rest: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MistakeCard:
    """A mistake that was seen `seen_count` times, the first and the last time in these episodes, counted from 1."""

    mistake_type: str
    task_id: str
    worker_id: str | None
    bad_decision: str | None
    correct_decision: str | None
    evidence: str
    lesson: str
    seen_count: int = 1
    first_seen_episode: int = 0
    last_seen_episode: int = 0
    rest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What cards that are the same mistake have in common."""
        return self.mistake_type, self.task_id, self.worker_id or "", self.correct_decision or ""


@dataclass(frozen=True, slots=True)
class AgentMemory:
    """All that an agent keeps. `last_consolidated_at`: how many episodes there were then, 0 for never.

    `strange`: entries of lists that are not what the list is of, by the list's name ("task_rules/TASK" for those of a
    task); they count for nothing. `rest`: what else stood in the file.
    """

    total_episodes: int = 0
    last_consolidated_at: int = 0
    global_rules: tuple[str, ...] = ()
    task_rules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    episode_log: tuple[LoggedEpisode, ...] = ()
    score_history: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    mistakes: tuple[str, ...] = ()
    mistake_cards: tuple[MistakeCard, ...] = ()
    successes: tuple[str, ...] = ()
    strange: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    rest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Every task that anything is known of, in the order in which they came up."""
        logged = dict.fromkeys(episode.task_id for episode in self.episode_log)
        return tuple(dict.fromkeys([*self.score_history, *self.task_rules, *logged]))


@dataclass(frozen=True, slots=True)
class SeenMistake:
    """A mistake as an episode tells it. None, and "" of a lesson or evidence: it says nothing of that. `rest`: what was
    told as something else than a text, as it was."""

    mistake_type: str
    task_id: str
    worker_id: str | None = None
    bad_decision: str | None = None
    correct_decision: str | None = None
    evidence: str = ""
    lesson: str = ""
    rest: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode that is to be recorded. `score` is finite, 0 to 1. Blank mistakes and successes say nothing; they are
    there for classic mode."""

    task_id: str = UNKNOWN_TASK
    score: float = 0.0
    steps: int = 0
    trajectory_summary: str = ""
    mistakes: tuple[str, ...] = ()
    successes: tuple[str, ...] = ()
    mistake_cards: tuple[SeenMistake, ...] = ()
