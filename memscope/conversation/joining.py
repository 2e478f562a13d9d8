"""Parts of a message put together again, where a text was cut into parts that are one memory."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from memscope.conversation.model import Memory, Part


def joined(parts: Iterable[tuple[Hashable, Part]]) -> Iterator[Part]:
    """The parts, each given with its owner, with neighbouring memories of one owner as one. None owns nothing."""
    for owner, group in groupby(parts, key=lambda owned: owned[0]):
        found = [part for _, part in group]
        memories = [part for part in found if isinstance(part, Memory)]
        if owner is None or len(memories) < len(found):
            yield from found
        else:
            yield replace(memories[0], text="".join(memory.text for memory in memories))
