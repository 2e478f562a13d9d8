"""All bindings of the console, for checking what a person remaps and for the test that looks for second meanings."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import REPLACED_KEYS, Keys, key_to_character

import memscope.tui
from memscope.tui.keys import GLOBAL, MOVES

_MODIFIERS = frozenset({"ctrl", "alt", "shift", "super", "hyper", "meta"})
_NAMES = frozenset(key.value for key in Keys)


@cache
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
    """What has two meanings: two of the keys that mean the same everywhere, one of them and a pane's, or two that a
    pane, a widget or a dialog binds itself. A list may stand in every dialog."""
    shared = {binding.id: binding for binding in (*GLOBAL, *MOVES)}
    together = list(combinations(shared.values(), 2))
    for name, binding in all_bindings().items():
        if name not in shared:
            common = MOVES if name.startswith("dialog.") else shared.values()
            together += [(other, binding) for other in common]
    bound = {owner: list(bindings_of(owner)) for owner in owners()}
    for owner in bound:
        together += combinations([one for base in owner.__mro__ for one in bound.get(base, ())], 2)
    said: set[tuple[frozenset[str], str]] = set()
    for one, other in together:
        ids = frozenset((one.id or "", other.id or ""))
        for both in sorted(keys_of(one, moved) & keys_of(other, moved)):
            if len(ids) > 1 and (ids, both) not in said:
                said.add((ids, both))
                yield f"the key {both!r} would be both {one.id} and {other.id}"


def no_key(keys: str) -> str | None:
    """Why `keys`, as a person gives them to a binding, name no keys, or not as the toolkit reads them; None: they
    do."""
    for part in keys.split(","):
        *modifiers, name = part.split("+") if len(part) > 1 else (part,)
        if not part:
            return "a key is missing (the comma is called comma)"
        if part != part.strip():
            return "they are written without spaces, as in slash,ctrl+f"
        if len(part) == 1 and not part.isalnum():
            return f"the key {part} is called {next(iter(Binding.make_bindings([Binding(part, '')]))).key}"
        if not (_MODIFIERS.issuperset(modifiers) and _is_key(name)):
            return f"there is no key {part!r}"
    return None


def _is_key(name: str) -> bool:
    """Whether the toolkit gives a key this name."""
    if len(name) == 1:
        return name.isalnum()
    in_words = name in REPLACED_KEYS or (name == name.lower() and key_to_character(name) is not None)
    return in_words or (name in _NAMES and not name.startswith("<"))
