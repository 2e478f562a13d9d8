"""Credentials in what is about to be written as training data: which kind, and where, never the text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from memscope.base.secrets import credentials
from memscope.triage.chat_lines import ChatMessage, Example


@dataclass(frozen=True, slots=True)
class Leaks:
    """Looks through examples of one conversation; what they share is looked through once."""

    _known: dict[int | None, str | None] = field(default_factory=dict)  # messages by their place; None: the tools

    def found(self, example: Example, rejected: ChatMessage | None = None) -> str | None:
        """The first credential in what a line holds, in words; None where there seems to be none."""
        for place, said in zip(example.places, example.prompt, strict=True):
            if (kind := self._once(place, _texts(said))) is not None:
                return f"a credential ({kind}) in message #{place}"
        if (kind := _kind(_texts(example.target))) is not None:
            return f"a credential ({kind}) in the target, #{example.message}"
        if rejected is not None and (kind := _kind(_texts(rejected))) is not None:
            return f"a credential ({kind}) in the alternate to #{example.message}"
        tools = (json.dumps(tool, ensure_ascii=False) for tool in example.tools)
        if (kind := self._once(None, tools)) is not None:
            return f"a credential ({kind}) in the definitions of the tools"
        return None

    def _once(self, what: int | None, texts: Iterable[str]) -> str | None:
        if what not in self._known:
            self._known[what] = _kind(texts)
        return self._known[what]


def _kind(texts: Iterable[str]) -> str | None:
    """The kind of the first credential in these."""
    return next((found[0].kind for text in texts if (found := credentials(text))), None)


def _texts(message: ChatMessage) -> Iterator[str]:
    yield message.get("content") or ""
    for call in message.get("tool_calls") or ():
        yield call["function"]["name"]
        yield call["function"]["arguments"]
