"""Choosing an engine and giving it a memory."""

from __future__ import annotations

from dataclasses import dataclass

from memscope.base.settings import Settings, api_key, data_dir
from memscope.engines.protocol import Engine
from memscope.engines.registry import EngineOptions, engine_spec
from memscope.engines.stored import Stored, stored
from memscope.store.database import Database
from memscope.store.scores import ScoreStore


@dataclass(frozen=True)
class Scorer:
    """An engine as a run uses it. `database` is None where nothing is to be kept."""

    engine: Engine
    database: Database | None = None

    @property
    def trouble(self) -> str | None:
        """What went wrong with keeping scores, if anything did; the numbers are not touched by it."""
        trouble = self.engine.trouble if isinstance(self.engine, Stored) else None
        return str(trouble) if trouble else None

    def close(self) -> None:
        """Lets go of the engine and the store. A scoring that is still in flight is not kept any more."""
        self.engine.close()
        if self.database is not None:
            self.database.close()


def open_scorer(settings: Settings) -> Scorer:
    """The engine the settings name, behind the store unless that is off. Raises `UsageError`, `EngineError`,
    `StoreError`."""
    options = EngineOptions(
        base_url=settings.base_url,
        model=settings.model,
        timeout=settings.timeout,
        api_key=api_key()[0],
    )
    engine = engine_spec(settings.engine).build(options)
    if not settings.store:
        return Scorer(engine)
    try:
        database = Database(data_dir())
    except BaseException:
        engine.close()
        raise
    return Scorer(stored(engine, ScoreStore(database)), database)
