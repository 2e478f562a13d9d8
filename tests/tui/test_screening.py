"""Verdicts in the console: asked for with a key, found in the background, shown by the Matrix and the Responses."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from memscope.actions.engine import Scorer
from memscope.conversation.model import Conversation
from memscope.engines.protocol import Engine
from memscope.tui.app import MemscopeApp
from memscope.tui.dialogs.choice import Confirm
from memscope.tui.dialogs.pairs import PairsDialog
from memscope.tui.panes.matrix.screen import MatrixScreen
from memscope.tui.panes.responses.response import Item
from memscope.tui.panes.responses.screen import ResponsesScreen
from tests.fakes import Gate, assistant, talk
from tests.planted import Fact, Planted, alike, all_of, any_of, apart, planted
from tests.tui.apps import SIZES, console, screen_text, settled

TEXTS = alike("copy", "twin") | apart("one", "half", "other", "bad", "idle")
FACTS = (
    any_of(0, 5.0, "one"),
    all_of(0, 4.0, "half", "other"),
    any_of(0, -2.0, "bad"),
    any_of(0, 3.0, "copy", "twin"),
    any_of(1, 3.0, "one"),
)
REPLY = len(TEXTS)


class Gated(Planted):
    """Waits at a gate before each scoring."""

    def __init__(self, facts: tuple[Fact, ...], gate: Gate) -> None:
        super().__init__(facts)
        self._gate = gate

    def score(self, prompt: Any, job: Any) -> Any:
        self._gate(len(self.asked) + 1, prompt)
        return super().score(prompt, job)


def over(conversation: Conversation, engine: Engine, **settings: Any) -> MemscopeApp:
    app = console(conversation, **settings)
    app.workspace.engines.adopt(Scorer(engine))
    return app


async def press(pilot: Pilot[Any], *keys: str) -> str:
    await pilot.press(*keys)
    await settled(pilot)
    await pilot.pause(0.3)  # what a pane asks for once the cursor rests
    await settled(pilot)
    assert isinstance(pilot.app, MemscopeApp)
    return screen_text(pilot.app)


def point(app: MemscopeApp, key: str, message: int = REPLY) -> None:
    app.workspace.select(memory=key, response=message)


@pytest.mark.parametrize("size", SIZES)
async def test_the_matrix_tells_the_verdict_of_the_cell(size: tuple[int, int]) -> None:
    app = over(planted(TEXTS, 2), Planted(FACTS))
    async with app.run_test(size=size) as pilot:
        shown = await press(pilot, "1")
        assert "redundant" not in shown
        point(app, "copy")
        shown = await press(pilot, "V")
        assert "redundant" in shown
        assert app.screened.reader is not None
        for key, verdict in {"one": "needed", "half": "together", "bad": "suppressor", "idle": "unused"}.items():
            point(app, key)
            await settled(pilot)
            assert isinstance(app.screen, MatrixScreen)
            detail = app.screen.view.detail
            assert detail is not None
            assert (detail.key, detail.verdict) == (key, verdict)
            assert verdict in screen_text(app)


async def test_the_cell_dialog_tells_the_numbers_behind_it() -> None:
    app = over(planted(TEXTS, 2), Planted(FACTS))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "1")
        point(app, "copy")
        await press(pilot, "V")
        assert "redundant: +3.00 nats once twin is gone" in await press(pilot, "i")


@pytest.mark.parametrize("size", SIZES)
async def test_the_responses_tell_the_verdicts_and_who_is_redundant(size: tuple[int, int]) -> None:
    app = over(planted(TEXTS, 2), Planted(FACTS))
    async with app.run_test(size=size) as pilot:
        shown = await press(pilot, "2")
        assert "copy" not in shown.split("Reply number")[-1]
        shown = await press(pilot, "V")
        assert "+5.00 needed" in shown
        pane = app.screen
        assert isinstance(pane, ResponsesScreen)
        assert {found.label: found.text.strip() for found in pane.bars.bars} == {
            "one": "+5.00 needed",
            "half": "+4.00 together",
            "other": "+4.00 together",
            "bad": "-2.00 suppressor",
            "copy": "0 redundant",
            "twin": "0 redundant",
        }
        pane.bars.select(Item("effect", "half"))
        assert "Together: it works only with others" in await press(pilot)
        pane.bars.select(Item("redundant", "twin"))
        assert "Redundant: alone it would do" in await press(pilot)


async def test_a_second_press_tells_and_asks_for_nothing() -> None:
    app = over(planted(TEXTS), engine := Planted(FACTS))
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "1", "V")
        asked = len(engine.asked)
        shown = await press(pilot, "V")
        assert "1 needed, 2 redundant, 2 together, 1 suppressor, 1 unused; 1 pair" in shown
        assert len(engine.asked) == asked


async def test_a_threshold_is_obeyed_without_scoring() -> None:
    app = over(planted(TEXTS), engine := Planted(FACTS))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "1", "V")
        asked = len(engine.asked)
        app.workspace.look(threshold=4.5)
        await settled(pilot)
        reader = app.screened.reader
        assert reader is not None
        assert {row.key: row.verdict for row in reader.rows()} == dict.fromkeys(TEXTS, "unused") | {"one": "needed"}
        assert len(engine.asked) == asked


async def test_verdicts_wait_for_the_run_and_can_be_cancelled() -> None:
    with Gate() as gate:
        app = over(planted(TEXTS), Gated(FACTS, gate))
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await pilot.press("1", "V")
            await pilot.pause()
            assert "when the run is over" in screen_text(app)
            await pilot.press("x")
            await settled(pilot)
            assert "R scores what is missing first" in await press(pilot, "V")
    with Gate(through=7 + 3) as gate:
        app = over(planted(TEXTS), Gated(FACTS, gate))
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, "1")
            await pilot.press("V")
            await pilot.pause()
            assert "0/8 scorings" in screen_text(app)
            await pilot.press("x")
            await settled(pilot)
            assert "no verdicts; V goes on" in screen_text(app)
            assert app.screened.reader is None
            gate.open()
            await press(pilot, "V")
            assert app.screened.reader is not None


async def test_what_costs_much_is_asked_about() -> None:
    app = over(planted(TEXTS), engine := Planted(FACTS))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "1")
        asked = len(engine.asked)
        app.workspace.settings = app.workspace.settings.model_copy(update={"ask_above": 10})
        await press(pilot, "V")
        assert isinstance(app.screen, Confirm)
        assert len(engine.asked) == asked
        await press(pilot, "up", "enter")
        assert app.screened.reader is not None
        assert len(engine.asked) > asked


async def test_another_conversation_has_no_verdicts() -> None:
    app = over(planted(TEXTS), Planted(FACTS))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "1", "V")
        assert app.screened.reader is not None
        app.workspace.start()
        await settled(pilot)
        assert app.screened.reader is None


async def test_without_memories_the_key_does_nothing() -> None:
    app = over(talk(assistant("Hello.")), Planted(()))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "2", "V")
        assert app.screened.reader is None
        app.screened.start()
        await pilot.pause()
        assert "no memory was found" in screen_text(app)


async def test_a_memory_scored_again_has_its_verdict_anew() -> None:
    app = over(planted(TEXTS), engine := Planted(FACTS))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "1", "V")
        engine.facts = (*FACTS, any_of(0, 9.0, "idle"))
        app.workspace.rescore("idle")
        await settled(pilot)
        row = app.screened.reader.of("idle", REPLY) if app.screened.reader is not None else None
        assert row is not None
        assert row.effect == 0.0  # the baseline was as without it
        assert app.workspace.matrix is not None
        assert row.effect == app.workspace.matrix.effects[6, 0]


@pytest.mark.parametrize("size", SIZES)
async def test_the_pairs_are_found_listed_and_lead_to_a_memory(size: tuple[int, int]) -> None:
    app = over(planted(TEXTS, 2), Planted(FACTS))
    async with app.run_test(size=size) as pilot:
        await press(pilot, "1", "colon")
        shown = await press(pilot, *"redundant pairs", "enter")
        assert isinstance(app.screen, PairsDialog)
        assert "copy = twin" in shown
        assert "keep copy, drop twin: saves" in shown
        assert "shared: “The staging server deploys on Mondays, says”" in shown
        assert f"#{REPLY}" in shown
        await press(pilot, "enter")
        assert app.current_mode == "memories"
        assert app.workspace.memory == "twin"
