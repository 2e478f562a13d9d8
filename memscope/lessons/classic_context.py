"""The block as classic memory builds it: all of it whatever its length, the texts as they were recorded."""

from __future__ import annotations

from collections.abc import Iterator

from memscope.lessons.block import Section, by_seen, mean_line, text_of
from memscope.lessons.model import AgentMemory

_MOST = 3  # mistakes, and cards


def classic_text(memory: AgentMemory, task: str | None, max_rules: int, max_recent: int) -> str:
    """The block for a task, or for none. Where the most is 0, there are all: it counts from the end."""
    return text_of(_lines(memory, task or "", max_rules, max_recent), task or "")


def _lines(memory: AgentMemory, task: str, max_rules: int, max_recent: int) -> Iterator[tuple[Section, str]]:
    for rule in memory.task_rules.get(task, ())[-max_rules:] if task else ():
        yield Section.RULES, rule
    for rule in memory.global_rules[-max_rules:]:
        yield Section.GENERAL, rule
    for mistake in memory.mistakes[-_MOST:]:
        yield Section.MISTAKES, f"AVOID: {mistake}"
    for card in by_seen(memory.mistake_cards)[:_MOST]:
        told = f"[{card.mistake_type}, seen {card.seen_count}x] {card.lesson} Evidence: {card.evidence}"
        yield Section.CARDS, told
    if not task:
        return
    recent = [episode for episode in memory.episode_log if episode.task_id == task]
    for episode in recent[-max_recent:]:
        told = f"Score {episode.score:.2f} in {episode.steps} steps: {episode.summary[:100]}"
        yield Section.EPISODES, told
    if scores := memory.score_history.get(task, ()):
        yield Section.MEAN, mean_line(task, scores)
