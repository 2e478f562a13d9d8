"""Models in this process stand the trial that servers stand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from memscope.base.job import Job
from memscope.engines.token_checks import token_checks
from memscope.engines.transformers.engine import TransformersEngine

pytestmark = pytest.mark.hf


@pytest.mark.parametrize("kind", ["llama", "qwen3"])
def test_a_model_passes_every_check(engine: Callable[..., TransformersEngine], kind: str) -> None:
    checks = list(token_checks(engine(kind), Job()))

    assert [(check.name, check.verdict, check.said) for check in checks if check.verdict != "pass"] == []
    assert len(checks) == 7
