"""The messages of a conversation, each once: over all its context windows, and without what was made of others.

For folds over a format's records, beside that of `conversation.load`: windows and messages are counted as that does, so
that a message is found again where loading puts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from memscope.conversation.model import Message
from memscope.conversation.records import Boundary, Record
from memscope.conversation.window_count import WindowCount


def told_once(records: Iterable[Record]) -> Iterator[tuple[int, int, Message]]:
    """Every message with the number of its context window, and its index there; no memories, nothing that a compaction
    tells again, of the kind "summary", and nothing that was told before, by what has an id or a time: another window
    may repeat it. The records are read once, and what they raise (`SourceError`) ends the reading."""
    count, seen = WindowCount(), set[int]()
    for record in records:
        if type(record) is Boundary:
            count.boundary()
        elif type(record) is Message:
            index = count.add(record.role)
            if record.is_memory or record.kind == "summary" or _again(record, seen):
                continue
            yield count.number, index, record


def _again(message: Message, seen: set[int]) -> bool:
    """Whether it is among those `seen`, where it is put."""
    if not message.id and message.time is None:
        return False
    told = hash((message.role, message.id, message.time, message.parts))
    before = len(seen)
    seen.add(told)
    return len(seen) == before
