"""`transformers`: a model folder or a hub name, computed in this process (the extra `hf`).

The reference for exactness: leaving a memory out costs the tokens behind it and no others, and each response has the
log-probability that scoring the shorter conversation from its beginning would give.
"""

from __future__ import annotations

import importlib.util

from memscope.base.errors import UsageError
from memscope.engines.registry import EngineOptions, EngineSpec
from memscope.engines.token_checks import token_checks
from memscope.engines.transformers.engine import TransformersEngine
from memscope.engines.transformers.model import Transformers

_PACKAGES = ("torch", "transformers")


def _build(options: EngineOptions) -> TransformersEngine:
    if missing := [package for package in _PACKAGES if importlib.util.find_spec(package) is None]:
        what = f"transformers needs {' and '.join(missing)}, not installed"
        raise UsageError(what, do="Install them: pip install 'memscope[hf]'.")
    return TransformersEngine(Transformers(options), options.fold)


ENGINE = EngineSpec(
    "transformers",
    "a model folder or hub name, in this process: exact, and slow without an accelerator",
    Transformers.capabilities,
    _build,
    packages=_PACKAGES,
    extra="hf",
    check=token_checks,
)
