"""What the tests of commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from memscope.__main__ import run

Printed = tuple[int, str, str]
"""The exit code, and what went to standard output and to standard error."""
Call = Callable[..., Printed]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Call:
    """`printed("insights", path, "--json")` is what the command prints, and never a traceback."""

    def call(*args: str | Path) -> Printed:
        code = run([*map(str, args)])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return call
