"""Training and validation data that share no conversation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """The conversation an example is from: its `lineage`, which all context windows share, and the subject of its
    `first` response, which copies of it in other files share."""

    lineage: str
    first: str


@dataclass(frozen=True, slots=True)
class Split:
    """For each example whether it is for validation, and the number of `conversations`."""

    validation: tuple[bool, ...]
    conversations: int


def split(origins: Sequence[Origin], fraction: float) -> Split:
    """Sets about a `fraction` (0 to 1) of the examples aside, whole conversations alone; where there are two, both
    sides get one. Which ones depends on what they say alone, not on files or on order."""
    groups = _conversations(origins)
    members: dict[str, int] = {}
    for group in groups:
        members[group] = members.get(group, 0) + 1
    chosen: set[str] = set()
    if fraction > 0 and len(members) > 1:
        chosen = _chosen(members, fraction * len(origins))
    return Split(tuple(group in chosen for group in groups), len(members))


def _chosen(members: dict[str, int], wanted: float) -> set[str]:
    """Conversations with about as many examples as `wanted`: at least one, and not all."""
    order = sorted(members, key=lambda group: hashlib.sha256(group.encode()).digest())
    chosen: list[str] = []
    count = 0
    for group in order:
        if abs(count + members[group] - wanted) < abs(count - wanted):
            chosen.append(group)
            count += members[group]
    if not chosen:
        chosen = [min(order, key=lambda group: members[group])]
    return set(chosen[:-1] if len(chosen) == len(members) else chosen)


def _conversations(origins: Sequence[Origin]) -> list[str]:
    """For each origin the name of its conversation: the least first subject of all that are linked to it."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for origin in origins:
        leader[find(f"lineage {origin.lineage}")] = find(f"first {origin.first}")
    least: dict[str, str] = {}
    for origin in origins:
        group = find(f"first {origin.first}")
        least[group] = min(origin.first, least.get(group, origin.first))
    return [least[find(f"first {origin.first}")] for origin in origins]
