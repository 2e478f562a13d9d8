"""Decisions on a response are what the journal's entries add up to, and what was known then can be read again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memscope.store.journal import Entry
from memscope.triage.decisions import (
    UNDECIDED,
    Decided,
    Provenance,
    Whence,
    folded,
    provenance,
    provenance_of,
)


def entry(verdict: str, payload: dict[str, Any] | None = None, at: float = 1.0) -> Entry:
    return Entry(1, at, "triage", "s", verdict, payload or {}, None)


def test_nothing_said_is_undecided() -> None:
    assert folded([]) == UNDECIDED == Decided("undecided", None, "", None, None)


def test_the_last_bucket_counts_with_its_time_and_what_was_known() -> None:
    found = folded([entry("accept", {"engine": "a"}, 1.0), entry("skip", {"engine": "b"}, 2.0)])
    assert (found.bucket, found.at, found.about) == ("skipped", 2.0, {"engine": "b"})
    assert folded([entry("reject")]).bucket == "rejected"
    assert folded([entry("accept")]).bucket == "accepted"


def test_an_edit_and_a_note_leave_the_bucket() -> None:
    found = folded([entry("edit", {"text": "Tabs!"}), entry("accept", {}, 3.0), entry("note", {"text": "short"}, 4.0)])
    assert (found.bucket, found.target, found.note, found.at) == ("accepted", "Tabs!", "short", 3.0)
    assert folded([entry("edit", {"text": "Tabs!"}), entry("edit", {"text": None})]).target is None
    assert folded([entry("note", {"text": "a"}), entry("note", {"text": ""})]).note == ""
    assert folded([entry("edit", {"text": ""})]).target == ""


@pytest.mark.parametrize("wrong", [entry("edit", {"text": 1}), entry("note", {"text": None}), entry("later")])
def test_what_is_not_understood_is_passed_over(wrong: Entry) -> None:
    assert folded([entry("accept", at=2.0), wrong]) == folded([entry("accept", at=2.0)])


KNOWN = Provenance(
    "embedded", "", 3.5, 1.0, Whence("/talk.json", "native", 1, 2, ("/notes", "/more"), "heading", "tools", 7)
)


def test_what_was_known_is_kept_as_json_and_read_again() -> None:
    kept = provenance(KNOWN)
    assert kept == {
        "engine": "embedded",
        "model": "",
        "effect": 3.5,
        "threshold": 1.0,
        "source": {
            "path": "/talk.json",
            "input_format": "native",
            "item": 1,
            "window": 2,
            "memories": ["/notes", "/more"],
            "split": "heading",
            "sources": "tools",
            "message": 7,
        },
    }
    assert provenance_of(json.loads(json.dumps(kept))) == KNOWN
    assert provenance(Provenance("e", "m", float("nan"), None, None))["effect"] is None


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
_names = st.sampled_from([*provenance(KNOWN), *provenance(KNOWN)["source"]])


@given(st.dictionaries(_names, _json), st.dictionaries(_names, _json))
def test_whatever_was_kept_is_read_as_far_as_it_can_be(told: dict[str, Any], source: dict[str, Any]) -> None:
    for about in (None, told, {**told, "source": source}, {**provenance(KNOWN), "source": {**source, "path": "/x"}}):
        found = provenance_of(about)
        assert isinstance(found.engine, str)
        assert json.loads(json.dumps(provenance(found), allow_nan=False)) == provenance(found)
        if found.source is not None:
            assert found.source.path
            assert found.source.message >= 0
