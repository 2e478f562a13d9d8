"""The engine in use: opened once, shared, and closed when it was replaced and the last work with it is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from memscope.actions.engine import Scorer
from memscope.base.settings import Settings
from memscope.tui.engines import Engines
from tests.fakes import FormulaEngine, Gate

PATIENCE = 10.0
ONE, OTHER = Settings(model="one"), Settings(model="other")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[FormulaEngine]]:
    made: list[FormulaEngine] = []

    def open_scorer(settings: Settings, _database: object) -> Scorer:
        made.append(FormulaEngine(model=settings.model))
        return Scorer(made[-1])

    monkeypatch.setattr("memscope.tui.engines.open_scorer", open_scorer)
    yield made


def closed(engine: FormulaEngine) -> bool:
    until = time.monotonic() + PATIENCE
    while not engine.closed and time.monotonic() < until:
        time.sleep(0.001)
    return engine.closed


def test_one_engine_serves_all_work_of_the_same_settings(opened: list[FormulaEngine]) -> None:
    engines = Engines(None)
    with engines.lease(ONE) as first, engines.lease(ONE) as second, engines.borrow() as third:
        assert first is second is third is engines.scorer
    assert len(opened) == 1
    assert not opened[0].closed


def test_nothing_is_opened_by_borrowing(opened: list[FormulaEngine]) -> None:
    with Engines(None).borrow() as scorer:
        assert scorer is None
    assert not opened


def test_a_replaced_engine_is_closed_after_its_last_use(opened: list[FormulaEngine]) -> None:
    engines = Engines(None)
    with engines.lease(ONE) as old:
        engines.want(OTHER)
        assert engines.scorer is None
        with engines.lease(OTHER) as new:
            assert new is not old
        assert not opened[0].closed
    assert closed(opened[0])
    assert not opened[1].closed
    engines.adopt(None)
    assert closed(opened[1])


def test_an_engine_overtaken_while_it_was_opened_serves_its_work_alone_and_is_closed(
    opened: list[FormulaEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = Engines(None)
    engines.want(ONE)
    made = FormulaEngine(model="one")

    def slow(_settings: Settings, _database: object) -> Scorer:
        engines.want(OTHER)
        return Scorer(made)

    monkeypatch.setattr("memscope.tui.engines.open_scorer", slow)
    with engines.lease(ONE) as scorer:
        assert scorer.engine is made
        assert engines.scorer is None
    assert closed(made)


def test_how_many_at_a_time_is_no_other_engine(opened: list[FormulaEngine]) -> None:
    engines = Engines(None)
    for settings in (ONE, ONE.model_copy(update={"workers": 3, "threshold": 1.0})):
        engines.want(settings)
        with engines.lease(settings):
            pass
    assert len(opened) == 1


def test_a_scoring_in_flight_comes_in_before_its_engine_is_closed(opened: list[FormulaEngine]) -> None:
    engines = Engines(None)
    with Gate() as gate:
        with engines.lease(ONE):
            worker = threading.Thread(target=lambda: gate(1, None), name="score-0", daemon=True)  # type: ignore[arg-type]
            worker.start()
            assert gate.reached.wait(PATIENCE)
            engines.want(OTHER)
        closing = next(thread for thread in threading.enumerate() if thread.name == "closing an engine")
        assert closing.is_alive()
        assert not opened[0].closed
    assert closed(opened[0])
