"""Files of rows and transcripts in which it is known what recurs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ASKED = "Run the whole test suite and repair whatever fails"
OTHER = "Write an entry in the changelog about the parser"

Vector = Sequence[float | None] | None


def row(message: int | str, session: int | str, vector: Vector = None, text: str = ASKED) -> dict[str, Any]:
    found: dict[str, Any] = {"message_id": message, "session_id": session, "text": text}
    return found if vector is None else {**found, "embedding": list(vector)}


TESTS = [
    row(1, "s1", (1, 0, 0), f"{ASKED}."),
    row(2, "s2", (0.99, 0.1, 0), f"{ASKED}!"),
    row(3, "s3", (0.98, 0, 0.1), f"Please: {ASKED}"),
]
"""Three messages of three sessions that point the same way."""

STRANGERS = [row(4, "s1", (0, 1, 0), OTHER), row(5, "s2", (0, 0, 1), "Draw a picture of the house")]
"""Two that have nothing to do with them, nor with each other."""


def write_rows(path: Path, rows: Iterable[Any]) -> Path:
    """A file of JSON lines; a text is a line as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in rows))
    return path


def write_talk(path: Path, *asked: str, words: str = "I look first.", tools: Sequence[str] = ("Bash", "Edit")) -> Path:
    """A transcript in which each of these was asked for, and tools were called for it."""
    messages: list[dict[str, Any]] = []
    for number, text in enumerate(asked):
        calls = [
            {"id": f"{number}-{tool}", "type": "function", "function": {"name": tool, "arguments": '{"path": "a"}'}}
            for tool in tools
        ]
        messages += [
            {"role": "user", "content": text},
            {"role": "assistant", "content": words, "tool_calls": calls},
            *({"role": "tool", "tool_call_id": call["id"], "content": "well"} for call in calls),
            {"role": "assistant", "content": "Done."},
        ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"messages": messages}))
    return path
