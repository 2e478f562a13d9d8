"""A batch of sessions in the console: seen while it runs, stopped, resumed, and in nobody's way."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from memscope.actions.batch_runs import batch_again
from memscope.actions.engine import Scorer
from memscope.actions.kept import Kept
from memscope.actions.open import Opening
from memscope.engines.stored import stored
from memscope.reports.batch import Kind
from memscope.sessions.ranked import Place
from memscope.store.database import Database
from memscope.store.scores import ScoreStore
from memscope.tui.app import MemscopeApp
from memscope.tui.commands import commands
from memscope.tui.dialogs.choice import Confirm
from memscope.tui.panes._batch import BatchScreen
from tests.actions.test_batch_runs import MEMORIES, SCORINGS, talk
from tests.fakes import FormulaEngine, Gate, fails_without, office
from tests.tui.apps import PATIENCE, SIZES, console, screen_text, settled, shows


@pytest.fixture
def places(tmp_path: Path) -> list[Place]:
    return [talk(tmp_path / f"{name}.json") for name in ("ann", "bob", "cid", "dot")]


def scored_by(engine: FormulaEngine, kept: Kept | None = None, first: Any = None, **settings: Any) -> MemscopeApp:
    app = console(first, kept, **{"store": kept is not None, **settings})
    database = kept.database if kept is not None else None
    behind = engine if database is None else stored(engine, ScoreStore(database))
    app.workspace.engines.adopt(Scorer(behind, database, owned=False))
    return app


async def press(pilot: Pilot[Any], *keys: str) -> None:
    await pilot.press(*keys)
    await settled(pilot)


async def reached(gate: Gate) -> None:
    await asyncio.to_thread(gate.reached.wait, PATIENCE)


def states(app: MemscopeApp) -> list[str]:
    batch = app.batches.batch
    return [row.state for row in batch.rows] if batch is not None else []


@pytest.mark.parametrize("size", SIZES)
async def test_rows_fill_while_it_runs_and_enter_opens_one(places: list[Place], size: tuple[int, int]) -> None:
    with Gate(through=SCORINGS + 1) as gate:
        app = scored_by(FormulaEngine(before=gate, concurrency=1))
        async with app.run_test(size=size) as pilot:
            await settled(pilot)
            app.batches.begin("matrix", places)
            await reached(gate)
            await shows(pilot, "running")
            await shows(pilot, "1/4 conversations")
            await shows(pilot, "1 of 4 conversations scored · 2 left")
            assert "The whole matrix of each · formula" in screen_text(app)
            assert states(app) == ["done", "running", "waiting", "waiting"]
            gate.open()
            await settled(pilot)
            await shows(pilot, "4 of 4 conversations scored · 20 scorings")
            assert "R " not in screen_text(app).splitlines()[-1]  # nothing is left
            calls = app.workspace.scorer.engine.calls  # type: ignore[union-attr]
            await press(pilot, "j", "enter")
            assert (app.current_mode, app.workspace.conversation.title) == ("matrix", "bob")  # type: ignore[union-attr]
            assert app.workspace.scorer.engine.calls == calls + SCORINGS  # type: ignore[union-attr]  # no store here
            await press(pilot, "escape")
            assert isinstance(app.screen, BatchScreen) and app.screen.table.cursor == 1


async def test_there_is_one_at_a_time(places: list[Place]) -> None:
    with Gate(through=1) as gate:
        app = scored_by(FormulaEngine(before=gate, concurrency=1))
        async with app.run_test(size=(120, 36)) as pilot:
            await settled(pilot)
            app.batches.begin("finetune", places[:2])
            await reached(gate)
            app.batches.begin("matrix", places)
            await shows(pilot, "a batch is under way; x cancels it, then another can be begun")
            assert len(states(app)) == 2
            gate.open()
            await settled(pilot)
            assert states(app) == ["done"] * 2
            assert "owe the memories more than 1 nat" in screen_text(app)


async def test_x_stops_it_also_from_elsewhere_and_r_goes_on(places: list[Place], kept: Kept) -> None:
    with Gate(through=SCORINGS + 1) as gate:
        app = scored_by(FormulaEngine(before=gate, concurrency=1), kept)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            app.batches.begin("matrix", places)
            await reached(gate)
            app.go("start")
            await shows(pilot, "1/4 conversations")  # told there too, where nothing else runs
            await pilot.press("x")
            gate.open()
            await settled(pilot)
            assert states(app) == ["done", "cancelled", "waiting", "waiting"]
            app.go("batch")
            await settled(pilot)
            await shows(pilot, "R tries those that are left")
            assert "stopped" in screen_text(app)
            assert app.batches.unfinished == 4
            await press(pilot, "R")
            assert states(app) == ["done"] * 4
            assert app.batches.unfinished == 0
            await press(pilot, "R")
            assert "nothing is left to try" in screen_text(app)


async def test_after_quitting_it_is_offered_again(places: list[Place], tmp_path: Path, kept: Kept) -> None:
    with Gate(through=SCORINGS + 1) as gate:
        app = scored_by(FormulaEngine(before=gate, concurrency=1), kept)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            app.batches.begin("matrix", places)
            await reached(gate)
            await pilot.press("q")  # in the middle
        gate.open()
    kept.close()
    later = Kept(Database(tmp_path / "store"))
    again = FormulaEngine()
    app = scored_by(again, later)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert "a batch of 4 sessions was stopped" in screen_text(app)
        (resume,) = (one for one in commands(app) if one.name.startswith("Resume"))
        assert resume.name == "Resume the batch of 4 sessions"
        resume.do()
        await settled(pilot)
        assert isinstance(app.screen, BatchScreen)
        assert states(app) == ["done"] * 4
        assert not any(one.name.startswith("Resume") for one in commands(app))
        assert 0 < again.calls < 4 * SCORINGS  # those that had landed are not scored again
    later.close()
    assert later.state("batch") == {}
    assert later.database is not None
    later.database.close()


async def test_a_conversation_is_opened_and_scored_while_it_runs(places: list[Place], tmp_path: Path) -> None:
    """The batch is held back in the middle: what is opened meanwhile is scored to its end, and ends nothing."""
    with Gate() as gate:
        held = "cid"

        def before(_call: int, prompt: Any) -> None:
            if any(held in turn.text for turn in prompt.turns):
                gate(1, prompt)

        app = scored_by(FormulaEngine(before=before, concurrency=1), first=office())
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            app.batches.begin("matrix", places)
            await reached(gate)
            app.go("matrix")
            app.open(Opening(Path(talk(tmp_path / "eve.json").path)))
            await shows(pilot, "2 memories x 1 response")
            while app.workspace.phase != "done":
                await pilot.pause(0.01)
            assert app.workspace.conversation.title == "eve"  # type: ignore[union-attr]
            assert states(app) == ["done", "done", "running", "waiting"]
            assert app.workspace.matrix is not None and not app.workspace.run.missing()  # type: ignore[union-attr]
            held = "nowhere"
            gate.open()
            await settled(pilot)
            assert states(app) == ["done"] * 4


async def test_what_costs_much_is_asked_first(places: list[Place]) -> None:
    engine = FormulaEngine()
    app = scored_by(engine, ask_above=1)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        app.batches.begin("matrix", places)
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        assert "Score these sessions?" in screen_text(app) and f"{4 * SCORINGS} scorings" in screen_text(app)
        await press(pilot, "escape")
        assert (engine.calls, states(app)) == (0, ["waiting"] * 4)
        assert "not begun: 20 scorings" in screen_text(app) and "R asks again" in screen_text(app)
        await press(pilot, "R")
        await press(pilot, "k", "enter")
        assert states(app) == ["done"] * 4


async def test_one_that_was_stopped_is_dropped_only_when_a_person_is_sure(places: list[Place]) -> None:
    with Gate(through=SCORINGS + 1) as gate:
        app = scored_by(FormulaEngine(before=gate, concurrency=1))
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            app.batches.begin("matrix", places)
            await reached(gate)
            await pilot.press("x")
            gate.open()
            await settled(pilot)
            await press(pilot, "escape")
            for keys, left in ((("escape",), ["done", "cancelled", "waiting", "waiting"]), (("k", "enter"), ["done"])):
                app.batches.begin("finetune", places[:1])
                await settled(pilot)
                assert "The batch of 4 sessions has 3 left. Drop it?" in screen_text(app)
                await press(pilot, *keys)
                assert states(app) == left
            assert app.current_mode == "batch"


async def test_what_came_of_it_is_told_when_it_ends(places: list[Place], tmp_path: Path) -> None:
    app = scored_by(FormulaEngine())
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        app.batches.begin("matrix", [places[0], talk(tmp_path / "eve.json", 0), Place(str(tmp_path / "gone.json"), 0)])
        await shows(pilot, "the batch of 3 sessions is done: 1 scored, 1 failed, 1 with nothing to score")


async def test_sessions_that_wait_have_the_titles_they_were_sent_with(places: list[Place], kept: Kept) -> None:
    with Gate() as gate:
        app = scored_by(FormulaEngine(before=gate, concurrency=1), kept)
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            app.batches.begin("matrix", places, {places[3]: "The last of all"})
            await reached(gate)
            await shows(pilot, "The last of all")
            assert app.batches.batch is not None
            again = batch_again(app.batches.batch.kept)
            assert again is not None and again.rows[3].title == "The last of all"


async def test_the_sessions_pane_marks_what_was_scored_meanwhile(
    places: list[Place], kept: Kept, tmp_path: Path
) -> None:
    none = talk(tmp_path / "eve.json", 0)
    app = scored_by(FormulaEngine(), kept)
    app.folder = tmp_path
    async with app.run_test(size=(200, 36)) as pilot:
        await settled(pilot)
        await press(pilot, "5")
        assert "scored" not in _heads(app)
        app.batches.begin("matrix", [places[0], none])
        await press(pilot, "5")
        assert "scored" in _heads(app)
        scored = [line for line in screen_text(app).splitlines() if " scored " in line.replace("│", " ")]
        assert [word in line for line, word in zip(scored, ("title", "ann"), strict=True)] == [True, True]


def _heads(app: MemscopeApp) -> str:
    return next(line for line in screen_text(app).splitlines() if "  title" in line)


async def test_rows_stay_where_they_are_when_the_reason_of_one_is_told(places: list[Place], tmp_path: Path) -> None:
    app = scored_by(FormulaEngine())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.batches.begin("matrix", [places[0], talk(tmp_path / "eve.json", 0)])
        await settled(pilot)
        await shows(pilot, "2 conversations scored")
        assert isinstance(app.screen, BatchScreen)
        table, before = app.screen.table, app.screen.table.region
        assert "eve: no memory was found" not in screen_text(app)
        await press(pilot, "j")
        assert "eve: no memory was found in the conversation" in screen_text(app)
        assert table.region == before


async def test_the_session_that_is_scored_is_seen_among_many(tmp_path: Path) -> None:
    many = [talk(tmp_path / f"talk {n:02}.json") for n in range(30)]
    with Gate(through=28 * SCORINGS) as gate:
        app = scored_by(FormulaEngine(before=gate, concurrency=1))
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            app.batches.begin("matrix", many)
            await reached(gate)
            await shows(pilot, "talk 29")  # one on
            assert isinstance(app.screen, BatchScreen) and app.screen.table.cursor == 0


async def test_why_it_ended_and_why_one_failed_is_told(places: list[Place]) -> None:
    app = scored_by(FormulaEngine(before=fails_without("nowhere")))
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        app.batches.begin("matrix", places)
        await settled(pilot)
        shown = " ".join(screen_text(app).split())
        assert "not tried, because the ones before it failed" in shown
        assert "R tries those that are left" in shown
        assert "ann: " in shown and "refuses to go" in shown
        assert states(app) == ["failed"] * 3 + ["waiting"]


async def test_an_empty_screen_says_what_fills_it() -> None:
    app = console(None)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.go("batch")
        await settled(pilot)
        assert "No sessions were sent here." in screen_text(app)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("kind", ["matrix", "finetune"])
def test_picture(
    snap_compare: Any,
    places: list[Place],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: Kind,
    size: tuple[int, int],
) -> None:
    monkeypatch.chdir(tmp_path)
    app = scored_by(FormulaEngine(before=fails_without(MEMORIES[1]) if kind == "matrix" else None))

    async def come_to_rest(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        app.batches.begin(kind, [Place(Path(place.path).name, 0) for place in places])
        await settled(pilot)
        batch = app.batches.batch
        assert batch is not None
        for place in batch.places:
            batch.tell(place, seconds=0.1)
        await pilot.pause(0.5)

    assert snap_compare(app, terminal_size=size, run_before=come_to_rest)
