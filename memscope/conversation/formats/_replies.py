"""Replies whose pieces are written while their tools already run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from memscope.conversation.model import Message, Part
from memscope.conversation.records import Boundary, Record, with_more


def one_reply(told: Iterable[Record]) -> Iterator[Record]:
    """Pieces of one reply put together, though results of its first tools stand between them.

    Claude Code runs a tool as soon as its call is complete, and OpenHands one call of a reply after the other; both
    write a result before the rest of the reply. The model had not seen that result, so the results go behind the reply.
    """
    reply: Message | None = None
    more: list[Part] = []  # of the pieces that continue the reply
    waiting: list[Record] = []
    for record in told:
        piece = record if isinstance(record, Message) and record.role == "assistant" else None
        if reply is not None:
            if piece is not None and reply.id and piece.id == reply.id:
                more.extend(piece.parts)
                continue
            if piece is None and _may_stand_between(record):
                waiting.append(record)
                continue
            yield with_more(reply, more)
            yield from waiting
            more, waiting = [], []
        if piece is None:
            yield record
        reply = piece
    if reply is not None:
        yield with_more(reply, more)
    yield from waiting


def _may_stand_between(record: Record) -> bool:
    if isinstance(record, Message):
        return record.role == "tool" or (record.role == "user" and record.kind == "synthetic")
    return not isinstance(record, Boundary)
