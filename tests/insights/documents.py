"""The documents of insights, one of each."""

from __future__ import annotations

from pathlib import Path

from memscope.reports.insights import InsightsDocument, insight_row, insights_document
from memscope.reports.insights_prompt import InsightsPromptDocument, PromptMessage
from tests.insights.sayings import insight


def insights_found() -> InsightsDocument:
    """Of a rule and of a model, with a file that could not be read and a reply of which nothing could be made."""
    rows = [
        insight_row(insight("'Bash' errored 2 times: no", 0.4, "a", time=1.8e9, kind="repeated_tool_error"), "kept"),
        insight_row(insight("Look before you leap.", 0.7, "a", "b", kind="synthesized", model="talker")),
    ]
    unread = [(Path("/srv/c.jsonl"), "it is no transcript")]
    return insights_document(
        rows,
        sessions=2,
        copies=1,
        unread=unread,
        error="http://127.0.0.1:8000: no answer",
        parse_error="the answer is empty",
        reply="Rate limit exceeded",
    )


def prompt_to_send() -> InsightsPromptDocument:
    """One that leaves sessions out."""
    return InsightsPromptDocument(
        messages=[PromptMessage(role="user", content="What do they teach?")],
        characters=19,
        tokens=5,
        longest=4000,
        sessions=["/srv/a.jsonl", "/srv/b.jsonl"],
        observed=["/srv/c.jsonl"],
        left_out=1,
        cut=1,
        url="http://127.0.0.1:8000/v1",
        model=None,
        cached=False,
    )
