"""`transformers`: a model folder or a hub name, computed in this process (the extra `hf`).

The reference for exactness: leaving a memory out costs the tokens behind it and no others, and each response has the
log-probability that scoring the shorter conversation from its beginning would give.
"""

from __future__ import annotations

from memscope.engines.registry import EngineSpec
from memscope.engines.token_checks import token_checks
from memscope.engines.transformers.engine import TransformersEngine
from memscope.engines.transformers.model import Transformers

ENGINE = EngineSpec(
    "transformers",
    "a model folder or hub name, in this process: exact, and slow without an accelerator",
    Transformers.capabilities,
    lambda options: TransformersEngine(Transformers(options), options.fold),
    packages=("torch", "transformers"),
    extra="hf",
    check=token_checks,
)
