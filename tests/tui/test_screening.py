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
from memscope.tui.screening import READING
from tests.fakes import Gate, assistant, end_of_workers, talk
from tests.planted import Fact, Planted, alike, all_of, any_of, apart, planted
from tests.tui.apps import SIZES, console, screen_text, settled, shows

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


async def test_verdicts_are_read_at_another_threshold_beside_the_screen() -> None:
    app = over(planted(TEXTS), Planted(FACTS))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "1", "V")
        before = app.screened.reader
        assert before is not None
        app.workspace.look(threshold=4.5)
        assert app.screened.reader is before  # nothing is computed here
        assert app.workspace.background.task(READING) is not None
        await settled(pilot)
        assert app.screened.reader is not None
        assert app.screened.reader.threshold == 4.5


async def test_v_tries_pairs_anew_at_another_threshold() -> None:
    texts = apart("one", "other", "faint", "small", "idle")
    app = over(planted(texts), engine := Planted([any_of(0, 4.0, "one", "other"), any_of(0, 0.5, "faint", "small")]))
    async with app.run_test(size=(120, 36)) as pilot:
        await press(pilot, "1")
        app.workspace.look(threshold=1.0)
        assert "1 pair" in await press(pilot, "V")
        asked = len(engine.asked)
        app.workspace.look(threshold=0.01)
        assert "2 pairs" in await press(pilot, "V")
        assert len(engine.asked) > asked


async def test_what_a_cancelled_search_has_scored_is_not_asked_again_without_a_store() -> None:
    with Gate(through=7 + 3 + 4) as gate:
        app = over(planted(TEXTS), engine := Gated(FACTS, gate))
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, "1")
            await pilot.press("V")
            await pilot.pause(0.3)
            await pilot.press("x")
            gate.open()
            await settled(pilot)
            landed = len(engine.asked)
            assert landed > 7 + 3
            await press(pilot, "V")
            assert app.screened.reader is not None
    end_of_workers()
    once = set(engine.asked)
    assert len(engine.asked) <= len(once) + 1 + 2  # the baseline is scored twice; two were in flight


async def test_without_an_engine_the_run_comes_first() -> None:
    app = over(planted(TEXTS), Planted(FACTS))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "1")
        space = app.workspace
        space._plan()  # as a run whose engine could not be opened
        space.phase = "failed"
        assert "R scores what is missing first" in await press(pilot, "V")


async def test_verdicts_wait_for_the_run_and_can_be_cancelled() -> None:
    with Gate() as gate:
        app = over(planted(TEXTS), Gated(FACTS, gate))
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await pilot.press("1", "V")
            await shows(pilot, "when the run is over")
            await pilot.press("x")
            await settled(pilot)
            assert "R scores what is missing first" in await press(pilot, "V")
    with Gate(through=7 + 3) as gate:
        app = over(planted(TEXTS), Gated(FACTS, gate))
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, "1")
            await pilot.press("V")
            await shows(pilot, "/8 scorings")
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
        shown = await press(pilot, "3", "p")
        assert isinstance(app.screen, PairsDialog)
        assert "copy = twin" in shown
        assert "keep copy, drop twin: saves" in shown
        assert "shared: “The staging server deploys on Mondays, says”" in shown
        assert f"#{REPLY}" in shown
        await press(pilot, "enter")
        assert app.current_mode == "memories"
        assert app.workspace.memory == "twin"


async def test_the_palette_leads_to_the_pairs_from_any_pane() -> None:
    app = over(planted(TEXTS), Planted(FACTS))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "colon", *"redund", "enter")
        assert isinstance(app.screen, PairsDialog)


async def test_pairs_do_not_stand_over_a_dialog_that_was_opened_meanwhile() -> None:
    with Gate(through=7 + 3) as gate:
        app = over(planted(TEXTS), Gated(FACTS, gate))
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, "3")
            await pilot.press("p")
            await pilot.press("question_mark")
            await pilot.pause()
            dialog = app.screen
            gate.open()
            await settled(pilot)
            assert app.screened.reader is not None
            assert app.screen is dialog
