"""Rules of a task as episodes teach them, and rules that contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from memscope.lessons.model import AVOID, WORKS, AgentMemory, Episode

GOOD, BAD = 0.85, 0.50
"""A score from which on what worked is a rule, and one below which what went wrong is."""

MOST = 10
"""Rules that a task has, the newest."""


class Conflict(NamedTuple):
    """Two rules, as they stand, of which one says of the same that it works and the other to avoid it. `task`: that of
    one of them, or of both; None where both are general."""

    works: str
    avoid: str
    task: str | None


def taught(rules: tuple[str, ...], episode: Episode) -> tuple[str, ...]:
    """The rules of a task, the newest last, once the episode has been."""
    new: list[str] = []
    if episode.score >= GOOD:
        new += [WORKS + success for success in episode.successes]
    if episode.score < BAD:
        new += [AVOID + mistake for mistake in episode.mistakes]
    return with_new(rules, new)[-MOST:]


def with_new(texts: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    """`texts` as they are, and behind them what is not among them, once each."""
    known = set(texts)
    return *texts, *(text for text in dict.fromkeys(more) if text not in known)


def conflicts(memory: AgentMemory) -> list[Conflict]:
    """Every pair of rules that contradict each other, within a task, a task and the general rules, or within those.
    Neither case nor blanks make texts differ."""
    general_works, general_avoid = _by_text(memory.global_rules, WORKS), _by_text(memory.global_rules, AVOID)
    found = list(_pairs(general_works, general_avoid, None))
    for task, rules in memory.task_rules.items():
        works, avoid = _by_text(rules, WORKS), _by_text(rules, AVOID)
        found += _pairs(works, avoid, task)
        found += _pairs(works, general_avoid, task)
        found += _pairs(general_works, avoid, task)
    return found


def _by_text(rules: Iterable[str], label: str) -> dict[str, str]:
    """The rules with this label, the first of each text."""
    found: dict[str, str] = {}
    for rule in rules:
        text = " ".join(rule.split()).casefold()
        if text.startswith(label.casefold()):
            found.setdefault(text.removeprefix(label.casefold()), rule)
    return found


def _pairs(works: dict[str, str], avoid: dict[str, str], task: str | None) -> Iterator[Conflict]:
    return (Conflict(rule, avoid[text], task) for text, rule in works.items() if text in avoid)
