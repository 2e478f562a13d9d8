"""What recording an episode, or consolidating the rules, changes in a file of lessons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from memscope.base.text import counted
from memscope.lessons.consolidation import is_due, since
from memscope.lessons.model import AgentMemory, MistakeCard
from memscope.reports.view import Column, Document, View

What = Literal["record", "consolidate"]
By = Literal["model", "scores"]


Sign = Literal["+", "-", "~"]
_SIGNS: dict[Sign, str] = {"+": "added", "-": "dropped", "~": "seen again"}


class LessonsChange(Document):
    """An entry that comes (+) or goes (-), or a mistake card that was seen again (~): of the `list` it is in, as the
    file calls it."""

    sign: Sign
    list_: str = Field(alias="list")
    text: str


class LessonsChangeDocument(Document):
    """`written`: whether the file was. `by`: what derived the rules, a `model` by its name or the `scores`; null where
    nothing did. `since` and `due` as they are now. `trouble`: why the model derived none."""

    schema_: Literal["memscope/lessons-change@1"] = Field("memscope/lessons-change@1", alias="schema")
    source: str
    what: What
    written: bool
    by: By | None
    model: str | None
    episodes: int
    total_episodes: int
    since: int
    due: bool
    changes: list[LessonsChange]
    trouble: str | None


def change_document(
    path: Path,
    what: What,
    before: AgentMemory,
    after: AgentMemory,
    *,
    written: bool,
    by: By | None = None,
    model: str = "",
    trouble: str = "",
) -> LessonsChangeDocument:
    """The document of a change that was made, or would be."""
    return LessonsChangeDocument(
        source=str(path),
        what=what,
        written=written,
        by=by,
        model=model or None,
        episodes=after.total_episodes - before.total_episodes,
        total_episodes=after.total_episodes,
        since=since(after),
        due=is_due(after),
        changes=lessons_changes(before, after),
        trouble=trouble or None,
    )


def lessons_changes(before: AgentMemory, after: AgentMemory) -> list[LessonsChange]:
    """What `after` has over `before`, and what it lacks, list by list."""
    lists = [("global_rules", before.global_rules, after.global_rules)]
    for task in dict.fromkeys([*before.tasks, *after.tasks]):
        lists.append((f"task_rules/{task}", before.task_rules.get(task, ()), after.task_rules.get(task, ())))
    lists += [("mistakes", before.mistakes, after.mistakes), ("successes", before.successes, after.successes)]
    changes = [
        LessonsChange(sign=sign, list_=name, text=text)
        for name, old, new in lists
        for sign, texts, others in (("-", old, set(new)), ("+", new, set(old)))
        for text in texts
        if text not in others
    ]
    return [*changes, *_cards(before, after)]


def _cards(before: AgentMemory, after: AgentMemory) -> Iterator[LessonsChange]:
    old, new = ({card.key: card for card in memory.mistake_cards} for memory in (before, after))
    changed: list[tuple[Sign, MistakeCard]] = [("-", card) for key, card in old.items() if key not in new]
    changed += [("~" if key in old else "+", card) for key, card in new.items() if card != old.get(key)]
    for sign, card in changed:
        text = f"{card.mistake_type}, seen {card.seen_count}x: {card.lesson}"
        yield LessonsChange(sign=sign, list_="mistake_cards", text=text)


def change_words(document: LessonsChangeDocument) -> str:
    """What was, or would be, changed, in a line."""
    signs = [change.sign for change in document.changes if change.list_ == "global_rules"]
    if document.what == "record":
        done = "recorded" if document.written else "would be recorded"
        return f"{counted(document.episodes, 'episode')} {done}; {counted(document.total_episodes, 'episode')} in all"
    by = {"model": f"by {document.model}", "scores": "from episodes with high scores"}.get(document.by or "", "")
    done = "" if document.written else "would be "
    return f"general rules {by}: {signs.count('+')} {done}added, {signs.count('-')} {done}dropped"


CHANGE_COLUMNS: tuple[Column[LessonsChange], ...] = (
    Column("change", lambda row: row.sign, exported=lambda row: _SIGNS[row.sign]),
    Column("list", lambda row: row.list_, rank=1),
    Column("text", lambda row: row.text, wide=True),
)

LESSONS_CHANGE: View[LessonsChangeDocument, LessonsChange] = View(
    "lessons-change", LessonsChangeDocument, lambda document: document.changes, lambda _: CHANGE_COLUMNS
)
