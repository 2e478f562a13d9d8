"""From many episodes a few general rules: when it is time, what a model is asked, and what its answer is worth.

Nothing here calls a model. Without one, or where its answer is no use, the best episodes speak for themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from memscope.base.masking import masked, without_homes
from memscope.clients.answers import json_values
from memscope.lessons.model import AgentMemory
from memscope.lessons.words import lines_of, one_line

EVERY = 20  # episodes
EPISODES = 30  # the last so many are told
TEMPERATURE = 0.0
MAX_TOKENS = 300  # of the answer
TIMEOUT = 30.0  # seconds

MOST_RULES = 20  # general ones that are kept
CONSOLIDATED = "[CONSOLIDATED] "
"""What a model's rules begin with."""

HIGH_SCORE = 0.85
BEGINNING = 120  # characters of the summary of a good episode
_ASKED = 5  # rules
_LONGEST_RULE = 300  # characters
_LONGEST_SUMMARY = 1_000  # characters in a prompt; one or two sentences is what a summary should be

ChatMessage = dict[str, str]

_PROMPT = """\
You are analyzing an AI agent's performance across multiple episodes.
Here are recent episode outcomes:

{episodes}

Extract 5 concise, actionable rules the agent should follow in future episodes.
Each rule should be 1 sentence. Focus on what WORKS and what to AVOID.

Return ONLY a JSON array of strings:
["Rule 1...", "Rule 2...", ...]
"""


def since(memory: AgentMemory) -> int:
    """How many episodes there were since the last consolidation, or ever."""
    return max(memory.total_episodes - memory.last_consolidated_at, 0)


def is_due(memory: AgentMemory) -> bool:
    """Whether there were enough episodes for another consolidation."""
    return since(memory) >= EVERY


def messages(memory: AgentMemory, *, classic: bool = False) -> list[ChatMessage]:
    """What a model is sent: the last episodes of the log, without credentials and names of home folders, each on a
    line of its own. `classic`: as they were recorded."""
    tell = str if classic else _told
    outcomes = (
        f"task={tell(episode.task_id)} score={episode.score:.2f}: {tell(episode.summary)}"
        for episode in memory.episode_log[-EPISODES:]
    )
    return [{"role": "user", "content": _PROMPT.replace("{episodes}", "\n".join(outcomes))}]


def rules_in(reply: str) -> tuple[str, ...]:
    """The rules in a model's answer, those of the first JSON array with texts: at most five, each on one line of at
    most 300 characters, without a mark.

    Raises ValueError, which says what is wrong, where there is no such array.
    """
    if not reply.strip():
        raise ValueError("the answer is empty")
    values = list(json_values(reply))
    arrays = [value for value in values if isinstance(value, list)]
    for array in arrays:
        if rules := lines_of(one_line(rule)[:_LONGEST_RULE] for rule in array if isinstance(rule, str)):
            return rules[:_ASKED]
    if not arrays:
        raise ValueError(
            f"the answer holds {'an object' if values else 'no JSON'} where an array of rules was asked for"
        )
    if not any(arrays):
        raise ValueError("the array in the answer is empty")
    raise ValueError("the array in the answer holds no rules: none of its entries is a text with words")


def from_model(rules: Iterable[str]) -> tuple[str, ...]:
    """A model's rules as general rules."""
    return tuple(CONSOLIDATED + rule for rule in rules)


def by_scores(memory: AgentMemory) -> tuple[str, ...]:
    """What the best episodes since the last consolidation say, as general rules: those with a high score and a summary.
    What earlier ones say was told by then, and may have made room since."""
    new = memory.episode_log[-since(memory) :] if since(memory) else ()
    good = (episode for episode in new if episode.score >= HIGH_SCORE)
    told = ((episode.score, one_line(episode.summary)[:BEGINNING]) for episode in good)
    return lines_of(f"[HIGH SCORE {score:.2f}] {summary}" for score, summary in told if summary)


def consolidated(
    memory: AgentMemory, rules: tuple[str, ...], *, total: int | None = None, sparing: bool = False
) -> AgentMemory:
    """The memory with these general rules behind those it has, the last twenty, and none twice: one that was derived
    again stands where it is newest. The same object where no rules were derived.

    `total`: how many episodes there were in the memory that the rules were derived of, where that was an earlier one;
    those since then are still to be told. `sparing`: a model's rules stay, and the others have the room they leave.
    """
    if not rules:
        return memory
    return replace(memory, global_rules=_merged(memory, rules, sparing), last_consolidated_at=told_of(memory, total))


def told_of(memory: AgentMemory, total: int | None) -> int:
    """How many episodes of the memory were told once it is consolidated, of one that had `total` of them."""
    told = memory.total_episodes if total is None else total
    return min(max(told, memory.last_consolidated_at), memory.total_episodes)


def _merged(memory: AgentMemory, rules: tuple[str, ...], sparing: bool) -> tuple[str, ...]:
    new = set(rules)
    found = [*dict.fromkeys(rule for rule in memory.global_rules if rule not in new), *dict.fromkeys(rules)]
    spared = [rule for rule in found if sparing and rule.startswith(CONSOLIDATED)][-MOST_RULES:]
    others = [rule for rule in found if rule not in spared]
    kept = {*spared, *others[max(len(others) - (MOST_RULES - len(spared)), 0) :]}
    return tuple(rule for rule in found if rule in kept)


class Changes(NamedTuple):
    """What became of the general rules."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]


def changes(before: AgentMemory, after: AgentMemory) -> Changes:
    """What became of the general rules of `before` in `after`, each in the order of the memory it is in."""
    old, new = dict.fromkeys(before.global_rules), dict.fromkeys(after.global_rules)
    return Changes(
        added=tuple(rule for rule in new if rule not in old),
        removed=tuple(rule for rule in old if rule not in new),
        kept=tuple(rule for rule in new if rule in old),
    )


def taken_back(memory: AgentMemory, before: AgentMemory, after: AgentMemory) -> AgentMemory:
    """`memory` without what a consolidation, which made `after` of `before`, did to the general rules: its own go, and
    those that had to make room come back in front. What came since stays, and so does the time of a later
    consolidation. The same object where none of its own is there any more."""
    if memory.global_rules == after.global_rules:
        rules = before.global_rules
    else:
        done = changes(before, after)
        came = set(done.added)
        if came and came.isdisjoint(memory.global_rules):
            return memory
        left = [rule for rule in memory.global_rules if rule not in came]
        rules = (*(rule for rule in done.removed if rule not in left), *left)
    is_last = memory.last_consolidated_at == after.last_consolidated_at
    at = before.last_consolidated_at if is_last else memory.last_consolidated_at
    return replace(memory, global_rules=rules, last_consolidated_at=at)


def _told(text: str) -> str:
    """Words as they may leave the machine. They are masked before they are cut, so that no credential is cut in two."""
    return one_line(without_homes(masked(text)[0]))[:_LONGEST_SUMMARY]
