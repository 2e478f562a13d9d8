"""Which entries of a pi session are in the context, and which a compaction kept.

Entries name their parent, so a session is a tree; the last one is the leaf, and the way from there to the root is the
conversation. What is off it was left: the person went back and took another way. An entry that names no parent (version
1 had no tree), or one that is not in the file, follows the one before. OpenClaw adds records of the type `leaf`, which
move the leaf, and entries beside the conversation (`appendMode: "side"`), which do not. The head of another session
begins another tree.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

from memscope.conversation.formats._repeats import Repeats
from memscope.conversation.raw import Raw, Value


@dataclass
class Index:
    """What one pass over a session tells. An entry's *place* is its number among the JSON values of the file, from 0.

    Those of the session are from `begin` up to `end` (None: the last). `left` are the places off the way to the leaf.
    `kept` has, for every compaction on it, the places of the entries that it kept, ascending, and `held` all of these;
    `cut` are the compactions that kept more.
    """

    begin: int = 0
    end: int | None = None
    left: set[int] = field(default_factory=set)
    kept: dict[int, list[int]] = field(default_factory=dict)
    held: set[int] = field(default_factory=set)
    cut: set[int] = field(default_factory=set)


def index(raw: Raw) -> list[Index]:
    """Reads the sessions of a file once, keeping the ids of their entries."""
    tree, found = _Tree(0), []
    values = (value for value in raw.kept() if isinstance(value, Value))
    for place, value in enumerate(values):
        if isinstance(value.json, dict):
            if tree.ends_before(value.json):
                found.append(tree.finish(place))
                tree = _Tree(place)
            tree.add(place, value.json)
    return [*found, tree.finish(None)]


class _Tree:
    def __init__(self, begin: int) -> None:
        self.begin = begin
        self.session = ""
        self.parents: dict[int, int | None] = {}  # of every entry, an earlier one or none
        self.places: dict[str, int] = {}  # of the ids; of several entries with one id, the last
        self.firsts: dict[int, int | None] = {}  # of every compaction: the first entry it kept
        self.leaf: int | None = None

    def ends_before(self, entry: dict[str, Any]) -> bool:
        """Whether the entry is the head of another session."""
        name = entry.get("id")
        is_head = entry.get("type") == "session" and isinstance(name, str)
        return is_head and self.session not in ("", name)

    def add(self, place: int, entry: dict[str, Any]) -> None:
        kind, name = entry.get("type"), entry.get("id")
        if kind == "session":
            self.session = name if isinstance(name, str) else self.session
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
        # Version 1: its number in the session, the head counted.
        return self.begin + number if type(number) is int else None

    def finish(self, end: int | None) -> Index:
        way: list[int] = []
        at = self.leaf
        while at is not None:
            way.append(at)
            at = self.parents[at]
        way.reverse()
        found, repeats = Index(self.begin, end, left=self.parents.keys() - set(way)), Repeats()
        for number, place in enumerate(way):
            first = self.firsts.get(place)
            begin = number if first is None else bisect_left(way, first, hi=number)
            if begin < number and way[begin] == first:
                taken = repeats.take(number - begin)
                found.kept[place] = way[number - taken : number]
                found.held.update(found.kept[place])
                if taken < number - begin:
                    found.cut.add(place)
        return found
