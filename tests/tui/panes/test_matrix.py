"""The Matrix pane by its keys, at both sizes."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from memscope.actions.engine import Scorer
from memscope.actions.kept import Kept
from memscope.actions.open import Opening
from memscope.conversation.model import Conversation
from memscope.engines.protocol import Engine
from memscope.store.database import Database
from memscope.tui.app import MemscopeApp
from memscope.tui.dialogs.cell import CellDialog
from memscope.tui.dialogs.choice import Choice
from memscope.tui.panes.matrix.screen import MatrixScreen
from memscope.tui.widgets.cell_view import CellView
from memscope.tui.widgets.heatmap import Heatmap
from memscope.tui.widgets.legend import Legend
from memscope.tui.widgets.no_memories import NoMemories
from memscope.tui.widgets.transcript import Transcript
from tests.fakes import (
    LATE,
    PNPM,
    TABS,
    FormulaEngine,
    Gate,
    assistant,
    cut_otherwise_without,
    fails_baseline,
    fails_without,
    memory,
    office,
    talk,
    true_effects,
    user,
)
from tests.tui.apps import SIZES, console, path_of, screen_text, settled

EVIL = "\x1b]0;PWNED\x07 [/red] [@click=app.quit]x[/]"


@pytest.fixture
def scored_by(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`scored_by(engine)`: every run of the console uses that engine."""

    def use(engine: Engine) -> None:
        monkeypatch.setattr("memscope.tui.engines.open_scorer", lambda *_: Scorer(engine))

    return use


def many(memories: int = 40, responses: int = 60) -> Conversation:
    """A conversation whose heatmap is larger than a screen."""
    said = [m for n in range(responses) for m in (user(f"Question {n}?"), assistant(f"Answer {n} is {n * 7 % 13}."))]
    return talk(*(memory(f"fact/{n}", f"Fact number {n}.") for n in range(memories)), *said)


async def at_matrix(pilot: Pilot[Any]) -> MatrixScreen:
    """The pane, once everything has landed."""
    await settled(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, MatrixScreen)
    return screen


async def press(pilot: Pilot[Any], *keys: str) -> None:
    for name in keys:
        await pilot.press(name)
    await settled(pilot)


def rows(screen: MatrixScreen) -> list[str]:
    """The keys of the rows, from the top."""
    picture = screen.heatmap._picture
    return [] if picture is None else list(picture.keys)


def told(screen: MatrixScreen) -> str:
    return screen.query_one(CellView).render().plain


def said(screen: MatrixScreen) -> str:
    """What stands in the place of the heatmap; nothing where that is shown."""
    return str(screen.query_one("#matrix-said", Static).visual) if screen.has_class("-said") else ""


def status(app: MemscopeApp) -> str:
    return app._said[0]


def gone(app: MemscopeApp, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Where the pane leads to from now on, without going there."""
    went: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        app,
        "go",
        lambda name, *, memory=None, response=None, hint=None, **_: went.append((name, memory, response, hint)),
    )
    return went


@pytest.mark.parametrize("size", SIZES)
async def test_the_heatmap_shows_what_every_memory_did(size: tuple[int, int], scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=size) as pilot:
        screen = await at_matrix(pilot)
        assert screen.heatmap.has_focus
        assert rows(screen) == ["tabs", "pnpm", "late"]
        grid = screen.heatmap.grid
        assert grid is not None
        assert np.array_equal(grid.values, true_effects(office()))
        shown = screen_text(app)
        for words in ("tabs", "pnpm", "late", "#2", "#5", "#8", "total", "nats", "╱ came later"):
            assert words in shown
        await press(pilot, "l")
        effect = true_effects(office())[0, 1]
        lines = told(screen).splitlines()
        assert lines[0] == "tabs → #5"
        assert app.workspace.matrix is not None
        assert lines[1].startswith(f"{effect:+.2f} nats · {effect / app.workspace.matrix.tokens[1]:+.2f} per token")
        assert "noise 0 · cutoff 0.01 · measured" in lines[1]
        assert lines[2].split(None, 1) == ["memory", TABS]
        assert lines[3].startswith("response  ")
        assert app.workspace.memory == "tabs"
        assert app.workspace.response == 5


async def test_at_80_by_24_ten_rows_and_forty_columns_are_left() -> None:
    app = console(many())
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_matrix(pilot)
        heatmap = screen.heatmap
        assert heatmap._page >= 10
        assert heatmap._layout(heatmap.scrollable_content_region.width).room >= 40
        assert screen.query_one(CellView).size.height >= 2
        assert screen.query_one(Legend).display
        await pilot.resize_terminal(80, 18)
        await pilot.pause()
        assert heatmap._page >= 10
        assert not screen.query_one(Legend).display
        assert screen.query_one(CellView).size.height == 2
        title, response = told(screen).splitlines()
        assert "→ #" in title
        assert response.startswith("response")


@pytest.mark.parametrize("size", SIZES)
async def test_words_of_the_cell_are_looked_up_when_the_cursor_rests(size: tuple[int, int], scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=size) as pilot:
        screen = await at_matrix(pilot)
        await press(pilot, "j", "l")
        for _ in range(100):
            await asyncio.sleep(0.01)
            await settled(pilot)
            if "most on" in told(screen):
                break
        detail = screen.query_one(CellView).detail
        assert detail is not None
        assert detail.word
        assert detail.word_at is not None
        assert detail.response[slice(*detail.word_at)] == detail.word
        assert f"most on '{detail.word}'" in told(screen)


async def test_an_engine_without_tokens_tells_the_cell_without_words(scored_by: Any) -> None:
    scored_by(FormulaEngine(tokens=False))
    app = console(office())
    async with app.run_test(size=SIZES[0]) as pilot:
        screen = await at_matrix(pilot)
        await press(pilot, "j", "l")
        assert screen.heatmap.cell is not None
        screen._look_up(screen.heatmap.cell)
        assert app.workspace.background.task("cell") is None
        assert "nats" in told(screen)
        assert "most on" not in told(screen)


@pytest.mark.parametrize("size", SIZES)
async def test_rows_and_columns_are_sorted_and_that_is_kept(size: tuple[int, int], scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=size) as pilot:
        screen = await at_matrix(pilot)
        totals = np.maximum(true_effects(office()), 0).sum(axis=1)
        strongest = [["tabs", "pnpm", "late"][row] for row in np.argsort(-totals, kind="stable")]
        await press(pilot, "s")
        assert rows(screen) == strongest
        assert "memories by strength" in status(app)
        assert app.workspace.view.sorts["matrix_rows"] == "strength"
        await press(pilot, "s")
        assert rows(screen) == ["late", "pnpm", "tabs"]
        await press(pilot, "s")
        assert rows(screen) == ["tabs", "pnpm", "late"]
        await press(pilot, "S")
        columns = np.argsort(-np.maximum(true_effects(office()), 0).sum(axis=0), kind="stable")
        picture = screen.heatmap._picture
        assert picture is not None
        assert picture.responses == tuple((2, 5, 8)[column] for column in columns)
        assert "responses by strength" in status(app)


@pytest.mark.parametrize("size", SIZES)
async def test_f_goes_through_the_strongest_cells(size: tuple[int, int], scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=size) as pilot:
        screen = await at_matrix(pilot)
        effects = np.abs(true_effects(office()))
        order = [divmod(int(cell), 3) for cell in np.argsort(-effects, axis=None, kind="stable") if effects.flat[cell]]
        found = []
        for _ in order:
            await press(pilot, "f")
            found.append(screen.heatmap.cell)
        assert found == order
        await press(pilot, "F")
        assert screen.heatmap.cell == order[-2]
        assert f"strongest {len(order) - 1} of {len(order)}" in status(app)
        await press(pilot, "g", "home", "F")  # the cursor may have been anywhere in between
        assert screen.heatmap.cell == order[-2]
        await press(pilot, "f", "f")
        assert "no further cell" in status(app)
        await press(pilot, "f")
        assert screen.heatmap.cell == order[0]


async def test_from_somewhere_else_f_begins_with_the_strongest_of_all(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=SIZES[0]) as pilot:
        screen = await at_matrix(pilot)
        strongest = divmod(int(np.abs(true_effects(office())).argmax()), 3)
        screen.heatmap.go(*strongest)
        await press(pilot, "f")
        assert screen.heatmap.cell == strongest
        assert status(app).startswith("strongest 1 of")
        await press(pilot, "f", "f", "G", "home", "f")
        assert screen.heatmap.cell == strongest


@pytest.mark.parametrize("size", SIZES)
async def test_slash_filters_the_memories_as_one_types(size: tuple[int, int], scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=size) as pilot:
        screen = await at_matrix(pilot)
        await press(pilot, "slash", "m", "o", "n", "d")
        assert rows(screen) == ["late"]  # its text says Mondays
        await press(pilot, "x")
        assert "No memory has 'mondx'" in said(screen)
        assert "Esc ends the filter" in said(screen)
        await press(pilot, "backspace", "enter")
        assert rows(screen) == ["late"]
        assert screen.heatmap.has_focus
        await press(pilot, "escape")
        assert rows(screen) == ["tabs", "pnpm", "late"]


@pytest.mark.parametrize("size", SIZES)
async def test_units_sign_and_threshold(size: tuple[int, int], scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=size) as pilot:
        screen = await at_matrix(pilot)
        for unit in ("per token", "share", "nats"):
            await press(pilot, "U")
            assert screen.heatmap.grid is not None
            assert screen.heatmap.grid.unit == unit
            assert screen.query_one(Legend).render().plain.startswith(unit)
        await press(pilot, "c")
        assert np.nanmin(screen.heatmap.grid.values) == 0.0
        assert not screen.heatmap.look.palette.signed
        assert app.workspace.view.signed is False
        await press(pilot, "c")
        await press(pilot, "t")
        await press(pilot, *["backspace"] * 4, "9", "9", "enter")
        assert app.workspace.view.threshold == 99
        assert screen.heatmap.grid.noise[screen.heatmap.grid.state == 1].all()
        await press(pilot, "f")
        assert "no effect is beyond its cutoff" in status(app)
        assert "not beyond the cutoff of 99.0 nats" in told(screen)


async def test_a_unit_the_engine_does_not_have_is_passed_over(scored_by: Any) -> None:
    engine = FormulaEngine(tokens=False)
    score = engine.score
    engine.score = lambda prompt, job: [  # type: ignore[method-assign]
        type(found)(found.total) for found in score(prompt, job)
    ]
    scored_by(engine)
    app = console(office())
    async with app.run_test(size=SIZES[0]) as pilot:
        screen = await at_matrix(pilot)
        await press(pilot, "U")
        assert screen.heatmap.grid is not None
        assert screen.heatmap.grid.unit == "share"
        assert "counts no tokens" in status(app)


@pytest.mark.parametrize("size", SIZES)
async def test_the_overview_shows_all_and_leads_back(size: tuple[int, int], scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(many())
    async with app.run_test(size=size) as pilot:
        screen = await at_matrix(pilot)
        await press(pilot, "v")
        assert screen.heatmap.overview
        assert screen.heatmap.row_count <= size[1]
        await press(pilot, "f", "f", "f")
        cell = screen.heatmap.cell
        await press(pilot, "escape")
        assert not screen.heatmap.overview
        assert screen.heatmap.row_count == 40
        assert screen.heatmap.cell == cell
        assert app.screen is screen


async def test_what_fits_needs_no_overview(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=SIZES[0]) as pilot:
        screen = await at_matrix(pilot)
        await press(pilot, "v")
        assert not screen.heatmap.overview
        assert status(app) == "all of it fits"
        await press(pilot, "U")
        assert status(app) == "nats per token"


@pytest.mark.parametrize("size", SIZES)
async def test_enter_and_why_lead_to_the_response(
    size: tuple[int, int], scored_by: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=size) as pilot:
        screen = await at_matrix(pilot)
        await press(pilot, "j", "l", "l")
        went = gone(app, monkeypatch)
        await press(pilot, "enter", "w")
        assert went == [("responses", "pnpm", 8, "heat"), ("responses", "pnpm", 8, "why")]
        await pilot.click(Heatmap, offset=(3, 2), times=2)
        assert went[-1] == ("responses", "tabs", 8, "heat")
        assert screen.heatmap.cell == (0, 2)


async def test_coming_back_the_cursor_is_where_the_other_pane_pointed(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=SIZES[1]) as pilot:
        screen = await at_matrix(pilot)
        await press(pilot, "3")
        app.workspace.select(memory="late", response=8)
        await press(pilot, "1")
        assert screen.heatmap.cell == (2, 2)


@pytest.mark.parametrize("size", SIZES)
async def test_inspect_shows_both_texts_whole_and_nothing_hostile(size: tuple[int, int], scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(talk(memory(f"evil {EVIL}", f"Remember {EVIL}"), user("Hi"), assistant(f"Said {EVIL}")))
    async with app.run_test(size=size) as pilot:
        screen = await at_matrix(pilot)
        assert "\x1b" not in screen_text(app)
        assert "[@click" in told(screen)
        await press(pilot, "i")
        assert isinstance(app.screen, CellDialog)
        shown = screen_text(app)
        assert "\x1b" not in shown
        assert "Remember ␛]0;PWNED␇" in shown
        assert "Said ␛]0;PWNED␇" in shown
        await press(pilot, "escape")
        assert app.screen is screen


async def test_copy_and_export_give_the_cell_and_the_matrix(scored_by: Any, tmp_path: Path) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=SIZES[1]) as pilot:
        screen = await at_matrix(pilot)
        await press(pilot, "l")
        copied = screen.copied()
        assert copied is not None
        assert copied.startswith("tabs on #5: ")
        assert TABS in copied
        assert "Use pnpm to install packages." in copied
        (offered,) = screen.exports()
        document = offered.build()
        assert offered.name == "matrix"
        assert [row.key for row in document.memories] == ["tabs", "pnpm", "late"]  # type: ignore[attr-defined]


# While it runs.


async def test_rows_appear_as_they_land_and_stay_until_the_run_ends(scored_by: Any) -> None:
    with Gate(through=3) as gate:
        scored_by(FormulaEngine(before=gate, concurrency=1))
        app = console(office())
        async with app.run_test(size=SIZES[1]) as pilot:
            await pilot.pause()
            screen = app.screen
            assert isinstance(screen, MatrixScreen)
            while (
                not gate.reached.is_set()
                or app.workspace.matrix is None
                or not np.isfinite(app.workspace.matrix.effects[0]).all()
            ):
                await asyncio.sleep(0.01)
            app.workspace.tick()
            await pilot.pause()
            shown = screen_text(app)
            assert "… pending" in shown
            states = screen.heatmap.grid.state.tolist() if screen.heatmap.grid else []
            assert states[0] == [1, 1, 1]
            assert 0 in states[2]
            await pilot.press("s")
            assert "until the run ends" in status(app)
            before = rows(screen)
            gate.open()
            await settled(pilot)
            totals = np.maximum(true_effects(office()), 0).sum(axis=1)
            assert rows(screen) == [["tabs", "pnpm", "late"][row] for row in np.argsort(-totals, kind="stable")]
            assert sorted(before) == sorted(rows(screen))
            assert "pending" not in screen_text(app)


async def test_a_cell_that_failed_alone_says_so(scored_by: Any) -> None:
    scored_by(FormulaEngine(after=cut_otherwise_without(TABS, 1)))
    app = console(office())
    async with app.run_test(size=SIZES[1]) as pilot:
        screen = await at_matrix(pilot)
        assert "nats" in told(screen)
        await press(pilot, "l")
        assert "could not be scored: retokenised" in told(screen)
        assert "× failed" in screen_text(app)
        assert "1 cell failed: retokenised" in screen_text(app)


async def test_a_failed_row_says_so_and_is_tried_again(scored_by: Any) -> None:
    engine = FormulaEngine(before=fails_without(PNPM))
    scored_by(engine)
    app = console(office())
    async with app.run_test(size=SIZES[1]) as pilot:
        screen = await at_matrix(pilot)
        await press(pilot, "j", "l")
        assert "× failed" in screen_text(app)
        assert "could not be scored: the server refuses to go without" in told(screen)
        engine._before = None
        await press(pilot, "R")
        assert "× failed" not in screen_text(app)
        assert "nats" in told(screen)
        assert screen.heatmap.grid is not None
        assert np.array_equal(screen.heatmap.grid.values, true_effects(office()))


async def test_a_cancelled_run_keeps_what_landed_and_goes_on(scored_by: Any) -> None:
    with Gate(through=2) as gate:
        scored_by(FormulaEngine(before=gate, concurrency=1))
        app = console(office())
        async with app.run_test(size=SIZES[0]) as pilot:
            await pilot.pause()
            while not gate.reached.is_set():
                await asyncio.sleep(0.01)
            await pilot.press("x")
            gate.open()
            screen = await at_matrix(pilot)
            assert app.workspace.phase == "cancelled"
            assert screen.heatmap.grid is not None
            assert (screen.heatmap.grid.state == 0).any()
            await press(pilot, "R")
            assert np.array_equal(screen.heatmap.grid.values, true_effects(office()))


async def test_another_run_takes_the_place_of_all_there_was(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=SIZES[0]) as pilot:
        screen = await at_matrix(pilot)
        await press(pilot, "j", "l")
        with Gate() as gate:
            app.workspace.engines.adopt(Scorer(FormulaEngine(before=gate)))
            app.workspace.start()
            await pilot.pause()
            assert screen.heatmap.grid is not None
            assert not (screen.heatmap.grid.state == 1).any()
            assert "not scored yet" in told(screen)
            assert screen.heatmap.cell == (1, 1)
        await settled(pilot)
        assert np.array_equal(screen.heatmap.grid.values, true_effects(office()))


# Where there is nothing to show.


@pytest.mark.parametrize("size", SIZES)
async def test_without_memories_it_offers_what_is_near(size: tuple[int, int], scored_by: Any, tmp_path: Path) -> None:
    scored_by(FormulaEngine())
    app = console(talk(user("Hi"), assistant("Hello.")))
    async with app.run_test(size=size) as pilot:
        screen = await at_matrix(pilot)
        offers = screen.query_one(NoMemories)
        assert offers.display
        assert offers.has_focus
        assert not screen.heatmap.is_on_screen
        shown = screen_text(app)
        assert "This conversation holds no memories." in shown
        assert "explicit marks" in shown
        assert "Strongest" not in shown  # no key that would do nothing


async def test_what_is_chosen_instead_is_opened(scored_by: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scored_by(FormulaEngine())
    app = console(talk(user("Hi"), assistant("Hello.")))
    async with app.run_test(size=SIZES[1]) as pilot:
        screen = await at_matrix(pilot)
        asked: list[dict[str, Any]] = []
        monkeypatch.setattr(app.workspace, "reload", lambda **changes: asked.append(changes))
        went = gone(app, monkeypatch)
        offers = screen.query_one(NoMemories)
        offers.post_message(NoMemories.Use((Path("MEMORY.md"),)))
        offers.post_message(NoMemories.UseSources("turns"))
        offers.post_message(NoMemories.MarkLines())
        await settled(pilot)
        assert asked == [{"memories": (Path("MEMORY.md"),)}, {"sources": "turns"}]
        assert went == [("responses", None, None, "mark")]


BARE: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "You are terse.\nUse tabs for indentation."},
        {"role": "user", "content": "Indent this."},
        {"role": "assistant", "content": "I use tabs for indentation."},
    ]
}


async def test_offers_have_their_keys_again_when_a_mark_was_undone(scored_by: Any, tmp_path: Path) -> None:
    scored_by(FormulaEngine())
    app = console(Opening(path_of(tmp_path, "bare.json", json.dumps(BARE))), Kept(Database(tmp_path / "store")))
    async with app.run_test(size=SIZES[1]) as pilot:
        screen = await at_matrix(pilot)
        await press(pilot, "m")
        assert app.workspace.response is None or app.workspace.response == 2
        transcript = app.screen.query_one(Transcript)
        assert transcript.message == 0  # the first that could be marked, not the response
        await press(pilot, "z", "j", "space", "m", "enter", "1")
        assert screen.heatmap.has_focus
        await press(pilot, "2", "u", "1")
        offers = screen.query_one(NoMemories)
        assert offers.has_focus
        shown = screen_text(app)
        assert re.search(r"m +mark lines yourself", shown)
        for key in ("Threshold", "Export", "Strongest", "Find"):
            assert key not in shown.splitlines()[-1]
        assert "W Turns" in shown.splitlines()[-1]


async def test_help_says_nothing_twice() -> None:
    here, pane = (set(re.split(r"(?<=[.:]) ", words)) for words in (Heatmap.HELP, MatrixScreen.HELP))
    assert not here & pane


async def test_with_nothing_open_no_key_is_shown_that_does_nothing() -> None:
    app = console(None)
    async with app.run_test(size=SIZES[1]) as pilot:
        await press(pilot, "1")
        assert isinstance(app.screen, MatrixScreen)
        line = screen_text(app).splitlines()[-1]
        for key in ("Threshold", "Export", "Find", "Sources", "Strongest", "Copy", "Retry"):
            assert key not in line
        assert "Engine" in line
        await press(pilot, "f")
        assert status(app).startswith("there is no heatmap here")
        await press(pilot, "R")
        assert status(app) == "nothing is missing"


async def test_other_sources_are_chosen_and_changed_back(scored_by: Any, tmp_path: Path) -> None:
    scored_by(FormulaEngine())
    app = console(Opening(path_of(tmp_path, "bare.json", json.dumps(BARE))))
    async with app.run_test(size=SIZES[1]) as pilot:
        screen = await at_matrix(pilot)
        await press(pilot, "W")
        assert rows(screen) == ["turn/1 indent-this"]
        assert "o leads back" in status(app)
        await press(pilot, "o")
        assert "no heatmap" not in status(app)
        assert isinstance(app.screen, Choice)
        await press(pilot, "k", "enter")  # there are no tool results
        assert "none of them" in status(app)
        assert rows(screen) == ["turn/1 indent-this"]
        await press(pilot, "o", "g", "enter")
        assert screen.query_one(NoMemories).has_focus


@pytest.mark.parametrize("size", SIZES)
async def test_without_responses_it_says_so(size: tuple[int, int], scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(talk(memory("tabs", TABS), user("Hi")))
    async with app.run_test(size=size) as pilot:
        screen = await at_matrix(pilot)
        assert "has no response" in said(screen)
        assert "Esc" in said(screen)


@pytest.mark.parametrize("size", SIZES)
async def test_a_failed_baseline_gives_the_reason_and_the_keys(size: tuple[int, int], scored_by: Any) -> None:
    engine = FormulaEngine(before=fails_baseline(TABS, PNPM, LATE))
    scored_by(engine)
    app = console(office())
    async with app.run_test(size=size) as pilot:
        screen = await at_matrix(pilot)
        assert "the server is out of memory" in said(screen)
        assert re.search(r"R tries again, E chooses another engine", said(screen))
        engine._before = None
        await press(pilot, "R")
        assert not said(screen)
        assert screen.heatmap.has_focus
        assert screen.heatmap.grid is not None
        assert np.array_equal(screen.heatmap.grid.values, true_effects(office()))


async def test_in_ascii_the_pane_draws_nothing_else(scored_by: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    scored_by(FormulaEngine())
    app = console(office(), glyphs="ascii")
    async with app.run_test(size=SIZES[1]) as pilot:
        screen = await at_matrix(pilot)
        assert screen.heatmap.look.palette.signs.here == ">"
        await press(pilot, "l")
        assert told(screen).startswith("tabs -> #5")
        assert told(screen).replace("…", "").isascii()
