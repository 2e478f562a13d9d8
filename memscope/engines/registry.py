"""How an engine is announced, found and built."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import memscope.engines
from memscope.base.errors import UsageError
from memscope.base.job import Job
from memscope.base.plugins import member, member_names
from memscope.engines.chat import Fold
from memscope.engines.checks import Check
from memscope.engines.protocol import Capabilities, Engine

_GROUND = """
    chat checked checks http kept layout pace protocol recognise registry served spans stored templates token_checks
    token_engine token_text trial validity
""".split()  # modules of this folder that are no engine


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What a person may say about an engine. `timeout` is in seconds, None for the engine's own default; `retries`: how
    often a server is asked again when it fails in passing, None for the usual.

    `api_key` is never shown: not in a repr, an error, a log or a stored row.
    """

    base_url: str = ""
    model: str = ""
    template: str = ""
    fold: Fold = "off"
    device: str = ""
    dtype: str = "auto"
    timeout: float | None = None
    retries: int | None = None
    api_key: str = field(default="", repr=False)

    def shown(self, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        """What of it changes numbers beside address and model, for an engine's identity, and what an engine adds."""
        return tuple(sorted((*((("fold", self.fold),) if self.fold != "off" else ()), *more)))


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """One engine: its name, what it is in a line, what it can do, and how it is made. `build` may raise `UsageError`,
    `EngineError`.

    `models`, for engines that are servers: asks quickly which models one serves, none where it does not say; raises
    `UsageError`, `EngineError` where it does not answer, `Cancelled`. `packages`: what has to be importable, which the
    `extra` of memscope installs. `check`: tries whether its numbers are right (None: they are its own); `quiet`: also
    unasked, before its first use.
    """

    name: str
    summary: str
    capabilities: Capabilities
    build: Callable[[EngineOptions], Engine]
    models: Callable[[EngineOptions, Job], list[str]] | None = None
    packages: tuple[str, ...] = ()
    extra: str = ""
    check: Callable[[Engine, Job], Iterator[Check]] | None = None
    quiet: bool = True

    @property
    def served(self) -> bool:
        """Whether it speaks to a server, which needs an address."""
        return self.models is not None

    @property
    def opens(self) -> bool:
        """Whether it computes a model in this process, which has to be named."""
        return not self.served and bool(self.packages)


AUTO = "auto"  # instead of a name: the engine is found by what answers at the address, or by what the model is


def engine_values() -> list[str]:
    """What `--engine` takes: "auto", and the names of all engines."""
    return [AUTO, *engine_names()]


def engine_names() -> list[str]:
    """The names of the engines there are, sorted; imports none."""
    return [name.replace("_", "-") for name in member_names(memscope.engines) if name not in _GROUND]


def engine_spec(name: str) -> EngineSpec:
    """The engine called `name`; imports that engine alone. `UsageError` when there is none."""
    if name not in engine_names():
        raise UsageError(f"there is no engine {name!r}", do=f"There are: {', '.join(engine_names())}.")
    spec: EngineSpec = member(memscope.engines, name.replace("-", "_"), "ENGINE")
    return spec
