"""What an agent keeps across episodes: its tasks with their scores and rules, mistakes, and the log."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from memscope.base.text import counted
from memscope.lessons.block import by_seen
from memscope.lessons.consolidation import EVERY, is_due, since
from memscope.lessons.model import AgentMemory, LoggedEpisode, MistakeCard
from memscope.lessons.rules import conflicts
from memscope.lessons.scores import line, mean
from memscope.reports.view import Column, Document, View, number

_LINE = 24  # cells


class LessonsTask(Document):
    """A task. `scores`: its history, the oldest first, null for what is no number; `mean` of them. `conflicts`: how
    many pairs of rules contradict each other."""

    task: str
    episodes: int
    mean: float | None
    last: float | None
    scores: list[float | None]
    rules: list[str]
    conflicts: int


class LessonsConflict(Document):
    """Two rules that contradict each other; `task`: null where both are general."""

    task: str | None
    works: str
    avoid: str


class LessonsCard(Document):
    """A mistake that was seen so often; the first and the last time in these episodes, counted from 1."""

    mistake_type: str
    task: str
    worker: str | None
    bad_decision: str | None
    correct_decision: str | None
    evidence: str
    lesson: str
    seen: int
    first_episode: int
    last_episode: int


class LessonsEpisode(Document):
    """An episode as the log has it. `time`: ISO 8601."""

    time: str
    task: str
    score: float | None
    steps: int
    summary: str


class LessonsDocument(Document):
    """All that a file of lessons holds. `since`: episodes since the rules were consolidated last, which is `due` after
    a number of them. `mistake_cards`: those seen most first. `episodes`: those of the log, which is shorter than
    `total_episodes`. `ignored`: entries that are not what their list is of, by its name. `reason`: why there is
    nothing."""

    schema_: Literal["memscope/lessons@1"] = Field("memscope/lessons@1", alias="schema")
    source: str
    total_episodes: int
    last_consolidated_at: int
    since: int
    due: bool
    tasks: list[LessonsTask]
    global_rules: list[str]
    mistakes: list[str]
    successes: list[str]
    mistake_cards: list[LessonsCard]
    episodes: list[LessonsEpisode]
    conflicts: list[LessonsConflict]
    ignored: dict[str, int]
    reason: str | None


def lessons_document(path: Path, memory: AgentMemory, *, exists: bool) -> LessonsDocument:
    """The document of what is in the file at `path`, or would be."""
    found = conflicts(memory)
    of_task = Counter(one.task for one in found)
    return LessonsDocument(
        source=str(path),
        total_episodes=memory.total_episodes,
        last_consolidated_at=memory.last_consolidated_at,
        since=since(memory),
        due=is_due(memory),
        tasks=[_task(memory, task, of_task[task]) for task in memory.tasks],
        global_rules=list(memory.global_rules),
        mistakes=list(memory.mistakes),
        successes=list(memory.successes),
        mistake_cards=[_card(card) for card in by_seen(memory.mistake_cards)],
        episodes=[_episode(one) for one in memory.episode_log],
        conflicts=[LessonsConflict(task=one.task, works=one.works, avoid=one.avoid) for one in found],
        ignored={name: len(entries) for name, entries in memory.strange.items()},
        reason=why_nothing(memory, exists=exists),
    )


def why_nothing(memory: AgentMemory, *, exists: bool) -> str | None:
    """Why a file has nothing in it; None where it has something."""
    if not exists:
        return "there is no such file yet: the first episode that is recorded makes it"
    known: Sequence[Any] = (memory.tasks, memory.global_rules, memory.mistakes, memory.successes, memory.mistake_cards)
    return None if memory.total_episodes or any(known) else "nothing was recorded yet"


def _task(memory: AgentMemory, task: str, conflicts: int) -> LessonsTask:
    scores = memory.score_history.get(task, ())
    finite = [score for score in scores if math.isfinite(score)]
    rules = memory.task_rules.get(task, ())
    return LessonsTask(
        task=task,
        episodes=len(scores),
        mean=mean(finite) if finite else None,
        last=number(scores[-1]) if scores else None,
        scores=[number(score) for score in scores],
        rules=list(rules),
        conflicts=conflicts,
    )


def _card(card: MistakeCard) -> LessonsCard:
    return LessonsCard(
        mistake_type=card.mistake_type,
        task=card.task_id,
        worker=card.worker_id,
        bad_decision=card.bad_decision,
        correct_decision=card.correct_decision,
        evidence=card.evidence,
        lesson=card.lesson,
        seen=card.seen_count,
        first_episode=card.first_seen_episode,
        last_episode=card.last_seen_episode,
    )


def _episode(one: LoggedEpisode) -> LessonsEpisode:
    return LessonsEpisode(
        time=one.timestamp, task=one.task_id, score=number(one.score), steps=one.steps, summary=one.summary
    )


def lessons_words(document: LessonsDocument) -> str:
    """What there is, in a line."""
    told = [
        f"{counted(document.total_episodes, 'episode')} of {counted(len(document.tasks), 'task')}",
        counted(len(document.global_rules), "general rule"),
        counted(len(document.mistakes), "mistake"),
        counted(len(document.mistake_cards), "mistake card"),
    ]
    if document.conflicts:
        told.append(counted(len(document.conflicts), "conflict"))
    return " · ".join([*told, due_words(document)])


def due_words(document: LessonsDocument) -> str:
    """Whether the rules are to be consolidated."""
    if document.due:
        return f"consolidation is due: {counted(document.since, 'episode')} since the last"
    return f"consolidation in {counted(EVERY - document.since, 'episode')}"


def ignored_words(document: LessonsDocument) -> str:
    """What in the file counts for nothing; "" where all of it counts."""
    told = ", ".join(f"{number} of {name}" for name, number in document.ignored.items())
    return f"entries that are not what their list is of: {told}; they are ignored, and stay in the file" if told else ""


def score_words(score: float | None) -> str:
    return "–" if score is None else f"{score:.2f}"


def _some(number: int) -> str:
    return f"{number:,}" if number else ""


def score_line(row: LessonsTask, width: int = _LINE, *, plain: bool = False) -> str:
    """The scores of a task as a line that goes on to the right."""
    return line([score for score in row.scores if score is not None], width, plain=plain)


TASK_COLUMNS: tuple[Column[LessonsTask], ...] = (
    Column("task", lambda row: row.task, wide=True),
    Column("episodes", lambda row: row.episodes, "episodes", rank=2, shown=lambda row: f"{row.episodes:,}"),
    Column("mean", lambda row: row.mean, "score", rank=1, shown=lambda row: score_words(row.mean)),
    Column("last", lambda row: row.last, "score", rank=4, shown=lambda row: score_words(row.last)),
    Column("scores", lambda row: " ".join(map(score_words, row.scores)), rank=1, shown=score_line, latest=True),
    Column("rules", lambda row: len(row.rules), "rules", rank=3, shown=lambda row: f"{len(row.rules):,}"),
    Column("conflicts", lambda row: row.conflicts, "pairs", rank=2, shown=lambda row: _some(row.conflicts)),
)

LESSONS: View[LessonsDocument, LessonsTask] = View(
    "lessons", LessonsDocument, lambda document: document.tasks, lambda _: TASK_COLUMNS
)
