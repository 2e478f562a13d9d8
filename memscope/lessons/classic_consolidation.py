"""Consolidation as classic memory does it, flaws included.

- An answer is read from its first [ to its last ]. Whatever stands in it is a rule, and there may be any number; where
  there are no brackets, there are none, and that is no failure.
- The memory counts as consolidated even where nothing was derived.
- Summaries stay as they were recorded, over several lines where they were.
- The scores of the whole log tell rules every time, and a rule that is there already stays where it is; so the oldest
  come back, and the newest of before go for them.
"""

from __future__ import annotations

import json
from dataclasses import replace

from memscope.lessons.consolidation import BEGINNING, HIGH_SCORE, MOST_RULES, told_of
from memscope.lessons.model import AgentMemory


def rules_in(reply: str) -> tuple[str, ...]:
    """The rules in a model's answer, without a mark; none where it has no brackets. Raises ValueError where what stands
    between them is no JSON array."""
    start, end = reply.find("["), reply.rfind("]") + 1
    if start < 0 or end == 0:
        return ()
    try:
        found = json.loads(reply[start:end])
    except (ValueError, RecursionError):
        raise ValueError("what stands from the first [ to the last ] of the answer is no JSON array") from None
    return tuple(map(str, found))


def by_scores(memory: AgentMemory) -> tuple[str, ...]:
    """What the best episodes of the log say, as general rules."""
    good = (one for one in memory.episode_log if one.score >= HIGH_SCORE and one.summary)
    return tuple(dict.fromkeys(f"[HIGH SCORE {one.score:.2f}] {one.summary[:BEGINNING]}" for one in good))


def consolidated(memory: AgentMemory, rules: tuple[str, ...], *, total: int | None = None) -> AgentMemory:
    """The memory with these general rules, be there any or not, behind those it has. `total`: as in the other mode."""
    merged = tuple(dict.fromkeys([*memory.global_rules, *rules]))[-MOST_RULES:]
    return replace(memory, global_rules=merged, last_consolidated_at=told_of(memory, total))
