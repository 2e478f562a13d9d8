"""Memories to try things on: built in a line, drawn at random, and as the document of their file."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from memscope.lessons.model import AgentMemory, LoggedEpisode, MistakeCard

TASKS = ("deploy", "root_cause", "write tests", "de\nploy", "")


def episode(score: float = 0.5, summary: str = "", task: str = "deploy", steps: int = 3) -> LoggedEpisode:
    return LoggedEpisode("2026-03-01T10:00:00+00:00", task, score, steps, summary)


def card(
    lesson: str = "Look first.",
    evidence: str = "",
    *,
    kind: str = "early",
    task: str = "deploy",
    seen: int = 1,
    last: int = 0,
) -> MistakeCard:
    return MistakeCard(kind, task, None, None, None, evidence, lesson, seen, 0, last)


TEXTS = st.one_of(
    st.sampled_from(["look first", "look  first", "Ask twice", "wait", "", " ", "a\nb", "\x1b[2J\u202e", "word " * 60]),
    st.text(max_size=20),
)
RULES = st.builds("".join, st.tuples(st.sampled_from(["[AVOID] ", "[WORKS] ", ""]), TEXTS))
SCORES = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 0.85, 0.8499999, 1.0, 92.0, -1.0]))
CARDS = st.builds(
    card,
    TEXTS,
    TEXTS,
    kind=TEXTS,
    task=st.sampled_from(TASKS),
    seen=st.integers(1, 4),
    last=st.integers(0, 9),
)
EPISODES = st.builds(episode, SCORES, TEXTS, st.sampled_from(TASKS), st.integers(0, 40))


def texts(strategy: st.SearchStrategy[str] = TEXTS, most: int = 8) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(strategy, max_size=most).map(tuple)


MEMORIES = st.builds(
    AgentMemory,
    total_episodes=st.integers(0, 60),
    last_consolidated_at=st.integers(0, 50),
    global_rules=texts(most=24),
    task_rules=st.dictionaries(st.sampled_from(TASKS), texts(RULES, 10)),
    episode_log=st.lists(EPISODES, max_size=36).map(tuple),
    score_history=st.dictionaries(st.sampled_from(TASKS), st.lists(SCORES, max_size=6).map(tuple)),
    mistakes=texts(),
    mistake_cards=st.lists(CARDS, max_size=7).map(tuple),
)


def document(memory: AgentMemory) -> dict[str, Any]:
    """The memory as classic memory holds it."""
    return {
        "version": 1,
        "total_episodes": memory.total_episodes,
        "last_consolidated_at": memory.last_consolidated_at or None,
        "global_rules": list(memory.global_rules),
        "task_rules": {task: list(rules) for task, rules in memory.task_rules.items()},
        "episode_log": [
            {"timestamp": e.timestamp, "task_id": e.task_id, "score": e.score, "steps": e.steps, "summary": e.summary}
            for e in memory.episode_log
        ],
        "score_history": {task: list(scores) for task, scores in memory.score_history.items()},
        "mistakes": list(memory.mistakes),
        "mistake_cards": [
            {
                "mistake_type": c.mistake_type,
                "task_id": c.task_id,
                "evidence": c.evidence,
                "lesson": c.lesson,
                "seen_count": c.seen_count,
                "last_seen_episode": c.last_seen_episode,
            }
            for c in memory.mistake_cards
        ],
        "successes": list(memory.successes),
    }
