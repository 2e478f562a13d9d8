"""The engine in use: opened when work first needs it, shared by all work, closed when replaced and no longer used."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from memscope.actions.engine import Scorer, open_scorer
from memscope.base.settings import Settings

if TYPE_CHECKING:
    from memscope.store.database import Database

# The settings that another value means another matrix for, and those that only open the engine otherwise.
MODEL = ("engine", "base_url", "model", "template", "fold", "device", "dtype", "compat")
_OPENED_BY = (*MODEL, "timeout", "store")
_WORKERS = "score-"  # how the threads are named that score columns


class _Open:
    """An open engine, the settings it was opened by (None: any), and how many pieces of work use it."""

    def __init__(self, scorer: Scorer, by: tuple[object, ...] | None) -> None:
        self.scorer = scorer
        self.by = by
        self.users = 0
        self.replaced = False


class Engines:
    """Safe to use from any thread. `database`: the store of the console; None keeps no scores."""

    def __init__(self, database: Database | None) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._opening = threading.Lock()  # held while an engine is being opened, which may take a while
        self._current: _Open | None = None
        self._wanted: tuple[object, ...] | None = None

    @property
    def scorer(self) -> Scorer | None:
        """The open one, for looking at; work goes through `lease` and `borrow`."""
        current = self._current
        return current.scorer if current is not None else None

    def adopt(self, scorer: Scorer | None) -> None:
        """Takes an engine that somebody has opened, whatever the settings; None: the next work opens one."""
        self._replace(_Open(scorer, None) if scorer is not None else None)

    def want(self, settings: Settings) -> None:
        """From now on these settings count: an engine that others have opened is closed after its last use."""
        self._wanted = _by(settings)
        current = self._current
        if current is not None and current.by != self._wanted:
            self._replace(None)

    @contextmanager
    def lease(self, settings: Settings) -> Iterator[Scorer]:
        """The engine of these settings, opened if need be; for working threads. Raises `UsageError`, `EngineError`,
        `StoreError`."""
        with self._opening:
            leased = self._taken(settings)
            if leased is None:
                store = settings if self._database is not None else settings.model_copy(update={"store": False})
                leased = _Open(open_scorer(store, self._database), _by(settings))
                leased.users = 1
                if self._wanted in (None, leased.by):
                    self._replace(leased)
                else:
                    leased.replaced = True  # other settings have come meanwhile: for this work alone
        try:
            yield leased.scorer
        finally:
            self._leave(leased)

    @contextmanager
    def borrow(self) -> Iterator[Scorer | None]:
        """The open engine, None where none is; nothing is opened."""
        with self._lock:
            borrowed = self._current
            if borrowed is not None:
                borrowed.users += 1
        try:
            yield borrowed.scorer if borrowed is not None else None
        finally:
            if borrowed is not None:
                self._leave(borrowed)

    def _taken(self, settings: Settings) -> _Open | None:
        with self._lock:
            current = self._current
            if current is not None and current.by in (None, _by(settings)):
                current.users += 1
                return current
            return None

    def _replace(self, new: _Open | None) -> None:
        with self._lock:
            old, self._current = self._current, new
            if old is not None:
                old.replaced = True
            unused = old if old is not None and not old.users else None
        if unused is not None:
            _close(unused.scorer)

    def _leave(self, leased: _Open) -> None:
        with self._lock:
            leased.users -= 1
            last = leased.replaced and not leased.users
        if last:
            _close(leased.scorer)


def _close(scorer: Scorer) -> None:
    """Closes an engine when its last scorings are in: cancelled work ends before the requests it has in flight, and
    what they bring is kept."""
    workers = [thread for thread in threading.enumerate() if thread.name.startswith(_WORKERS)]

    def close() -> None:
        for worker in workers:
            worker.join()
        scorer.close()

    threading.Thread(target=close, name="closing an engine", daemon=True).start()


def _by(settings: Settings) -> tuple[object, ...]:
    return tuple(getattr(settings, name) for name in _OPENED_BY)
