"""One session in several files counts once: resumed, saved on the way, told by its sub-agents, or written twice.

Two are the same where they have the agent's own name for the session in common, or begin with the same messages. A
sub-agent belongs to its session where that is there, and stands by itself where it is not. None of this depends on the
order of the files.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple

from memscope.sessions.facts import Facts, ScannedFile

Name = Hashable


class Candidate(NamedTuple):
    """A session that may be the same as others: its file, its facts, its date in seconds since the epoch, and what says
    so. `path` and `format` are the file's."""

    path: str
    format: str
    facts: Facts
    date: float
    dated: str
    file: ScannedFile


def grouped(candidates: Sequence[Candidate]) -> list[list[int]]:
    """The candidates, by their places, that are one session, if they are more than one. In each group the one that
    counts comes first: no sub-agent, the most messages, the newest, by path; then the others in that order."""
    groups = _Groups(len(candidates))
    known: dict[Name, int] = {}  # the first found by each name and each beginning
    told: set[Name] = set()
    agents = []
    for place, candidate in enumerate(candidates):
        facts = candidate.facts
        if facts.is_subagent:
            agents.append(place)
        for name in (_name(candidate, told) if facts.session else None, facts.print):
            if name:
                first = known.setdefault(name, place)
                if first != place:
                    groups.join(place, first)
    for place, of in _belonging(candidates, agents, known):
        groups.join(place, of)
    return [sorted(group, key=lambda place: _standing(candidates[place])) for group in groups.several()]


def _name(candidate: Candidate, told: set[Name]) -> Name | None:
    """What all copies of a session have for a name, and nothing else has. `told`: the names that files told so far."""
    path, form, facts, *_ = candidate
    session = facts.session
    if facts.is_subagent:  # its name is one among its siblings
        return (_family(form), facts.parent, session) if _own_name(facts) else None
    if len(candidate.file.sessions) > 1:  # two of one name in a file are two conversations
        while (path, session) in told:
            session += "\n"
        told.add((path, session))
    return _family(form), session


def _belonging(
    candidates: Sequence[Candidate], agents: Sequence[int], known: Mapping[Name, int]
) -> Iterator[tuple[int, int]]:
    """For each sub-agent whose session is there: its place, and that of the session, or of the agent it is of."""
    if not agents:
        return
    main: dict[str, int | None] = {}  # of each file: its conversation that is no sub-agent's, if there is but one
    for place, candidate in enumerate(candidates):
        if not candidate.facts.is_subagent:
            main[candidate.path] = None if candidate.path in main else place
    spawned: dict[Name, int | None] = {}  # agents by names of their own, if there is but one of that
    for place in agents:
        path, form, facts, *_ = candidates[place]
        own = _family(form), _own_name(facts)
        other = spawned.setdefault(own, place)
        if other is not None and candidates[other].facts.parent != facts.parent:
            spawned[own] = None
    for place in agents:
        path, form, facts, *_ = candidates[place]
        name = _family(form), facts.parent or facts.session
        found = (known.get(name), spawned.get(name) if name[1] else None, main.get(path))
        of = next((of for of in found if of is not None), None)
        if of is not None:
            yield place, of


def _own_name(facts: Facts) -> str:
    """What an agent calls a sub-agent; "" where that is the name of its session, or none."""
    return facts.session if facts.parent and facts.session != facts.parent else ""


def _family(form: str) -> str:
    """An agent's formats share its sessions' names: `hermes`, `hermes-database`."""
    return form.partition("-")[0]


def _standing(candidate: Candidate) -> tuple[bool, int, float, str, int]:
    facts = candidate.facts
    return facts.is_subagent, -facts.messages, -candidate.date, candidate.path, facts.item


class _Groups:
    """Places that belong together, by union and find."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))
        self._joined: set[int] = set()

    def join(self, one: int, other: int) -> None:
        self._joined.update((one, other))
        one, other = self._root(one), self._root(other)
        self._above[max(one, other)] = min(one, other)

    def _root(self, place: int) -> int:
        above = self._above
        while above[place] != place:
            above[place] = above[above[place]]
            place = above[place]
        return place

    def several(self) -> list[list[int]]:
        groups: dict[int, list[int]] = {}
        for place in sorted(self._joined):
            groups.setdefault(self._root(place), []).append(place)
        return list(groups.values())
