"""Errors: what happened, to what, and what to do, in one sentence each."""

from __future__ import annotations

from pathlib import Path

import pytest

from memscope.base import errors
from memscope.base.errors import Cancelled, EngineError, MemscopeError, SourceError, UsageError

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, MemscopeError)]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemscopeError("it broke"), "it broke"),
        (MemscopeError("it broke", where="a.json"), "a.json: it broke"),
        (MemscopeError("it broke", do="Mend it."), "it broke. Mend it."),
        (MemscopeError("it broke", where=Path("a.json"), do="Mend it."), "a.json: it broke. Mend it."),
        (MemscopeError("did it break?", do="Look."), "did it break? Look."),
        (MemscopeError("it broke.", do="Mend it."), "it broke. Mend it."),
        (Cancelled(), "stopped"),
    ],
)
def test_an_error_reads_as_sentences(error: MemscopeError, said: str) -> None:
    assert str(error) == said


def test_an_error_keeps_its_parts() -> None:
    error = SourceError("it broke", where=Path("a.json"), do="Mend it.")
    assert (error.what, error.where, error.do) == ("it broke", "a.json", "Mend it.")
    assert UsageError("x").where is None


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_error_is_made_alike_and_ends_a_command_with_a_code_of_its_own(kind: type[MemscopeError]) -> None:
    error = kind("it broke", where="a.json", do="Mend it.")
    assert str(error) == "a.json: it broke. Mend it."
    assert kind.exit_code == {EngineError: 3, Cancelled: 130}.get(kind, 2)
