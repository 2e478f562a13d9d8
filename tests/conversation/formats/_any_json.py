"""JSON of any shape, made of the words that a format looks for: nothing in it may make a format fail."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from memscope.conversation.formats import claims, format_named
from memscope.conversation.load import fold
from memscope.conversation.model import Skipped
from memscope.conversation.raw import Raw
from memscope.conversation.records import Item, No


def values(names: Sequence[str], words: Sequence[str]) -> st.SearchStrategy[Any]:
    """Values whose objects have such names, and whose texts are such words, or JSON in a text."""
    texts = st.sampled_from(["", "x", "{", "\ud800", *words])
    leaves = st.none() | st.booleans() | st.integers(-3, 10**12) | st.floats(allow_nan=False) | texts

    def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        objects = st.dictionaries(st.sampled_from(list(names)), inner, max_size=6)
        return st.lists(inner, max_size=4) | objects | objects.map(json.dumps)

    return st.recursive(leaves, larger, max_leaves=30)


def assert_survives(path: Path, found: Sequence[Any], name: str) -> None:
    """A file with these values a line is claimed, or declined with a reason, and read without error in any case."""
    path.write_text("".join(json.dumps(value) + "\n" for value in found))
    claim = claims(Raw(path))[name]
    assert not isinstance(claim, No) or claim.reason
    for item in format_named(name).conversations(Raw(path)):
        assert isinstance(item, Item | Skipped)
        if isinstance(item, Item):
            told = fold(item.records)
            assert all(message.role for window in told.windows for message in window)
