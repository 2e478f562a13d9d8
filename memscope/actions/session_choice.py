"""Which conversations of a ranking are read anew, in whose name, and in which order."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from memscope.conversation.many import ToRead
from memscope.sessions.facts import Facts
from memscope.sessions.ranked import Place, RankedSession


class Part(NamedTuple):
    """A conversation that is read, and the session it is of: that itself, or that of a sub-agent. `is_copy`: others
    count before it."""

    row: RankedSession
    session: str
    is_copy: bool = False


class Chosen(NamedTuple):
    """What is read, session after session, and behind all of them their copies; how many conversations are not, for
    there is nothing in them that another does not tell."""

    parts: list[Part]
    copies: int


def chosen(ranked: Sequence[RankedSession]) -> Chosen:
    """The sessions that count, the oldest first, each with its sub-agents, those once; then their copies."""
    by_place = {row.place: row for row in ranked if row.facts is not None}
    counting = sorted((row for row in by_place.values() if row.copy_of is None), key=lambda r: (r.date, r.path, r.item))
    families: dict[tuple[str, str], str] = {}  # of sub-agents whose session is not there: the name of the first of them
    parts: list[Part] = []
    copies: list[Part] = []
    for row in counting:
        session = name_of(row.place)
        if row.facts is not None and row.facts.is_subagent and row.facts.parent:
            session = families.setdefault((row.format, row.facts.parent), session)
        own = [row, *_sub_agents(row, by_place)]
        parts += (Part(one, session) for one in own)
        read = {one.place: _size(one) for one in own}
        for place in row.copies:
            if place not in read and _size(by_place[place]) not in read.values():
                copies.append(Part(by_place[place], session, is_copy=True))
                read[place] = _size(by_place[place])
    return Chosen([*parts, *copies], len(by_place) - len(parts) - len(copies))


def _size(row: RankedSession) -> object:
    """What two files of one session have in common only where they tell the same."""
    facts = row.facts
    told = (facts.began, facts.ended, facts.messages, facts.title) if facts is not None else ()
    return row.format, row.size, row.item, told


def _sub_agents(row: RankedSession, by_place: dict[Place, RankedSession]) -> Iterator[RankedSession]:
    """The sub-agents that count with a session, in the order of their places; of each that is there several times, the
    one that says most, which `copies` has first."""
    seen = {_agent(row.facts)} if row.facts is not None and row.facts.is_subagent else set()
    found = []
    for place in row.copies:
        facts = by_place[place].facts
        if facts is not None and facts.is_subagent and _agent(facts) not in seen:
            seen.add(_agent(facts))
            found.append(by_place[place])
    yield from sorted(found, key=lambda agent: (agent.date, agent.path, agent.item))


def _agent(facts: Facts) -> object:
    """What copies of a sub-agent have in common, and no other sub-agent of its session has."""
    return facts.print or (facts.session, facts.request, facts.began)


def to_read(rows: Sequence[RankedSession]) -> ToRead:
    """What is read of a file: the conversations that are `rows`."""
    first = rows[0]
    items = tuple((row.item, row.facts is not None and row.facts.is_subagent) for row in rows)
    return ToRead(os.fsencode(first.path), first.format, items, first.size)


def name_of(place: Place) -> str:
    """A session by its name: by its file, and which conversation of that it is where it is not the first."""
    return f"{place.path}#{place.item}" if place.item else place.path
