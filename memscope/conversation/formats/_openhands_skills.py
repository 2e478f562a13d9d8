"""Skills that OpenHands' agent SDK put into the context, as memories with what stands around them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from memscope.conversation.model import Memory, Part, Text

_OPENING = re.compile(r"^\[BEGIN context from \[(.+)\]\]\n", re.MULTILINE)
_CLOSE = "\n[END Context]"
_TRIGGERED = "<EXTRA_INFO>\n"


def of_repository(text: str) -> Iterator[Part]:
    """What is added to the system prompt: each of the repository's skills, such as AGENTS.md, stands between marks."""
    at = 0
    for opening in _OPENING.finditer(text):
        if opening.start() < at:
            continue  # words of a skill
        close = text.find(_CLOSE, opening.end() - 1) + 1
        if not close:
            break
        skill = text[opening.end() : close]
        yield Text(text[at : opening.end()])
        yield Memory(opening[1], skill, "structured") if skill.strip() else Text(skill)
        at = close
    yield Text(text[at:])


def triggered(text: str, names: list[str]) -> Iterator[Part]:
    """What is added behind a message: the skills called `names`, if a word in it triggered any, else words of hooks.

    Where the skills cannot be told apart, they are one memory.
    """
    before, *skills = text.split(_TRIGGERED)
    if not names:
        yield Text(text)
    elif before.strip() or len(skills) != len(names):
        yield Memory(", ".join(names), text, "structured")
    else:
        yield from (Memory(n, _TRIGGERED + s, "structured") for n, s in zip(names, skills, strict=True))
