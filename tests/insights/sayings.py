"""Insights for tests, of few words, so that many are alike."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from memscope.conversation.model import Source
from memscope.insights.curation import Kept
from memscope.insights.model import KINDS, Evidence, Insight, Kind


def spot(session: str, message: int | None = 1) -> Evidence:
    """A message of a session that has a file of its own."""
    return Evidence(session, Source(Path(f"/srv/{session}.jsonl"), "claude-code"), message, "words")


def insight(
    text: str,
    confidence: float = 0.8,
    *sessions: str,
    time: float | None = None,
    kind: Kind = "long_reasoning",
    model: str = "",
) -> Insight:
    """An insight with the second message of each session as its evidence."""
    return Insight(kind, text, confidence, tuple(map(spot, sessions)), time, model)


def texts(count: int = 7) -> st.SearchStrategy[str]:
    """Texts of few different words, often alike; some without any word."""
    some = st.lists(st.sampled_from("abcdefghij"[:count]), min_size=1, max_size=count).map(" ".join)
    return some | st.sampled_from(["", "?!", "…"])


def insights() -> st.SearchStrategy[Insight]:
    """Insights that are often alike, equally confident or of the same time."""
    return st.builds(
        Insight,
        st.sampled_from(KINDS),
        texts(),
        st.sampled_from([0.0, 0.2, 0.3, 0.5, 0.5, 0.7, 0.9, 1.0]),
        st.lists(st.builds(spot, st.sampled_from("stuvw"), st.sampled_from([None, 0, 3])), max_size=3).map(tuple),
        st.none() | st.sampled_from([1.0, 2.0, 3.0]),
        st.sampled_from(["", "m"]),
    )


def kept_insights() -> st.SearchStrategy[list[Kept]]:
    """What is kept: each name once."""
    kept = st.builds(Kept, insights(), st.sampled_from([10.0, 20.0, 30.0]))
    return st.lists(kept, max_size=8, unique_by=lambda one: one.insight.name)
