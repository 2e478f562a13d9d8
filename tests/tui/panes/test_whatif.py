"""The screen of a what-if by its keys, at both sizes, and toggling memories off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from memscope.actions.engine import Scorer
from memscope.actions.open import Opened, Opening
from memscope.engines.protocol import Engine
from memscope.reports.whatif import WHOLE, WhatIfDocument
from memscope.tui.app import MemscopeApp
from memscope.tui.commands import commands
from memscope.tui.dialogs.dialog import Dialog
from memscope.tui.panes._whatif import WhatIfScreen
from memscope.tui.screens import WHAT_IF
from memscope.tui.whatif import show_what_if, toggle_memory
from tests.actions.test_whatif import OnceEngine, copies
from tests.fakes import FormulaEngine, Gate, assistant, memory, office, talk, true_effects, user
from tests.tui.apps import SIZES, console, screen_text, settled

EVIL = "\x1b]0;PWNED\x07 [/red] [@click=app.quit]x[/]"
EVERY_SIZE = pytest.mark.parametrize("size", SIZES)


@pytest.fixture
def scored_by(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`scored_by(engine)`: every run of the console uses that engine."""

    def use(engine: Engine) -> None:
        monkeypatch.setattr("memscope.tui.engines.open_scorer", lambda *_: Scorer(engine))

    return use


async def without(pilot: Pilot[Any], *keys: str) -> WhatIfScreen:
    """The screen, once all has landed."""
    app = pilot.app
    assert isinstance(app, MemscopeApp)
    await settled(pilot)
    for key in keys:
        toggle_memory(app, key)
    show_what_if(app, None)
    await settled(pilot)
    screen = app.screen
    assert isinstance(screen, WhatIfScreen)
    return screen


def words(app: MemscopeApp, line: int) -> str:
    return screen_text(app).splitlines()[line].strip()


@EVERY_SIZE
async def test_the_copy_takes_over_and_it_is_said(size: tuple[int, int], scored_by: Any) -> None:
    scored_by(OnceEngine())
    app = console(copies())
    async with app.run_test(size=size) as pilot:
        screen = await without(pilot, "one")
        assert words(app, 1) == "without one (27 characters)"
        assert words(app, 2) == "no response changes beyond its cutoff; two (+1.30) takes over"
        assert screen.heatmap.grid is not None
        assert screen.heatmap.grid.keys == (WHOLE, "two", "tabs")
        assert "+ more without them" in screen_text(app)
        await pilot.press("j")
        await pilot.pause()
        detail = screen.view.detail
        assert detail is not None
        assert (detail.key, detail.before, detail.after) == ("two", 0.0, detail.difference)
        assert "two → #4  +1.30 nats (0 → 1.30), takes over" in screen_text(app)
        row = screen.table.selected
        assert row is not None and (row.message, row.takes_over) == (4, "two")


@EVERY_SIZE
async def test_the_cursor_begins_where_most_changes_and_tells_before_and_after(
    size: tuple[int, int], scored_by: Any
) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=size) as pilot:
        screen = await without(pilot, "tabs", "pnpm")
        changes = -true_effects(office())[:2].sum(axis=0)
        most = abs(changes).argmax()
        detail = screen.view.detail
        assert detail is not None and detail.key is None
        assert (detail.message, detail.difference) == ((2, 5, 8)[most], changes[most])
        assert detail.before is not None and detail.after == detail.before + changes[most]
        assert [row.change for row in screen.table.shown] == sorted(changes.tolist())
        assert f"whole response → #{detail.message}" in screen_text(app)


async def test_enter_leads_to_the_response_and_esc_back_here_and_then_to_where_one_was(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("3")
        screen = await without(pilot, "tabs")
        await pilot.press("j", "right", "enter")
        await settled(pilot)
        assert (app.current_mode, app.workspace.memory, app.workspace.response) == ("responses", "pnpm", 5) or (
            app.current_mode,
            app.workspace.memory,
            app.workspace.response,
        ) == ("responses", "pnpm", 8)
        await pilot.press("escape")
        await settled(pilot)
        assert app.screen is screen
        await pilot.press("escape")
        await settled(pilot)
        assert app.current_mode == "memories"


async def test_o_takes_another_out_u_brings_it_back_and_what_was_scored_is_not_asked_again(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await without(pilot, "tabs")
        await pilot.press("o")
        await pilot.pause()
        assert "this row is the response as a whole" in screen_text(app)
        await pilot.press("j", "o")
        await pilot.pause()
        assert app.what_ifs.toggled == ("tabs", "pnpm")
        assert words(app, 1).startswith("toggled since: O scores it anew. Shown: without tabs")
        await pilot.press("O")
        await settled(pilot)
        assert screen.heatmap.grid is not None
        assert screen.heatmap.grid.keys == (WHOLE, "late")
        assert words(app, 1).startswith("without tabs and pnpm (")
        await pilot.press("u")
        await pilot.pause()
        assert app.what_ifs.toggled == ("tabs",)
        await pilot.press("O")
        await settled(pilot)
        assert screen.heatmap.grid.keys == (WHOLE, "pnpm", "late")


async def test_all_memories_off_leaves_the_responses(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await without(pilot, "tabs", "pnpm", "late")
        assert screen.heatmap.grid is not None and screen.heatmap.grid.keys == (WHOLE,)
        assert "3 of 3 responses change" in words(app, 2)
        await pilot.press("j", "s", "slash", "x", "escape", "enter")
        await settled(pilot)


async def test_it_fills_while_it_is_scored_x_keeps_what_landed_and_r_goes_on(scored_by: Any) -> None:
    with Gate(through=8) as gate:  # the six of the whole, the baseline without it and one memory
        engine = FormulaEngine(before=gate, concurrency=1)
        scored_by(engine)
        app = console(office())
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            toggle_memory(app, "tabs")
            show_what_if(app, None)
            await pilot.pause()
            screen = app.screen
            assert isinstance(screen, WhatIfScreen)
            assert gate.reached.wait(10)
            await pilot.pause(0.5)
            assert words(app, 2).startswith("so far: ")
            assert "scorings" in screen_text(app)
            grid = screen.heatmap.grid
            assert grid is not None and sorted(set(grid.state.ravel().tolist())) == [0, 1, 3]  # pending, ok, before
            await pilot.press("x")
            await pilot.pause()
            gate.open()
            await settled(pilot)
            assert words(app, 2).startswith("not all is scored; R goes on. ")
            assert screen.check_action("retry", ())
            await pilot.press("R")
            await settled(pilot)
            assert not screen.check_action("retry", ())
            assert screen.heatmap.grid is not None and 0 not in screen.heatmap.grid.state


async def test_a_failure_is_said_in_the_cell_and_in_the_table(scored_by: Any) -> None:
    def before(call: int, prompt: Any) -> None:
        from tests.actions.test_whatif import fails_without, lacks

        if lacks(prompt, "Indent with tabs."):
            fails_without("Deploy on Mondays")(call, prompt)

    scored_by(FormulaEngine(before=before))
    app = console(office())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await without(pilot, "tabs")
        screen.heatmap.go(2, 2)
        await pilot.pause()
        assert "could not be scored: without them: the server refuses to go without" in screen_text(app)
        assert "× failed" in screen_text(app)


async def test_a_baseline_that_fails_without_them_is_told_instead(scored_by: Any) -> None:
    def before(call: int, prompt: Any) -> None:
        from tests.actions.test_whatif import fails_without, lacks

        if lacks(prompt, "Indent with tabs.") and not lacks(prompt, "Install packages"):
            fails_without("Indent with tabs.")(call, prompt)

    engine = FormulaEngine()
    scored_by(engine)
    app = console(office())
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        engine._before = before
        await without(pilot, "tabs")
        assert "the conversation without them could not be scored: the server refuses" in words(app, 2)


async def test_what_can_be_exported_is_the_document(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await without(pilot, "tabs")
        (offered,) = screen.exports()
        built = offered.build()
        assert isinstance(built, WhatIfDocument)
        assert built.removed == ["tabs"] and built.cost.scorings == 5
        assert [row.change for row in built.responses] == (-true_effects(office())[0]).tolist()


async def test_y_copies_what_the_cursor_is_on(scored_by: Any) -> None:
    scored_by(OnceEngine())
    app = console(copies())
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await without(pilot, "one")
        await pilot.press("j")
        await pilot.pause()
        copied = screen.copied()
        assert copied is not None
        assert copied.startswith(
            "without one (27 characters)\ntwo on #4: +1.30 nats (0 -> 1.30), takes over\n\nInstall"
        )


async def test_slash_filters_the_memories_and_the_first_row_stays(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await without(pilot, "tabs")
        await pilot.press("slash", *"monday")
        await pilot.pause()
        assert screen.heatmap.row_count == 2
        assert "late" in screen_text(app) and WHOLE in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert screen.heatmap.row_count == 3


async def test_s_sorts_what_has_the_focus(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await without(pilot, "pnpm")
        await pilot.press("s")
        await pilot.pause()
        assert app.workspace.view.sorts["whatif_rows"] == "key"
        assert [screen.heatmap._labels[row] for row in range(3)] == [WHOLE, "late", "tabs"]
        await pilot.press("tab", "s")
        await pilot.pause()
        assert screen.table.sort is not None and screen.table.sort.title == "before"


async def test_the_threshold_changes_what_counts(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=(80, 24)) as pilot:
        await without(pilot, "tabs")
        assert "of 3 responses change" in words(app, 2)
        app.workspace.look(threshold=1000.0)
        await settled(pilot)
        assert words(app, 2) == "no response changes beyond its cutoff; no memory takes over"


@EVERY_SIZE
async def test_with_nothing_toggled_it_says_which_keys_help(size: tuple[int, int], scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        app.go(WHAT_IF)
        await settled(pilot)
        assert "No memory is toggled off." in screen_text(app)
        for key in ("j", "enter", "s", "o", "y", "slash", "u", "R", "x"):
            await pilot.press(key)
        await pilot.press("O")
        await settled(pilot)
        assert "no memory is toggled off; o toggles one" in screen_text(app)


async def test_another_conversation_drops_what_was_toggled_and_what_came_of_it(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=(80, 24)) as pilot:
        await without(pilot, "tabs")
        other = copies()
        app.workspace.show(Opened(Opening(Path("other.json")), other, other, other))
        await settled(pilot)
        assert app.what_ifs.toggled == () and app.what_ifs.run is None
        assert "No memory is toggled off." in screen_text(app)


async def test_another_run_drops_the_result_and_keeps_what_is_toggled(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=(80, 24)) as pilot:
        await without(pilot, "tabs")
        app.workspace.start()
        await settled(pilot)
        assert app.what_ifs.toggled == ("tabs",) and app.what_ifs.run is None
        assert "1 toggled off, and not scored yet." in screen_text(app)
        await pilot.press("O")
        await settled(pilot)
        assert words(app, 1).startswith("without tabs")


async def test_while_the_whole_is_scored_it_waits(scored_by: Any) -> None:
    with Gate(through=2) as gate:
        scored_by(FormulaEngine(before=gate, concurrency=1))
        app = console(office())
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            assert gate.reached.wait(10)
            toggle_memory(app, "tabs")
            show_what_if(app, None)
            await pilot.pause()
            assert app.current_mode == "matrix"
            assert "a run is under way; x cancels it" in screen_text(app)
            gate.open()
            await settled(pilot)


async def test_what_costs_much_waits_for_a_word(scored_by: Any) -> None:
    engine = FormulaEngine()
    scored_by(engine)
    app = console(office())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        calls = engine.calls
        app.use(app.workspace.settings.model_copy(update={"ask_above": 1}))
        show_what_if(app, "tabs")
        await settled(pilot)
        assert isinstance(app.screen, Dialog) and "5 scorings" in screen_text(app)
        await pilot.press("escape")
        await settled(pilot)
        assert engine.calls == calls
        assert words(app, 2).startswith("not all is scored; R goes on.")
        await pilot.press("R")
        await settled(pilot)
        assert engine.calls == calls + 5
        assert "responses change" in words(app, 2)


async def test_the_palette_toggles_the_memory_under_the_cursor_and_shows_what_if(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.workspace.select(memory="pnpm", response=5)
        found = {doable.name: doable.do for doable in commands(app)}
        found["Toggle off"]()
        assert app.what_ifs.toggled == ("pnpm",)
        assert "Toggle on" in {doable.name for doable in commands(app)}
        found["What-if"]()
        await settled(pilot)
        assert isinstance(app.screen, WhatIfScreen)
        assert words(app, 1).startswith("without pnpm")


async def test_what_if_with_nothing_toggled_takes_the_memory_under_the_cursor(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        show_what_if(app, "late")
        await settled(pilot)
        assert app.what_ifs.toggled == ("late",)
        assert isinstance(app.screen, WhatIfScreen)


@EVERY_SIZE
async def test_hostile_keys_and_texts_are_shown_and_do_nothing(size: tuple[int, int], scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(talk(memory(EVIL, EVIL), memory("b" + EVIL, EVIL), user(EVIL), assistant(EVIL)))
    async with app.run_test(size=size) as pilot:
        await without(pilot, EVIL)
        await pilot.press("j", "tab", "j", "s", "o")
        await settled(pilot)
        assert "\x1b" not in screen_text(app) and "\x07" not in screen_text(app)


@EVERY_SIZE
async def test_ascii_signs_where_the_settings_ask_for_them(size: tuple[int, int], scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office(), glyphs="ascii")
    async with app.run_test(size=size) as pilot:
        await without(pilot, "tabs")
        await pilot.press("j")
        await pilot.pause()
        assert "pnpm -> #" in screen_text(app)
        assert {sign for sign in screen_text(app) if not sign.isascii()} <= {"…"}
