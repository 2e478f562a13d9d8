"""A reply of Claude Code, which is written piece by piece while its tools already run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from memscope.conversation.model import Message
from memscope.conversation.records import Boundary, Record


def one_reply(told: Iterable[Record]) -> Iterator[Record]:
    """Pieces of one reply put together, though results of its first tools stand between them.

    Claude Code runs a tool as soon as its call is complete, and writes the result before the rest of the reply. The
    model had not seen that result, so the results go behind the reply.
    """
    reply: Message | None = None
    waiting: list[Record] = []
    for record in told:
        if reply is not None and _continues(reply, record):
            reply = replace(reply, parts=(*reply.parts, *record.parts))  # type: ignore[union-attr]
        elif reply is not None and _may_stand_between(record):
            waiting.append(record)
        else:
            yield from _released(reply, waiting)
            reply, waiting = None, []
            if isinstance(record, Message) and record.role == "assistant":
                reply = record
            else:
                yield record
    yield from _released(reply, waiting)


def _released(reply: Message | None, waiting: list[Record]) -> Iterator[Record]:
    if reply is not None:
        yield reply
    yield from waiting


def _continues(reply: Message, record: Record) -> bool:
    return isinstance(record, Message) and record.role == "assistant" and bool(reply.id) and record.id == reply.id


def _may_stand_between(record: Record) -> bool:
    if isinstance(record, Message):
        return record.role == "tool" or (record.role == "user" and record.kind == "synthetic")
    return not isinstance(record, Boundary)
