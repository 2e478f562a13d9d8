"""The documents of lessons, one of each, of a memory with something of everything in it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from memscope.lessons.consolidation import by_scores, consolidated
from memscope.lessons.context import context
from memscope.lessons.model import AgentMemory
from memscope.reports.lessons import LessonsDocument, lessons_document
from memscope.reports.lessons_change import LessonsChangeDocument, change_document
from memscope.reports.lessons_context import LessonsContextDocument, context_document
from tests.lessons.remembered import card, episode

PATH = Path("/srv/agent_memory.json")
MEMORY = AgentMemory(
    total_episodes=24,
    last_consolidated_at=3,
    global_rules=("[AVOID] guessing", "[HIGH SCORE 0.90] read the logs first"),
    task_rules={"deploy": ("[WORKS] guessing", "[WORKS] asking"), "rollback": ("[AVOID] asking",)},
    episode_log=(episode(0.9, "asked, then waited"), episode(0.2, "guessed", "rollback")),
    score_history={"deploy": (0.5, 0.7, 0.9), "rollback": (math.nan,)},
    mistakes=("guessing",),
    mistake_cards=(card("Look first."), card("Ask twice.", "two of them died", kind="late", seen=3, last=9)),
    successes=("asking",),
    strange={"mistakes": (7, None), "score_history/deploy": ("good",)},
)


def lessons_kept() -> LessonsDocument:
    """Rules that contradict each other, a score that is no number, and entries that count for nothing."""
    return lessons_document(PATH, MEMORY, exists=True)


def context_cut() -> LessonsContextDocument:
    """A block that had no room for all of it."""
    return context_document(PATH, "deploy", context(MEMORY, "deploy", 40))


def lessons_changed() -> LessonsChangeDocument:
    """A consolidation by the scores, which the model did not do, and for which a rule had to go."""
    after = consolidated(replace(MEMORY, global_rules=MEMORY.global_rules[1:]), by_scores(MEMORY))
    told = {"by": "scores", "trouble": "no answer"}
    return change_document(PATH, "consolidate", MEMORY, after, written=True, **told)  # type: ignore[arg-type]
