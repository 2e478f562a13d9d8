"""What was read of a file, there and back again as one line of text."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.sessions.facts import Evidence, Facts, Failure, FailureKind, Repository
from memscope.sessions.kept import Reading, decoded, encoded
from tests.sessions.rows import FAILED, session

TEXTS = st.text(st.characters() | st.sampled_from("\ud800\udcff\0\n\"'"), max_size=8)
COUNTS = st.integers(0, 2**70)
EVIDENCE = st.builds(Evidence, COUNTS, st.integers(-1, 9), COUNTS, TEXTS)
KINDS: st.SearchStrategy[FailureKind] = st.sampled_from(get_args(FailureKind))
TIMES = st.none() | st.floats(allow_nan=False, allow_infinity=False)
SESSIONS = st.builds(
    Facts,
    *(COUNTS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, st.booleans(), COUNTS, COUNTS, COUNTS, COUNTS),
    *(st.none() | EVIDENCE, COUNTS, TIMES, TIMES),
    *(st.lists(st.builds(Repository, TEXTS, EVIDENCE), max_size=2).map(tuple),),
    *(st.none() | st.builds(Failure, KINDS, EVIDENCE), st.booleans(), COUNTS, COUNTS),
)
READINGS = st.builds(Reading, TEXTS, st.lists(SESSIONS, max_size=2).map(tuple), TEXTS, st.booleans())


def facts() -> Facts:
    found = session(failure=FAILED, repos=("mise",)).facts
    assert found is not None
    return found


GOOD = Reading("codex", (facts(), facts()))


@settings(max_examples=50)
@given(st.lists(READINGS, max_size=4))
def test_readings_come_back_as_they_were(readings: list[Reading]) -> None:
    texts = [encoded(reading) for reading in readings]
    assert all(text.isascii() and "\n" not in text for text in texts)
    found = [decoded(text) for text in texts]
    assert found == readings
    assert repr(found) == repr(readings)  # the parts too are what they were, and no mere tuples


def changed(name: str, value: object) -> str:
    """A reading one field of whose second session is something else."""
    return encoded(GOOD._replace(sessions=(facts(), facts()._replace(**{name: value}))))


DAMAGED = [
    *("", "null", "7", "[]", "{}", '"text"', "[" * 5000, encoded(GOOD)[:-3], '["codex",[[]],"",false]'),
    *('["codex",[],"",0]', '[1,[],"",false]', '["codex",{},"",false]', '["codex",[],"",false,1]'),
    "{0},{0}".format(encoded(GOOD)),
    *(changed("messages", "3"), changed("messages", True), changed("is_subagent", 1), changed("began", "3")),
    *(changed("memory", [1, 2, 3]), changed("memory", [1, 2, "3", "x"]), changed("repositories", [["a", None]])),
    *(changed("failure", ["fate", [0, 0, 0, ""]]), changed("failure", []), changed("title", None)),
]


@pytest.mark.parametrize("text", [None, *DAMAGED])
def test_a_damaged_text_is_none(text: str | None) -> None:
    assert decoded(encoded(GOOD)) == GOOD
    assert decoded(text) is None
