"""Credentials in what is about to be written as training data: which kind, and where, never the text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from memscope.base.secrets import credentials
from memscope.triage.chat_lines import ChatMessage, Example


@dataclass(frozen=True, slots=True)
class Leaks:
    """Looks through examples of one conversation; what they share is looked through once."""

    _known: dict[int, str | None] = field(default_factory=dict)

    def found(self, example: Example, rejected: ChatMessage | None = None) -> str | None:
        """The first credential in what a line holds, in words; None where there seems to be none."""
        for place, said in zip(example.places, example.prompt, strict=True):
            if place not in self._known:
                self._known[place] = _kind(said)
            if (kind := self._known[place]) is not None:
                return f"a credential ({kind}) in message #{place}"
        if (kind := _kind(example.target)) is not None:
            return f"a credential ({kind}) in the target, #{example.message}"
        if rejected is not None and (kind := _kind(rejected)) is not None:
            return f"a credential ({kind}) in the alternate to #{example.message}"
        for tool in example.tools:
            if found := credentials(json.dumps(tool, ensure_ascii=False)):
                return f"a credential ({found[0].kind}) in the definitions of the tools"
        return None


def _kind(message: ChatMessage) -> str | None:
    return next((found[0].kind for text in _texts(message) if (found := credentials(text))), None)


def _texts(message: ChatMessage) -> Iterator[str]:
    yield message.get("content") or ""
    for call in message.get("tool_calls") or ():
        yield call["function"]["name"]
        yield call["function"]["arguments"]
