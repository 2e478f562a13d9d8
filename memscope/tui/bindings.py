"""All bindings of the console, for checking what a person remaps and for the test that looks for second meanings."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from itertools import combinations

from textual.binding import Binding
from textual.dom import DOMNode

import memscope.tui
from memscope.tui.keys import GLOBAL, MOVES


def owners() -> list[type[DOMNode]]:
    """Every screen and widget of the console that binds keys."""
    found: dict[type[DOMNode], None] = {}
    for info in pkgutil.walk_packages(memscope.tui.__path__, "memscope.tui."):
        for thing in vars(importlib.import_module(info.name)).values():
            if isinstance(thing, type) and issubclass(thing, DOMNode) and thing.__module__ == info.name:
                found[thing] = None
    return [owner for owner in found if "BINDINGS" in vars(owner)]


def bindings_of(owner: type[DOMNode]) -> Iterator[Binding]:
    """What a class itself binds, as written."""
    for binding in vars(owner).get("BINDINGS", ()):
        assert isinstance(binding, Binding), f"{owner.__name__}: {binding!r} has no id"
        yield binding


def all_bindings() -> dict[str, Binding]:
    """Every binding by its id."""
    return {binding.id: binding for owner in owners() for binding in bindings_of(owner) if binding.id}


def keys_of(binding: Binding, moved: Mapping[str, str] | None = None) -> set[str]:
    """The keys of a binding, after remapping."""
    keys = (moved or {}).get(binding.id or "", binding.key)
    return {part.strip() for part in keys.split(",")}


def clashes(moved: Mapping[str, str] | None = None) -> Iterator[str]:
    """What has two meanings: two of the keys that mean the same everywhere, or one of them and a pane's."""
    shared = {binding.id: binding for binding in (*GLOBAL, *MOVES)}
    for one, other in combinations(shared.values(), 2):
        for both in keys_of(one, moved) & keys_of(other, moved):
            yield f"the key {both!r} would be both {one.id} and {other.id}"
    for name, binding in all_bindings().items():
        if name in shared or name.startswith("dialog."):
            continue
        for common in shared.values():
            for both in keys_of(binding, moved) & keys_of(common, moved):
                yield f"the key {both!r} would be both {common.id} and {name}"
