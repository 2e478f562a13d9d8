"""Choosing an engine and giving it a memory."""

from __future__ import annotations

from dataclasses import dataclass, replace

from memscope.base.settings import Settings, api_key, data_dir
from memscope.engines.protocol import Engine
from memscope.engines.registry import EngineOptions, engine_spec
from memscope.engines.stored import Stored, stored
from memscope.store.database import Database
from memscope.store.scores import ScoreStore


@dataclass(frozen=True)
class Scorer:
    """An engine as a run uses it. `database` is None where nothing is to be kept; `owned`: it is closed with the
    engine."""

    engine: Engine
    database: Database | None = None
    owned: bool = True

    @property
    def trouble(self) -> str | None:
        """What went wrong with keeping scores, if anything did; the numbers are not touched by it."""
        trouble = self.engine.trouble if isinstance(self.engine, Stored) else None
        return str(trouble) if trouble else None

    def afresh(self) -> Scorer:
        """The same, but nothing is looked up on disk: what is scored replaces what was kept there."""
        return replace(self, engine=self.engine.afresh()) if isinstance(self.engine, Stored) else self

    def close(self) -> None:
        """Lets go of the engine, and of a store of its own. A scoring in flight is then not kept any more."""
        self.engine.close()
        if self.database is not None and self.owned:
            self.database.close()


def open_store(settings: Settings) -> Database | None:
    """The store the settings name; None where nothing is to be kept. Raises `StoreError`."""
    return Database(data_dir()) if settings.store else None


def open_scorer(settings: Settings, database: Database | None = None) -> Scorer:
    """The engine the settings name, behind the store unless that is off. A `database` that is open already is used
    instead of opening it once more, and left open. Raises `UsageError`, `EngineError`, `StoreError`."""
    engine = engine_spec(settings.engine).build(engine_options(settings))
    try:
        store = database if database is not None and settings.store else open_store(settings)
    except BaseException:
        engine.close()
        raise
    if store is None:
        return Scorer(engine)
    return Scorer(stored(engine, ScoreStore(store)), store, owned=store is not database)


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
        api_key=api_key()[0],
    )
