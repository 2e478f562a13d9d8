"""A reply of Claude Code, which is written piece by piece while its tools already run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from memscope.conversation.model import Message, Part
from memscope.conversation.records import Boundary, Record, with_more


def one_reply(told: Iterable[Record]) -> Iterator[Record]:
    """Pieces of one reply put together, though results of its first tools stand between them.

    Claude Code runs a tool as soon as its call is complete, and writes the result before the rest of the reply. The
    model had not seen that result, so the results go behind the reply.
    """
    reply: Message | None = None
    more: list[Part] = []  # of the pieces that continue the reply
    waiting: list[Record] = []
    for record in told:
        if reply is not None:
            if isinstance(record, Message) and _continues(reply, record):
                more.extend(record.parts)
                continue
            if _may_stand_between(record):
                waiting.append(record)
                continue
            yield with_more(reply, more)
            yield from waiting
            reply, more, waiting = None, [], []
        if isinstance(record, Message) and record.role == "assistant":
            reply = record
        else:
            yield record
    if reply is not None:
        yield with_more(reply, more)
    yield from waiting


def _continues(reply: Message, record: Message) -> bool:
    return record.role == "assistant" and bool(reply.id) and record.id == reply.id


def _may_stand_between(record: Record) -> bool:
    if isinstance(record, Message):
        return record.role == "tool" or (record.role == "user" and record.kind == "synthetic")
    return not isinstance(record, Boundary)
