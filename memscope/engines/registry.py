"""How an engine is announced, found and built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import memscope.engines
from memscope.base.errors import UsageError
from memscope.base.job import Job
from memscope.base.plugins import member, member_names
from memscope.engines.protocol import Engine

_GROUND = frozenset({"http", "protocol", "registry", "stored", "validity"})  # modules of this folder that are no engine


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What a person may say about an engine. `timeout` is in seconds, None for the engine's own default.

    `api_key` is never shown: not in a repr, an error, a log or a stored row.
    """

    base_url: str = ""
    model: str = ""
    timeout: float | None = None
    api_key: str = ""

    def __repr__(self) -> str:
        return f"EngineOptions(base_url={self.base_url!r}, model={self.model!r}, timeout={self.timeout!r})"


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """One engine: its name, what it is in a line, and how it is made. `build` may raise `UsageError`, `EngineError`.

    `models`, for engines that are servers: asks quickly which models one serves, none where it does not say; raises
    `UsageError`, `EngineError` where it does not answer, `Cancelled`.
    """

    name: str
    summary: str
    build: Callable[[EngineOptions], Engine]
    models: Callable[[EngineOptions, Job], list[str]] | None = None


def engine_names() -> list[str]:
    """The names `--engine` takes, sorted; imports no engine."""
    return [name.replace("_", "-") for name in member_names(memscope.engines) if name not in _GROUND]


def engine_spec(name: str) -> EngineSpec:
    """The engine called `name`; imports that engine alone. `UsageError` when there is none."""
    if name not in engine_names():
        raise UsageError(f"there is no engine {name!r}", do=f"There are: {', '.join(engine_names())}.")
    spec: EngineSpec = member(memscope.engines, name.replace("-", "_"), "ENGINE")
    return spec
