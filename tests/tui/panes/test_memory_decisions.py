"""What the Memories pane does to memories, by its keys, at both sizes: what is decided is on disk, and what is on disk
is shown."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from memscope.actions import memory_decisions as actions
from memscope.actions.engine import Scorer
from memscope.actions.kept import Kept
from memscope.actions.open import Opening, opened
from memscope.base.clock import set_clock
from memscope.base.errors import StoreError
from memscope.base.settings import Settings, resolve
from memscope.conversation.model import Conversation
from memscope.engines.protocol import Engine
from memscope.store.database import Database
from memscope.tui.app import MemscopeApp
from memscope.tui.dialogs.pairs import PairsDialog
from memscope.tui.panes.memories.pruning import PruneDialog
from memscope.tui.panes.memories.screen import MemoriesScreen
from memscope.tui.widgets.line_input import LineInput
from memscope.tui.widgets.paragraphs import Paragraphs
from memscope.tui.widgets.rows import Sort
from tests.fakes import FormulaEngine, Gate, assistant, fails_without, memory, office, talk, true_effects, user
from tests.tui.apps import PATIENCE, SIZES, console, held_back, screen_text, settled

LONG = "says enough to stand quite alone in a unit"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    store = Database(tmp_path / "data")
    yield store
    store.close()


@pytest.fixture
def scored_by(monkeypatch: pytest.MonkeyPatch, database: Database) -> Any:
    """`scored_by(engine)`: every run of the console uses that engine, and keeps what comes of it."""

    def use(engine: Engine) -> Engine:
        monkeypatch.setattr("memscope.tui.engines.open_scorer", lambda *_: Scorer(engine, database, owned=False))
        return engine

    return use


@pytest.fixture
def clock() -> Iterator[list[float]]:
    """The time, which a test can set."""
    at = [1_700_000_000.0]
    set_clock(lambda: at[0])
    yield at
    set_clock(None)


def keeping(first: Any, database: Database | None) -> MemscopeApp:
    return console(first, Kept(database), store=database is not None)


async def at_memories(pilot: Pilot[Any]) -> MemoriesScreen:
    """The pane, once everything has landed."""
    await settled(pilot)
    await pilot.press("3")
    await settled(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, MemoriesScreen)
    return screen


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Presses keys, and waits for what comes of them."""
    await pilot.press(*keys)
    await settled(pilot)


async def point(pilot: Pilot[Any], key: str) -> None:
    app = pilot.app
    assert isinstance(app, MemscopeApp)
    app.workspace.select(memory=key)
    await settled(pilot)


def told(screen: MemoriesScreen) -> str:
    """What is said of the memory under the cursor."""
    return " ".join(" ".join(text for text, _ in screen.query_one(Paragraphs)._lines).split())


def notified(app: MemscopeApp) -> str:
    """What was said beside the screen."""
    return " ".join(note.message for note in app._notifications)


def decisions(screen: MemoriesScreen) -> dict[str, str]:
    """What the table shows."""
    return {row.key: row.decision for row in screen.table.rows if row.decision is not None}


def kept(database: Database, conversation: Conversation) -> dict[str, str]:
    """What is on disk."""
    said = actions.said_of(database, conversation)
    return {key: one.verdict for key, one in said.items() if one.verdict}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("key", "verdict"), [("d", "prune"), ("K", "keep"), ("P", "pin"), ("H", "harmful")])
async def test_a_key_decides_and_once_more_takes_it_back(
    size: tuple[int, int], key: str, verdict: str, scored_by: Any, database: Database
) -> None:
    scored_by(FormulaEngine())
    app = keeping(office(), database)
    async with app.run_test(size=size) as pilot:
        screen = await at_memories(pilot)
        assert "decision" not in screen._titles
        await point(pilot, "pnpm")
        await press(pilot, key)
        assert decisions(screen) == kept(database, office()) == {"pnpm": verdict}
        assert "decision" in screen_text(app) and verdict in screen_text(app)
        assert "u takes it back" in screen_text(app)
        about = actions.said_of(database, office())["pnpm"].about or {}
        assert about["engine"] == "formula"
        assert about["total"] == next(row.total for row in screen.table.rows if row.key == "pnpm")
        await press(pilot, key)
        assert decisions(screen) == kept(database, office()) == {}
        assert "no longer" in screen_text(app)


async def test_marked_memories_are_decided_at_once_and_undone_at_once(scored_by: Any, database: Database) -> None:
    scored_by(FormulaEngine())
    app = keeping(office(), database)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_memories(pilot)
        await point(pilot, "late")
        await press(pilot, "P")
        await press(pilot, "g", "space", "space", "space", "d")
        assert kept(database, office()) == dict.fromkeys(("tabs", "pnpm", "late"), "prune")
        assert not screen.table.marked
        await press(pilot, "u")
        assert kept(database, office()) == decisions(screen) == {"late": "pin"}
        assert "undone: to be pruned: 3 memories" in screen_text(app)
        await press(pilot, "u", "u")
        assert kept(database, office()) == {}
        assert "there is nothing to undo here" in screen_text(app)


async def test_keys_held_down_are_all_kept_in_their_order(scored_by: Any, database: Database) -> None:
    scored_by(FormulaEngine())
    app = keeping(office(), database)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_memories(pilot)
        await point(pilot, "tabs")
        await press(pilot, "d", "K", "P", "H", "K", "u", "u")
        assert decisions(screen) == {"tabs": "pin"}


async def test_a_note_is_written_shown_and_taken_back(scored_by: Any, database: Database) -> None:
    scored_by(FormulaEngine())
    app = keeping(office(), database)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_memories(pilot)
        await point(pilot, "tabs")
        await press(pilot, "w", *"old [b]", "enter")
        assert "you noted: old [b]" in told(screen) and "a note" in told(screen)
        assert [row.note for row in screen.table.rows if row.key == "tabs"] == ["old [b]"]
        await press(pilot, "w")
        assert app.screen.query_one(LineInput).value == "old [b]"
        await press(pilot, *"new", "enter")
        assert "you noted: new" in told(screen)
        await press(pilot, "u")
        assert "you noted: old [b]" in told(screen)
        await press(pilot, "w", "escape")
        assert actions.said_of(database, office())["tabs"].note == "old [b]"


async def test_decisions_are_there_after_a_restart_and_can_be_undone(
    scored_by: Any, tmp_path: Path, database: Database
) -> None:
    scored_by(FormulaEngine())
    app = keeping(office(), database)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_memories(pilot)
        await point(pilot, "tabs")
        await press(pilot, "d", "K")
        await pilot.press("P", "q")  # it is on disk though the console is left at once
    again = Database(tmp_path / "data")
    app = keeping(office(), again)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_memories(pilot)
        await point(pilot, "tabs")
        assert decisions(screen) == {"tabs": "pin"}
        await press(pilot, "u", "u")
        assert decisions(screen) == {"tabs": "prune"}
        await press(pilot, "u")
        assert decisions(screen) == {}
    again.close()


async def test_what_another_console_decides_is_shown_without_a_key(
    scored_by: Any, tmp_path: Path, database: Database
) -> None:
    scored_by(FormulaEngine())
    app, other = keeping(office(), database), Database(tmp_path / "data")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_memories(pilot)
        await point(pilot, "tabs")
        await press(pilot, "d")
        actions.decide(other, office(), ["tabs"], "keep")
        actions.decide(other, office(), ["late"], "pin", note="theirs")
        patience = time.monotonic() + PATIENCE
        while decisions(screen) != {"tabs": "keep", "late": "pin"}:
            assert time.monotonic() < patience, decisions(screen)
            await asyncio.sleep(0.05)
            await settled(pilot)
        await press(pilot, "u")  # undoes the latest step, whoever made it
        assert kept(database, office()) == {"tabs": "keep"}
    other.close()


def a_talk(folder: Path, text: str) -> Opening:
    """A conversation to be opened with a memory file."""
    (folder / "CLAUDE.md").write_text(text)
    said = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hi to you."}]
    (folder / "talk.json").write_text(json.dumps({"messages": said}))
    return Opening(folder / "talk.json", memories=(folder / "CLAUDE.md",))


async def test_an_order_by_what_was_decided_is_there_again_the_next_time(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = a_talk(tmp_path, f"- one {LONG}\n- two {LONG}\n- three {LONG}\n")
    found = opened(opening, resolve({"store": False}).settings)
    app = keeping(found, database)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_memories(pilot)
        last = screen.table.shown[-1].key
        await point(pilot, last)
        await press(pilot, "d", "s")
        while screen.table.sort is None or screen.table.sort.title != "decision":
            await press(pilot, "s")
        app.leave()
    gate = held_back(monkeypatch, actions, "said_of")
    app = keeping(found, database)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("3")
        patience = time.monotonic() + PATIENCE
        while app.workspace.phase != "done":
            assert time.monotonic() < patience
            await asyncio.sleep(0.01)
        gate.set()  # what was decided comes last
        screen = await at_memories(pilot)
        assert screen.table.sort == Sort("decision", descending=False)
        assert screen.table.shown[0].key == last
        assert screen.table.cursor == 0  # nobody has pointed at a memory


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_to_be_pruned_is_shown_as_a_diff_and_written(
    size: tuple[int, int], tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = f"# Style\n- one {LONG}\n- two {LONG}\n"
    opening = a_talk(tmp_path, text)
    app = keeping(opened(opening, resolve({"store": False}).settings), database)
    async with app.run_test(size=size) as pilot:
        await at_memories(pilot)
        await press(pilot, "D")
        assert "nothing is to be pruned" in screen_text(app)
        await point(pilot, "CLAUDE.md#style/1")
        await press(pilot, "d")
        await press(pilot, "D")
        assert isinstance(app.screen, PruneDialog)
        assert f"-- one {LONG}" in screen_text(app) and "--- a/CLAUDE.md" in screen_text(app)
        await press(pilot, "e", "enter")
        assert (tmp_path / "CLAUDE.md").read_text() == text
        tool = ["patch", "-p1"] if shutil.which("patch") else ["git", "apply"]
        subprocess.run(
            tool, cwd=tmp_path, input=(tmp_path / "prune.patch").read_bytes(), check=True, capture_output=True
        )
        assert (tmp_path / "CLAUDE.md").read_text() == f"# Style\n- two {LONG}\n"
        await press(pilot, "escape")
        await press(pilot, "D")
        shown = [one.text for one in app.screen.query_one(Paragraphs)._paragraphs]
        assert shown[0] == "# 1 memory to be removed by hand:"
        assert "has changed since it was read" in shown[2]
        await press(pilot, "e")
        assert isinstance(app.screen, PruneDialog)


async def test_a_diff_is_not_written_over_a_memory_file(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = keeping(opened(a_talk(tmp_path, f"- one {LONG}\n"), resolve({"store": False}).settings), database)
    async with app.run_test(size=(120, 36)) as pilot:
        await at_memories(pilot)
        await press(pilot, "d")
        await press(pilot, "D")
        await press(pilot, "e", *"CLAUDE.md", "enter")
        assert "what the diff is about" in notified(app)
        assert (tmp_path / "CLAUDE.md").read_text() == f"- one {LONG}\n"


@pytest.mark.parametrize("key", ["d", "u", "D", "i"])
async def test_a_store_that_is_off_is_told(key: str) -> None:
    app = keeping(office(), None)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_memories(pilot)
        await press(pilot, key)
        assert "in the store, which is off" in notified(app) and "Start" in notified(app)
        assert decisions(screen) == {}


async def test_a_store_that_cannot_be_used_says_why() -> None:
    without = Kept(None)
    without.trouble = StoreError("the store cannot be written", where="/there", do="Check its permissions.")
    app = console(office(), without)
    async with app.run_test(size=(120, 36)) as pilot:
        await at_memories(pilot)
        await press(pilot, "d")
        assert "the store cannot be written" in notified(app)


async def test_what_cannot_be_kept_is_told_and_nothing_is_shown_as_decided(
    scored_by: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored_by(FormulaEngine())
    app = keeping(office(), database)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_memories(pilot)
        await point(pilot, "late")
        await press(pilot, "K")
        database._connection.close()  # as if the disk were gone: every write fails from now on
        database._connection = sqlite3.connect(f"file:{database.path}?mode=ro", uri=True, check_same_thread=False)
        await point(pilot, "tabs")
        await press(pilot, "d", "j", "d")
        await press(pilot, "k", "d")
        assert decisions(screen) == {"late": "keep"}
        assert "tabs was not decided" in notified(app) and "the store cannot be written" in notified(app)
        assert "--no-store" not in notified(app)
        assert screen._key == "tabs"
        messages = [note.message for note in app._notifications]
        assert len(messages) == len(set(messages))
        await press(pilot, "space", "space", "d")
        assert len(screen.table.marked) == 2 and "2 memories were not decided" in notified(app)
        await press(pilot, "escape", "w", "x", "enter")
        assert "the note on " in notified(app) and " was not kept: " in notified(app)
        await press(pilot, "u")
        assert "nothing was undone: " in notified(app)


async def test_a_key_pressed_twice_takes_back_what_is_still_on_its_way(
    scored_by: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored_by(FormulaEngine())
    gate = held_back(monkeypatch, actions, "decide")
    app = keeping(office(), database)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_memories(pilot)
        await point(pilot, "tabs")
        await pilot.press("d", "d", "j", "P", "P", "P")
        assert decisions(screen) == {}  # what is shown is what is on disk
        gate.set()
        await settled(pilot)
        assert list(decisions(screen).values()) == ["pin"] and decisions(screen) == kept(database, office())
        assert "tabs" not in decisions(screen)


# A memory that worked against a response.


def at_odds() -> Conversation:
    """A conversation in which the formula gives a memory an effect below 0, and none other anything to say."""
    for number in range(50):
        found = talk(memory("rule", f"Never say number {number}."), user("Well?"), assistant("I say this: one two."))
        if true_effects(found)[0, 0] < -0.5:
            return found
    raise AssertionError("no such number")


@pytest.mark.parametrize(("key", "answer"), [("H", "it misled"), ("K", "the response disobeyed it")])
async def test_of_a_memory_and_a_response_at_odds_a_person_is_asked_which_is_right(
    key: str, answer: str, scored_by: Any, database: Database
) -> None:
    scored_by(FormulaEngine())
    app = keeping(at_odds(), database)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_memories(pilot)
        assert "It worked against #2" in told(screen)
        assert "Did the memory mislead (H), or did the response disobey it (K)?" in told(screen)
        assert "memory: Never say number" in told(screen) and "#2: I say this: one two." in told(screen)
        assert "harmful" not in told(screen)
        await press(pilot, key)
        assert f"you say: {answer}" in told(screen)
        assert "Did the memory mislead" not in told(screen)
        await press(pilot, "u")
        assert "Did the memory mislead" in told(screen)


# What is due.


@pytest.mark.parametrize("size", SIZES)
async def test_i_scores_what_is_due_and_the_weights_are_shown(
    size: tuple[int, int], scored_by: Any, database: Database, clock: list[float]
) -> None:
    scored_by(FormulaEngine())
    app = console(office(), Kept(database), store=True, cutoff=1.0)
    async with app.run_test(size=size) as pilot:
        screen = await at_memories(pilot)
        await point(pilot, "tabs")
        assert "due: never scored" in told(screen)
        await press(pilot, "i")
        assert "3 scored" in screen_text(app)
        weights = {row.key: row.weight for row in screen.table.rows}
        effects = true_effects(office())
        assert weights["tabs"] == max(0.0, effects[0].max())
        assert all(row.last_scored == "2023-11-14T22:13:20Z" for row in screen.table.rows)
        assert "weight" in screen._titles
        assert "scored 1 time, last 2023-11-1" in told(screen) and "not due" in told(screen)
        await press(pilot, "i")
        assert "0 scored" in screen_text(app)
        clock[0] += 4000
        await press(pilot, "i")
        assert "3 scored" in screen_text(app) and "scored 2 times" in told(screen)


async def test_what_is_skipped_or_fails_says_why(scored_by: Any, database: Database, clock: list[float]) -> None:
    scored_by(FormulaEngine(before=fails_without("Indent with tabs")))
    app = console(office(), Kept(database), store=True, cutoff=0.3)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_memories(pilot)
        await point(pilot, "late")
        assert "skipped: " in told(screen)
        await press(pilot, "i")
        assert "1 failed" in screen_text(app) and "refuses to go without" in screen_text(app)


async def test_another_engine_has_weights_of_its_own(
    monkeypatch: pytest.MonkeyPatch, database: Database, clock: list[float]
) -> None:
    def opened_by(settings: Settings, *_: object) -> Scorer:
        return Scorer(FormulaEngine(model=settings.model), database, owned=False)

    monkeypatch.setattr("memscope.tui.engines.open_scorer", opened_by)
    app = console(office(), Kept(database), store=True, cutoff=1.0)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_memories(pilot)
        await press(pilot, "i")
        weights = [row.weight for row in screen.table.rows]
        assert None not in weights
        usual = app.workspace.settings
        app.workspace.use(usual.model_copy(update={"model": "other"}))
        await settled(pilot)
        assert {row.weight for row in screen.table.rows} == {None}
        await point(pilot, "tabs")
        assert "due: never scored" in told(screen)
        app.workspace.use(usual)
        await settled(pilot)
        assert [row.weight for row in screen.table.rows] == weights


async def test_scoring_what_is_due_can_be_cancelled_and_keeps_what_it_has(
    scored_by: Any, database: Database, clock: list[float]
) -> None:
    engine = scored_by(FormulaEngine(concurrency=1))
    app = console(office(), Kept(database), store=True, cutoff=1.0)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_memories(pilot)
        with Gate(through=engine.calls + 2) as gate:
            engine._before = gate
            await pilot.press("i")
            assert gate.reached.wait(10)
            assert app.workspace.running is not None
            await pilot.press("x")
            gate.open()
            await settled(pilot)
        assert app.workspace.running is None
        assert [row.key for row in screen.table.rows if row.weight is not None] == ["tabs"]


# What would be, and what else there is.


@pytest.mark.parametrize("size", SIZES)
async def test_o_toggles_off_and_capital_o_shows_what_would_be(
    size: tuple[int, int], scored_by: Any, database: Database
) -> None:
    scored_by(FormulaEngine())
    app = keeping(office(), database)
    async with app.run_test(size=size) as pilot:
        screen = await at_memories(pilot)
        await point(pilot, "tabs")
        await press(pilot, "o")
        assert app.what_ifs.toggled == ("tabs",)
        assert "what-if" in screen._titles and "toggled off: O shows" in told(screen)
        await press(pilot, "o")
        assert app.what_ifs.toggled == () and "what-if" not in screen._titles
        await press(pilot, "g", "space", "space", "o")
        assert len(app.what_ifs.toggled) == 2 and not screen.table.marked
        await press(pilot, "O")
        assert app.screen.__class__.__name__ == "WhatIfScreen"
        await press(pilot, "escape")
        assert app.screen is screen


async def test_verdicts_are_shown_once_they_are_asked_for(scored_by: Any, database: Database) -> None:
    scored_by(FormulaEngine())
    app = keeping(office(), database)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_memories(pilot)
        assert "verdict" not in screen._titles
        await press(pilot, "V")
        assert "verdict" in screen._titles
        await point(pilot, "tabs")
        summary = screen.verdicts["tabs"].words()
        assert summary and f"in all: {summary}" in told(screen)
        (exported,) = screen.exports()
        rows = {row.key: row for row in exported.build().memories}  # type: ignore[attr-defined]
        assert rows["tabs"].verdict == summary


async def test_p_lists_the_pairs_and_capital_a_leads_across_conversations(scored_by: Any, database: Database) -> None:
    scored_by(FormulaEngine())
    app = keeping(office(), database)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_memories(pilot)
        await press(pilot, "p")
        assert isinstance(app.screen, PairsDialog)
        await press(pilot, "escape", "A")
        assert app.current_mode == "across"
        await press(pilot, "escape")
        assert app.screen is screen


async def test_without_memories_every_key_says_something_or_does_nothing(database: Database) -> None:
    app = keeping(talk(user("Hello."), assistant("Hello.")), database)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_memories(pilot)
        for key in ("d", "K", "P", "H", "w", "o", "O", "D", "i", "p", "u"):
            await press(pilot, key)
        assert kept(database, office()) == {}


async def test_another_conversation_has_decisions_of_its_own(scored_by: Any, database: Database) -> None:
    scored_by(FormulaEngine())
    other = talk(memory("tabs", "Indent with tabs."), memory("tea", "She likes tea."), user("Hi."), assistant("Hi."))
    app = keeping(office(), database)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_memories(pilot)
        await point(pilot, "tabs")
        await press(pilot, "d")
        await point(pilot, "late")
        await press(pilot, "P")
        app.workspace.show(app.workspace.opened.__class__(Opening(Path("other.json")), other, other, other))  # type: ignore[union-attr]
        await settled(pilot)
        assert decisions(screen) == {"tabs": "prune"}
        await press(pilot, "u")
        assert decisions(screen) == {}
        assert kept(database, office()) == {"late": "pin"}
