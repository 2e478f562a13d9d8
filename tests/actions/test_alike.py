"""When work that fails is given up."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from memscope.actions.alike import Alike


@pytest.mark.parametrize(
    ("failures", "given_up"),
    [
        ([], False),
        (["a", "a"], False),
        (["a", "a", "a"], True),
        (["b", "a", "a", "a"], True),
        (["a", "a", "b", "a"], False),
        (["a", "a", None, "a"], False),
        ([None, None, None], False),
    ],
)
def test_three_alike_in_a_row_are_enough(failures: Sequence[str | None], given_up: bool) -> None:
    alike = Alike()
    for failure in failures:
        alike.take(failure)
    assert alike.why_not == ("not tried, because the ones before it failed: a" if given_up else None)
