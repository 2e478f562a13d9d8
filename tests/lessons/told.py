"""Episodes as programs tell them: few words, so that they recur."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

TASKS = st.sampled_from(["triage", "rollback", "größe", "a/b"])
WORDS = st.sampled_from(["escalated too early", "read the logs", "Read  the LOGS", "restarted\nit", "\ud800", "asked"])
SAID = st.lists(WORDS | st.sampled_from(["", " "]), max_size=6)
MAYBE = st.none() | st.sampled_from(["", "w1", "w2"]) | st.just(3)
CARDS = st.fixed_dictionaries(
    {},
    optional={
        "mistake_type": st.sampled_from(["early", "late", "", *"abcdefghij"]),
        "task_id": TASKS,
        "worker_id": MAYBE,
        "bad_decision": MAYBE,
        "correct_decision": MAYBE,
        "evidence": WORDS | st.just("e" * 400) | st.just(""),
        "lesson": WORDS | st.just("l" * 400) | st.none(),
        "seen_count": st.integers(),
    },
)
EPISODES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "task_id": TASKS,
        "score": st.floats(0, 1) | st.sampled_from([0, 1, 0.5, 0.85]),
        "steps": st.integers(0, 99),
        "trajectory_summary": WORDS,
        "mistakes": SAID,
        "successes": SAID,
        "mistake_cards": st.lists(CARDS | st.none() | st.just("late"), max_size=12),
        "reward": st.integers(),
    },
)
"""Such as both classic and strict recording take."""
