"""How much a memory holds, and how the scores of a task went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from memscope.lessons.block import by_seen
from memscope.lessons.model import AgentMemory, MistakeCard

TOP_CARDS = 5
_BLOCKS = "▁▂▃▄▅▆▇█"
_PLAIN = " .:-=+*#%@"


@dataclass(frozen=True, slots=True)
class Summary:
    """`task_rules`: how many there are of each task; `top_cards`: those that were seen most, at most five;
    `mean_scores`: of each task that has scores, to three places."""

    total_episodes: int
    general_rules: int
    task_rules: Mapping[str, int]
    mistakes: int
    mistake_cards: int
    top_cards: tuple[MistakeCard, ...]
    mean_scores: Mapping[str, float]


def summary(memory: AgentMemory) -> Summary:
    """What a memory holds, in numbers."""
    return Summary(
        total_episodes=memory.total_episodes,
        general_rules=len(memory.global_rules),
        task_rules={task: len(rules) for task, rules in memory.task_rules.items()},
        mistakes=len(memory.mistakes),
        mistake_cards=len(memory.mistake_cards),
        top_cards=tuple(by_seen(memory.mistake_cards)[:TOP_CARDS]),
        mean_scores={task: round(sum(of) / len(of), 3) for task, of in memory.score_history.items() if of},
    )


def line(scores: Sequence[float], width: int, *, plain: bool = False) -> str:
    """The last `width` scores as a line, a cell each: an eighth of 0 to 1 for every step of height, whatever the others
    are, so that lines of several tasks can be compared. `plain`: in signs of ASCII, a tenth each.

    A cell is an episode that was: a mean of several would show scores that nobody had, and hide one bad among good.
    """
    signs = _PLAIN if plain else _BLOCKS
    shown = (min(max(score, 0.0), 1.0) for score in (scores[-width:] if width > 0 else ()))
    return "".join(signs[min(int(score * len(signs)), len(signs) - 1)] for score in shown)
