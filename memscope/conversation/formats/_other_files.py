"""Files that are met where transcripts are looked for and are none that can be read: what to call them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# The fields that tell, all of which the first object has.
_BY_FIELDS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"instance_id", "model_patch"}), "patches to be evaluated, without the conversations they came of"),
    (frozenset({"question_id"}), "questions of a memory benchmark with their answers (LongMemEval)"),
    (frozenset({"input", "ground_truth"}), "questions of a benchmark with the right answers"),
    (frozenset({"sample_id", "conversation", "qa"}), "conversations between people, of a benchmark (LoCoMo)"),
    (frozenset({"memories", "spans", "kind"}), "the right answers to a conversation, not the conversation"),
    (frozenset({"type", "protocol_version"}), "a session of Kimi"),
)


def looks_like(head: Sequence[Any]) -> str:
    """What the file is whose first values these are, as far as that is known; "" where it is not."""
    first = head[0] if head else None
    first = first[0] if isinstance(first, list) and first else first
    if not isinstance(first, Mapping):
        return ""
    message = first.get("message")
    if isinstance(first.get("role"), str) and isinstance(message, Mapping) and "content" in message:
        return "a session of Cursor"
    return next((words for fields, words in _BY_FIELDS if fields <= first.keys()), "")
