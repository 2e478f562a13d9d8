"""The prompt of a synthesis before it is sent: its words, its size, and where it would go."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from memscope.base.text import character_count, counted
from memscope.reports.view import Column, Document, View


class PromptMessage(Document):
    """A message as the chat model is sent it."""

    role: str
    content: str


class InsightsPromptDocument(Document):
    """`sessions`: those whose traces are in it, the newest first, and `left_out` how many are not, for they would have
    no room; `cut`: how many of those are not told to the end. `observed`: other sessions, which the observations in it
    are of, and quote. `tokens`: about so many, a token taken as four
    characters, and `longest`: as many as an answer may have. `url`: where it would be sent, null where no server is
    set. `cached`: its answer is kept, so that nothing would be sent."""

    schema_: Literal["memscope/insights-prompt@1"] = Field("memscope/insights-prompt@1", alias="schema")
    messages: list[PromptMessage]
    characters: int
    tokens: int
    longest: int | None
    sessions: list[str]
    observed: list[str]
    left_out: int
    cut: int
    url: str | None
    model: str | None
    cached: bool


def told_words(sessions: int, observed: int) -> str:
    """Of how many sessions a prompt tells: in traces, and of others in observations."""
    told = counted(sessions, "session")
    return f"{told}, and observations of {observed:,} more" if observed else told


def prompt_words(document: InsightsPromptDocument) -> str:
    """How large the prompt is, what is in it, and where it would go."""
    told = [f"{character_count(document.characters)}, about {counted(document.tokens, 'token')}"]
    if document.longest is not None:
        told.append(f"an answer of at most {counted(document.longest, 'token')}")
    told.append(told_words(len(document.sessions), len(document.observed)))
    if document.cut:
        told.append(f"{document.cut:,} cut")
    if document.left_out:
        told.append(f"{document.left_out:,} older left out")
    where = "no chat server is set" if document.url is None else f"to {document.url}"
    if document.url is not None:
        where += f", for {document.model or 'the model it serves'}"
    if document.cached:
        where = f"its answer is kept: nothing is sent ({where})"
    return " · ".join([*told, where])


PROMPT_COLUMNS: tuple[Column[PromptMessage], ...] = (
    Column("role", lambda row: row.role),
    Column("content", lambda row: row.content, wide=True),
)

INSIGHTS_PROMPT: View[InsightsPromptDocument, PromptMessage] = View(
    "insights-prompt", InsightsPromptDocument, lambda document: document.messages, lambda _: PROMPT_COLUMNS
)
