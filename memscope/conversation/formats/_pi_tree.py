"""Which entries of a pi session are in the context, and which a compaction kept.

Entries name their parent, so a session is a tree; the last one is the leaf, and the way from there to the root is the
conversation. What is off it was left: the person went back and took another way. An entry that names no parent (version
1 had no tree), or one that is not in the file, follows the one before. OpenClaw adds records of the type `leaf`, which
move the leaf, and entries beside the conversation (`appendMode: "side"`), which do not.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

from memscope.conversation.raw import Raw, Value

_MOST_KEPT = 1000  # entries, by a compaction; it keeps some 20,000 tokens
_MOST_REPEATED = 100_000  # entries, by all compactions of a session: else it would cost the square of its length


@dataclass
class Index:
    """What one pass over a session tells. An entry's *place* is its number among the JSON values, from 0.

    `left` are the places off the way to the leaf. `kept` has, for every compaction on it, the places of the entries
    that it kept, ascending, and `held` all of these.
    """

    left: set[int] = field(default_factory=set)
    kept: dict[int, list[int]] = field(default_factory=dict)
    held: set[int] = field(default_factory=set)


def index(raw: Raw) -> Index:
    """Reads the session once, keeping the ids of its entries."""
    tree = _Tree()
    values = (value for value in raw.kept() if isinstance(value, Value))
    for place, value in enumerate(values):
        if isinstance(value.json, dict):
            tree.add(place, value.json)
    return tree.finish()


class _Tree:
    def __init__(self) -> None:
        self.parents: dict[int, int | None] = {}  # of every entry, an earlier one or none
        self.places: dict[str, int] = {}  # of the ids; of several entries with one id, the last
        self.firsts: dict[int, int | None] = {}  # of every compaction: the first entry it kept
        self.leaf: int | None = None

    def add(self, place: int, entry: dict[str, Any]) -> None:
        kind, name = entry.get("type"), entry.get("id")
        if kind == "session":
            return
        if kind == "leaf":
            target = entry.get("targetId")
            if isinstance(target, str) and target in self.places:
                self.leaf = self.places[target]
                if isinstance(name, str):
                    self.places[name] = self.leaf  # what follows the record follows its target
            return
        self.parents[place] = self._parent(entry)
        if isinstance(name, str) and name:
            self.places[name] = place
        if kind == "compaction":
            self.firsts[place] = self._first_kept(entry)
        if entry.get("appendMode") != "side":
            self.leaf = place

    def _parent(self, entry: dict[str, Any]) -> int | None:
        name = entry.get("parentId", "")
        if name is None:
            return None  # a beginning, also where the person went back to before the first request
        return self.places.get(name, self.leaf) if isinstance(name, str) else self.leaf

    def _first_kept(self, entry: dict[str, Any]) -> int | None:
        name, number = entry.get("firstKeptEntryId"), entry.get("firstKeptEntryIndex")
        if isinstance(name, str):
            return self.places.get(name)
        return number if type(number) is int else None  # version 1: its number in the file, the head counted

    def finish(self) -> Index:
        way: list[int] = []
        at = self.leaf
        while at is not None:
            way.append(at)
            at = self.parents[at]
        way.reverse()
        found = Index(left=self.parents.keys() - set(way))
        spare = _MOST_REPEATED
        for number, place in enumerate(way):
            first = self.firsts.get(place)
            begin = number if first is None else bisect_left(way, first, hi=number)
            if begin < number and way[begin] == first:
                found.kept[place] = way[max(begin, number - min(_MOST_KEPT, spare)) : number]
                found.held.update(found.kept[place])
                spare -= len(found.kept[place])
        return found
