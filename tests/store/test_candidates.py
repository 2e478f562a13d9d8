"""Candidates are found by the beginning of their signature, and the latest counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memscope.store.candidates import Candidates
from memscope.store.database import Database


@pytest.fixture
def candidates(tmp_path: Path) -> Iterator[Candidates]:
    database = Database(tmp_path / "data")
    yield Candidates(database)
    database.close()


def test_they_are_found_by_the_beginning_of_their_signature(candidates: Candidates) -> None:
    candidates.keep({"abc1": "one", "abc2": "two", "b": "three"})

    assert candidates.beginning("abc") == {"abc1": "one", "abc2": "two"}
    assert candidates.beginning("abc2") == {"abc2": "two"}
    assert candidates.beginning("c") == {}


@pytest.mark.parametrize("wild", ["%", "_bc1", "a*", "'; --"])
def test_a_signature_is_no_pattern(candidates: Candidates, wild: str) -> None:
    candidates.keep({"abc1": "one"})

    assert candidates.beginning(wild) == {}


def test_what_was_found_last_counts(candidates: Candidates) -> None:
    candidates.keep({"abc1": "one"})
    candidates.keep({"abc1": "two"})

    assert candidates.beginning("abc1") == {"abc1": "two"}
