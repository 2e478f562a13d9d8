"""How the block for the next episode is laid out: its heading, its sections in their order, and their lines."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from math import ceil

from memscope.lessons.model import MistakeCard
from memscope.lessons.scores import mean

HEADING = "## MEMORY FROM PAST EPISODES"
CHARACTERS = 4  # that count as a token


class Section(StrEnum):
    """The sections in the order in which they stand, each by its name for a person."""

    RULES = "rules of the task"
    GENERAL = "general rules"
    MISTAKES = "mistakes"
    CARDS = "mistake cards"
    EPISODES = "recent episodes"
    MEAN = "mean score"


_HEADINGS = {
    Section.RULES: "\nRules for {task}:",
    Section.GENERAL: "\nGeneral rules (all tasks):",
    Section.MISTAKES: "\nMistakes to avoid:",
    Section.CARDS: "\nStructured mistake cards:",
    Section.EPISODES: "\nRecent {task} episodes:",
}
_BULLET = "  - "


def text_of(lines: Iterable[tuple[Section, str]], task: str) -> str:
    """The block with these lines, in the order of the sections and within one as they come; "" without any. A section
    without lines has no heading."""
    by_section: dict[Section, list[str]] = {section: [] for section in Section}
    for section, words in lines:
        by_section[section].append(words)
    shown = []
    for section, said in by_section.items():
        shown += [heading(section, task)] if said and section in _HEADINGS else []
        shown += [as_shown(section, words) for words in said]
    return "\n".join([HEADING, *shown]) if shown else ""


def heading(section: Section, task: str) -> str:
    """The heading of a section, behind an empty line; "" for the mean score, which has none."""
    return _HEADINGS.get(section, "").replace("{task}", task)


def as_shown(section: Section, words: str) -> str:
    """A line as it stands in its section."""
    return f"\n{words}" if section is Section.MEAN else f"{_BULLET}{words}"


def tokens(text: str) -> int:
    """How many tokens a text is taken for: one for every four characters that were begun."""
    return ceil(len(text) / CHARACTERS)


def by_seen(cards: Iterable[MistakeCard]) -> list[MistakeCard]:
    """Cards that were seen most first, then those that were seen last."""
    return sorted(cards, key=lambda card: (card.seen_count, card.last_seen_episode), reverse=True)


def mean_line(task: str, scores: tuple[float, ...]) -> str:
    """What is said of the scores of a task, of which there is at least one."""
    return f"Your mean score on {task}: {mean(scores):.2f} (over {len(scores)} episodes)"
