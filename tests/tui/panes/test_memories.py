"""The Memories pane by its keys, at both sizes."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from memscope.actions.engine import Scorer
from memscope.conversation.model import Conversation
from memscope.engines.protocol import Engine
from memscope.tui.app import MemscopeApp
from memscope.tui.panes.memories.screen import MemoriesScreen
from memscope.tui.widgets.paragraphs import Paragraphs
from tests.fakes import FormulaEngine, Gate, assistant, cut_otherwise_without, fails_without, memory, office, talk, user
from tests.tui.apps import SIZES, console, screen_text, settled

EVIL = "\x1b]0;PWNED\x07 [/red] [@click=app.quit]x[/]"


@pytest.fixture
def scored_by(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`scored_by(engine)`: every run of the console uses that engine."""

    def use(engine: Engine) -> None:
        monkeypatch.setattr("memscope.tui.engines.open_scorer", lambda *_: Scorer(engine))

    return use


async def at_memories(pilot: Pilot[Any]) -> MemoriesScreen:
    """The pane, once everything has landed."""
    await settled(pilot)
    await pilot.press("3")
    await settled(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, MemoriesScreen)
    return screen


def keys(screen: MemoriesScreen) -> list[str]:
    return [row.key for row in screen.table.shown]


def told(screen: MemoriesScreen) -> str:
    """What is said of the memory under the cursor."""
    return " ".join(" ".join(text for text, _ in screen.query_one(Paragraphs)._lines).split())


def gone(app: MemscopeApp, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None, int | None]]:
    """Where the pane leads to from now on, without going there."""
    went: list[tuple[str, str | None, int | None]] = []
    monkeypatch.setattr(
        app, "go", lambda name, *, memory=None, response=None, **_: went.append((name, memory, response))
    )
    return went


@pytest.mark.parametrize("size", SIZES)
async def test_table_and_detail_show_the_memories_of_a_run(size: tuple[int, int], scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=size) as pilot:
        screen = await at_memories(pilot)
        totals = [row.total or 0.0 for row in screen.table.shown]
        assert totals == sorted(totals, reverse=True)
        assert screen.table.cursor == 0
        shown = screen_text(app)
        for key in keys(screen):
            assert key in shown
        assert "total▼" in shown
        assert "found by explicit in #" in shown
        selected = screen.table.selected
        assert selected is not None
        matrix = app.workspace.matrix
        assert matrix is not None
        effects = matrix.effects[matrix.keys.index(selected.key)]
        by_message = dict(zip(matrix.responses, effects, strict=True))
        assert {bar.key: bar.value for bar in screen.bars.bars} == {
            message: effect for message, effect in by_message.items() if message > selected.occurrences[0]
        }


@pytest.mark.parametrize("size", SIZES)
async def test_the_cursor_points_every_pane_at_its_memory(size: tuple[int, int], scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=size) as pilot:
        screen = await at_memories(pilot)
        assert app.workspace.memory is None
        await pilot.press("j")
        await pilot.pause()
        assert app.workspace.memory == keys(screen)[1]
        assert f" {keys(screen)[1]} " in screen_text(app).split("found by explicit")[0]
        app.workspace.select(memory="tabs")
        await pilot.pause()
        assert screen.table.selected is not None and screen.table.selected.key == "tabs"


async def test_s_sorts_and_the_order_is_kept_with_the_conversation(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_memories(pilot)
        await pilot.press("s")
        await pilot.pause()
        assert app.workspace.view.sorts["memories"] == "down net"
        best = [row.max or 0.0 for row in screen.table.shown]
        assert best == sorted(best, reverse=True)
        await pilot.press("S")
        await pilot.pause()
        assert app.workspace.view.sorts["memories"] == "up net"
        assert [row.max for row in screen.table.shown] == sorted(best)
        assert "sorted by net, from the lowest" in screen_text(app)
        for _ in range(len(screen._titles) - 2):
            await pilot.press("s")
        await pilot.pause()
        assert app.workspace.view.sorts["memories"] == "given"
        assert keys(screen) == ["tabs", "pnpm", "late"]


async def test_slash_filters_by_keys_and_texts(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_memories(pilot)
        await pilot.press("slash", *"monday")
        await pilot.pause()
        assert keys(screen) == ["late"]
        assert "Deploy on Mondays" in screen_text(app)
        await pilot.press(*"zz")
        await pilot.pause()
        assert "Nothing here has 'mondayzz'." in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert len(keys(screen)) == 3


async def test_enter_leads_to_the_response_where_it_mattered_most_or_to_the_one_chosen(
    scored_by: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_memories(pilot)
        app.workspace.select(memory="tabs")
        await pilot.pause()
        went = gone(app, monkeypatch)
        matrix = app.workspace.matrix
        assert matrix is not None
        effects = abs(matrix.effects[matrix.keys.index("tabs")])
        await pilot.press("enter")
        strongest = matrix.responses[effects.argmax()]
        assert went == [("responses", "tabs", strongest)]
        assert screen.bars.selected is not None and screen.bars.selected.key == strongest
        await pilot.press("tab", "tab", "g", "j", "enter")
        assert went[1:] == [("responses", "tabs", 5)]
        await pilot.click("#memory-bars", offset=(4, 3), times=2)
        assert went[2:] == [("responses", "tabs", 8)]


async def test_a_memory_that_did_nothing_says_so_instead(scored_by: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scored_by(FormulaEngine())
    app = console(talk(user("Hello."), assistant("Hello to you."), memory("late", "It is late."), user("Bye.")))
    async with app.run_test(size=(80, 24)) as pilot:
        await at_memories(pilot)
        went = gone(app, monkeypatch)
        assert "It comes after the last response." in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert "it mattered to no response" in screen_text(app)
        assert not went


async def test_v_puts_the_strongest_effects_first(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_memories(pilot)
        app.workspace.select(memory="tabs")
        await pilot.pause()
        assert [bar.key for bar in screen.bars.bars] == [2, 5, 8]
        await pilot.press("v")
        await pilot.pause()
        sizes = [abs(bar.value or 0.0) for bar in screen.bars.bars]
        assert sizes == sorted(sizes, reverse=True) and len(sizes) == 3
        assert "strongest first" in screen_text(app)


TWICE = "The package manager of this project is pnpm, never npm."


def doubled() -> Conversation:
    return talk(
        memory("old", TWICE),
        memory("new", TWICE + " Install with it."),
        user("Which one?"),
        assistant("pnpm is the package manager."),
        memory("old", "The package manager of this project was npm."),
        user("And before?"),
        assistant("It was npm."),
    )


@pytest.mark.parametrize("size", SIZES)
async def test_texts_that_changed_and_near_duplicates(size: tuple[int, int], scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(doubled())
    async with app.run_test(size=size) as pilot:
        screen = await at_memories(pilot)
        app.workspace.select(memory="old")
        await settled(pilot)
        assert f"text 1 of 2, from #0 on {TWICE} text 2 of 2, from #4 on" in told(screen)
        assert "was npm." in told(screen)
        assert "in #0, #4" in told(screen)
        assert "in new too: manager, never, npm, package, pnpm, project" in told(screen)
        assert "near duplicates" in screen_text(app) and "100%" in screen_text(app)
        screen.near.focus()
        await pilot.press("enter")
        await pilot.pause()
        assert app.workspace.memory == "new"
        assert screen.table.has_focus


async def test_marked_memories_are_what_is_copied_and_exported(scored_by: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    copied: list[str] = []
    monkeypatch.setattr("memscope.tui.pane.copy_text", lambda _, text: copied.append(text))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_memories(pilot)
        app.workspace.select(memory="late")
        await pilot.pause()
        await pilot.press("y")
        (exported,) = screen.exports()
        assert copied == ["Deploy on Mondays only."]
        assert exported.name == "memories"
        assert [row.key for row in exported.build().memories] == ["tabs", "pnpm", "late"]  # type: ignore[attr-defined]

        await pilot.press("g", "space", "space")
        await pilot.pause()
        assert "2 marked" in screen_text(app)
        await pilot.press("y")
        (exported,) = screen.exports()
        assert len(copied[1].split("\n\n")) == 2
        assert exported.name == "2 memories"
        assert [row.key for row in exported.build().memories] == [row.key for row in screen.table.marked]  # type: ignore[attr-defined]
        await pilot.press("escape")
        assert not screen.table.marked


async def test_r_scores_a_memory_again(scored_by: Any) -> None:
    engine = FormulaEngine()
    scored_by(engine)
    app = console(office())
    async with app.run_test(size=(120, 36)) as pilot:
        await at_memories(pilot)
        before = engine.calls
        await pilot.press("j", "r")
        await settled(pilot)
        assert engine.calls == before + 1
        assert app.workspace.phase == "done"


async def test_what_failed_says_why_and_is_tried_again(scored_by: Any) -> None:
    broken = FormulaEngine(before=fails_without("Install packages"))
    scored_by(broken)
    app = console(office())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_memories(pilot)
        app.workspace.select(memory="pnpm")
        await settled(pilot)
        assert keys(screen)[-1] == "pnpm"
        assert "could not be scored: the server refuses to go without" in told(screen)
        assert [bar.text for bar in screen.bars.bars] == ["×", "×"]
        assert "error" in screen._titles
        broken._before = None
        await pilot.press("R")
        await settled(pilot)
        assert "error" not in screen._titles
        assert "refuses" not in told(screen)
        assert screen.table.selected is not None and screen.table.selected.key == "pnpm"


async def test_a_memory_some_of_whose_cells_failed_says_which_and_that_it_is_partial(scored_by: Any) -> None:
    scored_by(FormulaEngine(after=cut_otherwise_without("Indent with tabs.", 1)))
    app = console(office())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_memories(pilot)
        app.workspace.select(memory="tabs")
        await settled(pilot)
        assert "1 effect could not be measured: retokenised" in told(screen)
        assert "R tries again" not in told(screen)
        assert [bar.text == "×" for bar in screen.bars.bars] == [False, True, False]
        assert "partial" in screen_text(app)


async def test_rows_fill_while_the_run_goes_on_and_do_not_jump(scored_by: Any) -> None:
    with Gate(through=2) as gate:
        scored_by(FormulaEngine(before=gate, concurrency=1))
        app = console(office())
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await pilot.press("3")
            screen = app.screen
            assert isinstance(screen, MemoriesScreen)
            assert gate.reached.wait(10)
            app.workspace.tick()
            await pilot.pause()
            assert keys(screen) == ["tabs", "pnpm", "late"]
            known = {row.key for row in screen.table.shown if row.total is not None}
            assert known == {"tabs"}
            app.workspace.select(memory="late")
            await pilot.pause()
            assert [bar.text for bar in screen.bars.bars] == ["…"]
            app.workspace.select(memory="tabs")
            await pilot.pause()
            await pilot.press("j", "r")
            await pilot.pause()
            assert "a run is under way" in screen_text(app)
            gate.open()
            await settled(pilot)
            totals = [row.total or 0.0 for row in screen.table.shown]
            assert totals == sorted(totals, reverse=True)
            assert screen.table.selected is not None and screen.table.selected.key == "pnpm"


async def test_the_threshold_changes_what_counts(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office())
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_memories(pilot)
        assert any(row.responses for row in screen.table.shown)
        app.workspace.look(threshold=1000.0)
        await settled(pilot)
        assert not any(row.responses for row in screen.table.shown)
        assert all(bar.dim for bar in screen.bars.bars)


@pytest.mark.parametrize("size", SIZES)
async def test_a_conversation_without_memories_says_where_to_go(size: tuple[int, int]) -> None:
    app = console(talk(user("Hello."), assistant("Hello.")))
    async with app.run_test(size=size) as pilot:
        screen = await at_memories(pilot)
        shown = screen_text(app)
        assert "No memory was found in this conversation." in shown
        assert "1 shows where was searched" in shown
        assert screen.copied() is None
        await pilot.press("j", "enter", "space", "s", "S", "v", "r", "G")
        await settled(pilot)


async def test_a_failed_baseline_says_why(scored_by: Any) -> None:
    def refuse(*_: object) -> None:
        from memscope.base.errors import EngineError

        raise EngineError("the server is out of memory")

    scored_by(FormulaEngine(before=refuse))
    app = console(office())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_memories(pilot)
        assert keys(screen) == ["tabs", "pnpm", "late"]
        assert "the server is out of memory" in told(screen)


async def test_hostile_texts_are_shown_and_do_nothing(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(talk(memory(EVIL, EVIL), user(EVIL), assistant(EVIL), memory("b" + EVIL, EVIL), assistant(EVIL)))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_memories(pilot)
        await pilot.press("j", "space", "tab", "j", "tab", "j", "tab", "j")
        await settled(pilot)
        shown = screen_text(app)
        assert "\x1b" not in shown and "\x07" not in shown
        assert "[/red]" in shown
        assert screen.copied() == EVIL


async def test_ascii_signs_where_the_settings_ask_for_them(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office(), glyphs="ascii")
    async with app.run_test(size=(120, 36)) as pilot:
        await at_memories(pilot)
        assert "totalv" in screen_text(app)
        assert not set("▲▼█▒▏▎▍▌▋▊▉▁▂▃▄▅▆▇") & set(screen_text(app))
