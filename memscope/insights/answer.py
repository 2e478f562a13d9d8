"""What a chat model says that traces teach: the insights in its answer, however it wraps them."""

from __future__ import annotations

from typing import Any, NamedTuple

from memscope.base.text import clean_line, counted
from memscope.clients.answers import json_values

LONGEST = 300  # characters of a text
UNSURE = 0.5  # the confidence of what comes without one


class Said(NamedTuple):
    """An insight as a model words it, on one clean line; `confidence` 0 to 1."""

    text: str
    confidence: float


class NoInsights(ValueError):  # noqa: N818 - what there is instead of them
    """An answer that cannot be read as insights; the message says what is wrong with it, without quoting it."""


def read_answer(reply: str, count: int = 10) -> tuple[Said, ...]:
    """The first `count` insights of an answer: an object with a list `insights`, or such a list alone. The first JSON
    of that form counts, whatever stands around it; a list without anything in it says that there are none.

    An item needs a text with a letter or a digit in it. A confidence that is missing or no number is `UNSURE`, any
    other is brought into its bounds. Raises `NoInsights` where there is no JSON, none of that form, or no item with a
    text.
    """
    found = textless = 0
    is_empty = False
    for value in json_values(reply):
        found += 1
        named = value.get("insights") if isinstance(value, dict) else None
        items = value if isinstance(value, list) else named
        if not isinstance(items, list):
            continue
        said = tuple(one for item in items if (one := _said(item)) is not None)
        if said or (named is not None and not items):
            return said[: max(count, 0)]
        textless = textless or len(items)
        is_empty = is_empty or not items
    if textless:
        raise NoInsights(f"the answer has {counted(textless, 'item')}, none with a text in words")
    if is_empty:
        return ()
    if found:
        raise NoInsights('the JSON of the answer has no list "insights"')
    raise NoInsights("the answer has no JSON in it, or no whole one" if reply.strip() else "the answer is empty")


def _said(item: Any) -> Said | None:
    text = item.get("text") if isinstance(item, dict) else None
    if not isinstance(text, str) or not any(map(str.isalnum, text)):  # the "..." of the form that was asked for
        return None
    confidence = item.get("confidence")
    if isinstance(confidence, bool) or not isinstance(confidence, int | float):
        confidence = UNSURE
    # Bounds first: an integer may be too large for a float.
    return Said(clean_line(" ".join(text.split()))[:LONGEST], float(min(1, max(0, confidence))))
