"""Insights, and the prompt of a synthesis, as lines of text to write and to print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from memscope.base.text import json_text

if TYPE_CHECKING:
    from memscope.reports.insights import InsightRow
    from memscope.reports.insights_prompt import InsightsPromptDocument


def jsonl(rows: Iterable[InsightRow]) -> Iterator[str]:
    """Each insight as a JSON object on a line of its own, without line end."""
    for row in rows:
        yield json_text(row.model_dump(mode="json", by_alias=True), indent=None)


def prompt_text(document: InsightsPromptDocument, form: Literal["md", "txt"]) -> str:
    """The messages of a prompt, each below its role: a heading, or a word in brackets as the command prints it."""
    heads = "# {}\n" if form == "md" else "[{}]"
    return "\n".join(f"{heads.format(one.role)}\n{one.content.rstrip()}\n" for one in document.messages)
