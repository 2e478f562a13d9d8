"""Choosing an engine and giving it a memory."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from memscope.base.errors import EngineError, StoreError, UsageError
from memscope.base.job import Job
from memscope.base.settings import CLASSIC, Settings, api_key, data_dir
from memscope.engines.checked import checked, digest
from memscope.engines.protocol import Engine, RememberingEngine
from memscope.engines.registry import AUTO, EngineOptions, EngineSpec, engine_names, engine_spec
from memscope.engines.stored import Stored, stored
from memscope.store.database import Database
from memscope.store.scores import ScoreStore
from memscope.store.verdicts import Verdicts

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Scorer:
    """An engine as a run uses it. `database` is None where nothing is to be kept; `owned`: it is closed with the
    engine; `classic`: runs with it have the numbers of classic mode."""

    engine: Engine
    database: Database | None = None
    owned: bool = True
    classic: bool = False

    @property
    def trouble(self) -> str | None:
        """What went wrong with keeping scores, if anything did; the numbers are not touched by it."""
        trouble = self.engine.trouble if isinstance(self.engine, Stored) else None
        return str(trouble) if trouble else None

    @property
    def blur(self) -> float:
        """What any text may move under the engine, in nats; in classic mode the threshold alone decides what counts."""
        return 0.0 if self.classic else self.engine.capabilities.blur

    @property
    def digest(self) -> bytes:
        """Of what decides on its numbers: they compare with those of a scorer of the same digest, and no other."""
        return digest(self.engine.identity) + (CLASSIC.encode() if self.classic else b"")

    def afresh(self) -> Scorer:
        """The same, but nothing is looked up on disk: what is scored replaces what was kept there."""
        if isinstance(self.engine, Stored):
            return replace(self, engine=self.engine.afresh())
        if isinstance(self.engine, RememberingEngine):
            self.engine.forget()
        return self

    def close(self) -> None:
        """Lets go of the engine, and of a store of its own. A scoring in flight is then not kept any more."""
        self.engine.close()
        if self.database is not None and self.owned:
            self.database.close()


def open_store(settings: Settings) -> Database | None:
    """The store the settings name; None where nothing is to be kept. Raises `StoreError`."""
    return Database(data_dir()) if settings.store else None


def open_scorer(settings: Settings, database: Database | None = None) -> Scorer:
    """The engine the settings name, checked before its first use, behind the store unless that is off. A `database`
    that is open already is used instead of opening it once more, and left open. Raises `UsageError`, `EngineError`,
    `StoreError`: scoring can do without a store, and that is said."""
    spec, options = installed(engine_spec(engine_name(settings, Job()))), engine_options(settings)
    engine = spec.build(options)
    try:
        store = database if database is not None and settings.store else open_store(settings)
    except StoreError as error:
        engine.close()
        raise StoreError(
            error.what, where=error.where, do=f"{error.do} --no-store scores without it.".lstrip()
        ) from error
    except BaseException:
        engine.close()
        raise
    sure = checked(engine, spec, None if store is None else Verdicts(store), partial(_better, spec, options))
    classic = settings.compat == CLASSIC
    if store is None:
        return Scorer(sure, classic=classic)
    return Scorer(stored(sure, ScoreStore(store)), store, owned=store is not database, classic=classic)


def _better(spec: EngineSpec, options: EngineOptions, job: Job) -> str:
    """What really answers where an engine failed its check, if that is known and another; else nothing."""
    from memscope.engines.recognise import recognise

    try:
        found = recognise(options, job) if spec.served else None
    except (EngineError, UsageError):
        return ""
    if found is None or found.fits(spec.name):
        return ""
    words = found.words().rstrip(".")
    return f"{words[:1].upper()}{words[1:]}."


def engine_name(settings: Settings, job: Job) -> str:
    """The engine the settings mean: the one they name, or for "auto" the one that fits the server at the address, else
    the model. Raises `UsageError` where none does, `EngineError` where the server does not answer, `Cancelled`."""
    if settings.engine != AUTO:
        return settings.engine
    return _serving(settings, job) if settings.base_url else _holding(settings.model)


def _serving(settings: Settings, job: Job) -> str:
    from memscope.engines.recognise import recognise

    found = recognise(engine_options(settings), job)
    if found.engine in engine_names():
        return found.engine
    do = found.do or f"Choose with --engine: {', '.join(served_names())}. Check the port, too."
    raise UsageError(
        f"no engine for what answers: {found.words()}", where=settings.base_url, do="" if found.why else do
    )


def served_names() -> list[str]:
    """The engines that speak to a server."""
    return [name for name in engine_names() if engine_spec(name).served]


def _holding(model: str) -> str:
    """The engine that reads a model from disk or from the hub; the embedded one where no model is named."""
    if not model:
        return "embedded"
    path = Path(model)
    if path.suffix.lower() == ".gguf":
        return "llamacpp"
    if (path / "config.json").is_file() or (not path.exists() and _HUB_NAME.fullmatch(model)):
        return "transformers"
    do = "Give --base-url for a model on a server, or a *.gguf file, a folder with config.json, or a name as ORG/MODEL."
    raise UsageError(
        f"no engine for the model {model!r}: it is no file or folder of a model, and no name on the hub", do=do
    )


def missing_packages(spec: EngineSpec) -> str:
    """What has to be installed for an engine, in words; empty where all is there."""
    if not (missing := [package for package in spec.packages if importlib.util.find_spec(package) is None]):
        return ""
    return f"it needs {' and '.join(missing)}, not installed: pip install 'memscope[{spec.extra}]'"


def installed(spec: EngineSpec) -> EngineSpec:
    """The engine, if all it needs is there; else raises `UsageError`."""
    if missing := missing_packages(spec):
        raise UsageError(f"the engine {spec.name} cannot run", do=f"{missing[:1].upper()}{missing[1:]}")
    return spec


def engine_options(settings: Settings) -> EngineOptions:
    """What the settings and the environment say about an engine."""
    return EngineOptions(
        base_url=settings.base_url,
        model=settings.model,
        template=settings.template,
        fold=settings.fold,
        device=settings.device,
        dtype=settings.dtype,
        timeout=settings.timeout,
        retries=0 if settings.compat == CLASSIC else None,
        api_key=api_key()[0],
    )
