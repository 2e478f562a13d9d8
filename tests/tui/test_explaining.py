import threading
import time
from pathlib import Path
from typing import Any

import pytest

from memscope.actions.engine import Scorer
from memscope.actions.kept import Kept
from memscope.actions.open import Opened, Opening
from memscope.actions.respond import Question
from memscope.actions.score import score_matrix
from memscope.base.errors import MemscopeError
from memscope.base.settings import Settings
from memscope.base.text import Span
from memscope.conversation.model import Conversation
from memscope.engines.protocol import Engine
from memscope.reports.response import ResponseDocument
from memscope.tui.explaining import Explaining
from memscope.tui.workspace import Change, Workspace
from tests.fakes import (
    PATIENCE,
    FormulaEngine,
    Gate,
    assistant,
    fails_baseline,
    memory,
    office,
    talk,
    true_effects,
    without,
)


def asked(message: int, memory: str | None = None, spans: tuple[Span, ...] = ()) -> Question:
    return Question(message, 0.01, memory, spans)


class Desk:
    """A workspace without a screen, and what was found there."""

    def __init__(self, conversation: Conversation, engine: Engine) -> None:
        self.space = Workspace(Settings(store=False), Kept(None))
        self.space.engines.adopt(Scorer(engine))
        self.found: list[tuple[Question, ResponseDocument]] = []
        self.failed: list[MemscopeError] = []
        self.explaining = Explaining(self.space, lambda *found: self.found.append(found), self.failed.append)
        self.space.show(Opened(Opening(Path("none.json")), conversation, conversation, conversation))

    def wait(self) -> None:
        until = time.monotonic() + PATIENCE
        while self.space.background.busy:
            assert time.monotonic() < until
            self.space.tick()
            time.sleep(0.001)

    def ask(self, question: Question, *, whole: bool = True) -> ResponseDocument:
        self.explaining.ask(question, whole=whole)
        self.wait()
        assert self.found[-1][0] == question
        return self.found[-1][1]


def test_a_scored_response_is_explained_with_its_heat() -> None:
    conversation = office()
    desk = Desk(conversation, engine := FormulaEngine())
    desk.wait()
    calls = engine.calls
    document = desk.ask(asked(5))
    assert document.heat
    assert document.memory is None
    effects = dict(zip([m.key for m in conversation.memories], true_effects(conversation)[:, 1], strict=True))
    assert {row.key: row.effect for row in (*document.important, *document.against)} == {
        key: effect for key, effect in effects.items() if abs(effect) > document.cutoff
    }
    of_one = desk.ask(asked(5, "pnpm"))
    assert of_one.memory == "pnpm"
    assert sum(span.effect for span in of_one.heat) == effects["pnpm"]
    words = desk.ask(asked(5, None, ((4, 8),)))
    assert words.selection is not None
    assert words.selection.text == "pnpm"
    assert engine.calls == calls  # all of it from what the run has scored


def test_heat_is_found_once() -> None:
    desk = Desk(office(), FormulaEngine())
    desk.wait()
    first = desk.ask(asked(5))
    assert desk.ask(asked(5)).heat is first.heat


def test_nothing_is_scored_unasked_when_the_run_was_cancelled() -> None:
    with Gate() as gate:
        desk = Desk(office(), engine := FormulaEngine(before=gate))
        assert gate.reached.wait(PATIENCE)
        desk.space.cancel()
        desk.wait()
        assert desk.space.phase == "cancelled"
        calls = engine.calls
        document = desk.ask(asked(5), whole=False)
        assert (document.heat, document.important, document.left_out) == ([], [], 2)  # the third memory comes after it
        assert engine.calls == calls


def test_why_scores_the_context_up_to_a_response() -> None:
    conversation = office()
    with Gate() as gate:
        desk = Desk(conversation, engine := FormulaEngine(before=gate))
        assert gate.reached.wait(PATIENCE)
        desk.space.cancel()
        desk.wait()
    calls = engine.calls
    desk.explaining.why(asked(5))
    desk.wait()
    document = desk.found[-1][1]
    assert document.left_out == 0
    assert document.heat
    assert engine.calls - calls == 5  # the baseline twice, two memories, and both at once: the third comes later
    again = desk.ask(asked(5, None, ((0, 3),)), whole=False)
    assert again.selection is not None
    assert engine.calls - calls == 5


def test_a_scoring_that_was_dropped_answers_for_no_other_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(office(), FormulaEngine())
    desk.wait()
    scored, go_on = threading.Event(), threading.Event()

    def slowly(*args: Any, **options: Any) -> Any:
        found = score_matrix(*args, **options)
        scored.set()
        assert go_on.wait(PATIENCE)
        return found

    monkeypatch.setattr("memscope.tui.explaining.score_matrix", slowly)
    desk.explaining.why(asked(5))
    task = desk.space.background.task("why")
    assert task is not None
    assert scored.wait(PATIENCE)
    other = talk(*(memory(f"m{n}", f"Fact {n}.") for n in range(5)), assistant("Something else."))
    desk.space.show(Opened(Opening(Path("other.json")), other, other, other))
    desk.explaining.forget()
    go_on.set()
    task.thread.join(PATIENCE)
    desk.wait()
    assert desk.ask(asked(5), whole=False).text == "Something else."
    assert len(desk.found) == 1


def test_a_memory_that_has_not_landed_is_not_scored_for_its_words() -> None:
    desk = Desk(office(), engine := FormulaEngine())
    desk.wait()
    run = desk.space.run
    assert run is not None
    run.forget([without("late")])  # as while it is scored again
    calls = engine.calls
    document = desk.ask(asked(8, "late", ((0, 9),)))
    assert engine.calls == calls
    assert document.selection is not None


def test_a_failed_baseline_is_told() -> None:
    texts = [m.texts[0] for m in office().memories]
    desk = Desk(office(), FormulaEngine(before=fails_baseline(*texts)))
    desk.wait()
    document = desk.ask(asked(5), whole=False)
    assert document.reason is not None
    assert "out of memory" in document.reason


def test_an_engine_that_cannot_be_opened_is_told_once_asked() -> None:
    desk = Desk(office(), FormulaEngine())
    desk.wait()
    desk.space.engines.adopt(None)
    desk.space.settings = Settings(store=False, engine="no-such-engine")
    desk.explaining.why(asked(5))
    desk.wait()
    assert len(desk.failed) == 1


def test_no_scorer_no_heat() -> None:
    desk = Desk(office(), FormulaEngine(tokens=False))
    desk.wait()
    assert desk.ask(asked(5)).heat == []


def test_a_dear_scoring_of_one_response_waits_for_a_persons_word() -> None:
    engine = FormulaEngine()
    desk = Desk(office(), engine)
    desk.wait()
    desk.space.settings = Settings(store=False, ask_above=10)
    told: list[Change] = []
    desk.space.tell = told.append
    calls = engine.calls

    desk.explaining.why(asked(5))
    desk.wait()
    [change] = [change for change in told if change.ask is not None]

    assert engine.calls == calls
    assert not desk.found
    change.go_on()
    desk.wait()
    assert engine.calls > calls
    assert desk.found[-1][1].important
