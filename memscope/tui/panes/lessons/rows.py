"""The rows of the table: the tasks, above them one for all, and which of them have the words that are searched for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memscope.reports.lessons import TASK_COLUMNS, LessonsTask, score_line
from memscope.reports.view import Column

if TYPE_CHECKING:
    from memscope.reports.lessons import LessonsDocument

ALL, _NAMELESS = "all tasks, general rules", "(no name)"
_LINE = 24  # cells of scores


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task; `name`: None for all of them, which have the general rules."""

    name: str | None
    told: LessonsTask

    @property
    def key(self) -> tuple[str | None]:
        """What tells it from other rows."""
        return (self.name,)

    @property
    def title(self) -> str:
        """As it is shown; a name of nothing is seen too, and one of what is no name is in quotes."""
        if self.name is None:
            return ALL
        return _NAMELESS if not self.name.strip() else f'"{self.name}"' if self.name in (ALL, _NAMELESS) else self.name


def rows_of(document: LessonsDocument) -> list[TaskRow]:
    """The rows of a file; none where there is nothing in it."""
    if document.reason is not None:
        return []
    general = LessonsTask(
        task=ALL,
        episodes=document.total_episodes,
        mean=None,
        last=None,
        scores=[],
        rules=document.global_rules,
        conflicts=len(document.conflicts),
    )
    return [TaskRow(None, general), *(TaskRow(task.task, task) for task in document.tasks)]


def columns_of(*, plain: bool) -> list[Column[TaskRow]]:
    """The columns of the report. `plain`: no signs but ASCII."""
    return [_of_row(column, plain=plain) for column in TASK_COLUMNS]


def _of_row(column: Column[LessonsTask], *, plain: bool) -> Column[TaskRow]:
    shown = column.shown
    if column.title == "scores":
        shown = lambda told: score_line(told, _LINE, plain=plain)  # noqa: E731
    made: Column[TaskRow] = Column(
        column.title,
        lambda row: column.value(row.told),
        column.unit,
        column.rank,
        column.wide,
        None if shown is None else lambda row: shown(row.told),
        latest=column.latest,
    )
    if column.title == "task":  # all tasks stand before the first letter
        return replace(made, value=lambda row: row.name or "", shown=lambda row: row.title)
    return made


def has_words(words: str, document: Callable[[], LessonsDocument | None]) -> Callable[[TaskRow], bool]:
    """Whether a row has all words in its name, rules, cards and episodes; the row for all tasks, in its own rules and
    in what is of no task. `document`: what there is by then."""
    wanted = words.casefold().split()

    def has(row: TaskRow) -> bool:
        told = "\n".join(_texts(row, document())).casefold()
        return all(word in told for word in wanted)

    return has


def _texts(row: TaskRow, document: LessonsDocument | None) -> Iterator[str]:
    yield row.title
    yield from row.told.rules
    if document is None:
        return
    if row.name is None:
        yield from document.mistakes
        yield from document.successes
    for card in document.mistake_cards:
        if card.task == row.name:
            told = (card.worker, card.bad_decision, card.correct_decision)
            yield " ".join([card.mistake_type, card.lesson, card.evidence, *filter(None, told)])
    for episode in document.episodes:
        if episode.task == row.name:
            yield episode.summary
