"""Memories across conversations in the console: what is kept of runs, shown, looked into and opened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from memscope.actions.engine import Scorer
from memscope.actions.kept import Kept
from memscope.actions.open import Opening
from memscope.base.errors import StoreError
from memscope.store.database import Database
from memscope.store.runs import Outcome, Runs
from memscope.tui.app import MemscopeApp
from memscope.tui.dialogs.export import Export
from memscope.tui.panes._across import AcrossScreen
from memscope.tui.panes.memories.screen import MemoriesScreen
from memscope.tui.workspace import Change
from tests.fakes import FormulaEngine, office
from tests.store.test_runs import RUN
from tests.tui.apps import SIZES, console, demo, screen_text, settled

EVIL = "evil\x1b]0;PWNED\x07\ud800 [/red] [@click=app.quit]x[/]"
UNUSED = Outcome("idle", "00", "Nobody needs this.", 18, 4, 1, 0.5, 0.5, 0.5, 0.0, 0, 0, 0.0, 0.0, 3, 0)
NEEDED = UNUSED._replace(key="useful", preview="Install with pnpm.", total=9.0, net=9.0, max=9.0, above=2, most=9.0)
TALK = {
    "messages": [
        {"role": "user", "memory_key": "port", "content": "The server listens on port 7741."},
        {"role": "user", "content": "Which port?"},
        {"role": "assistant", "content": "The server listens on port 7741."},
    ]
}


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """A store with two conversations: one memory is needed in the first, the other never."""
    found = Kept(Database(tmp_path / "data"))
    assert found.database is not None
    keep(found, "a.json", 1_700_000_000.0, UNUSED, NEEDED)
    keep(found, "b.json", 1_700_100_000.0, UNUSED)
    yield found
    found.close()
    found.database.close()


def keep(kept: Kept, file: str, time: float, *outcomes: Outcome, **other: Any) -> None:
    assert kept.database is not None
    given = {"conversation": f"/talks/{file}#0/0", "path": f"/talks/{file}", "title": file, "time": time}
    Runs(kept.database).keep(replace(RUN, **{**given, "outcomes": outcomes, **other}))


def looking(kept: Kept | None, first: Any = None, **settings: Any) -> MemscopeApp:
    return console(first, kept, **{"store": kept is not None, **settings})


async def at_across(pilot: Pilot[Any]) -> AcrossScreen:
    app = pilot.app
    assert isinstance(app, MemscopeApp)
    await settled(pilot)
    app.go("across")
    await settled(pilot)
    assert isinstance(app.screen, AcrossScreen)
    return app.screen


def words(screen: AcrossScreen) -> str:
    return str(screen.query_one("#across-words", Static).render())


@pytest.mark.parametrize("size", SIZES)
async def test_the_table_shows_what_each_memory_did_longest_unused_first(size: tuple[int, int], kept: Kept) -> None:
    app = looking(kept)
    async with app.run_test(size=size) as pilot:
        screen = await at_across(pilot)
        assert [(row.key, row.seen, row.needed, row.unused_last) for row in screen.table.shown] == [
            ("idle", 2, 0, 2),
            ("useful", 1, 1, 0),
        ]
        shown = screen_text(app)
        for said in ("2 conversations, effects above 0.01 nats · formula", "idle", "useful", "in a row▼", "needed"):
            assert said in shown
        assert "Memories across conversations" in shown


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_decided_in_the_memories_pane_is_in_the_table(
    size: tuple[int, int], kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = Scorer(FormulaEngine(), kept.database, owned=False)
    monkeypatch.setattr("memscope.tui.engines.open_scorer", lambda *_: scorer)
    app = looking(kept, office())
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        app.go("memories", memory="pnpm")
        await settled(pilot)
        await pilot.press("d")
        await settled(pilot)
        screen = await at_across(pilot)
        assert {row.key: row.decision for row in screen.table.rows if row.decision} == {"pnpm": "prune"}
        assert "decision" in screen_text(app) and "prune" in screen_text(app)


@pytest.mark.parametrize("size", SIZES)
async def test_enter_lists_where_it_was_seen_and_escape_leads_back(size: tuple[int, int], kept: Kept) -> None:
    app = looking(kept)
    async with app.run_test(size=size) as pilot:
        screen = await at_across(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert [(row.title, row.was) for row in screen.seen.shown] == [("b.json", "unused"), ("a.json", "unused")]
        shown = screen_text(app)
        for said in ("idle: Nobody needs this.", "a.json", "b.json", "was"):
            assert said in shown
        await pilot.press("escape")
        assert not screen.query_one("#across-seen").display
        assert app.screen is screen
        await pilot.press("escape")
        await settled(pilot)
        assert app.screen is not screen


async def test_enter_there_opens_the_conversation_as_it_was_scored(tmp_path: Path, kept: Kept) -> None:
    path, notes = tmp_path / "talk.json", tmp_path / "CLAUDE.md"
    path.write_text(json.dumps(TALK))
    notes.write_text("- Indent with tabs.\n")
    files = str(notes), str(tmp_path / "gone.md")
    keep(kept, "talk", 1.8e9, UNUSED, path=str(path), form="openai", memories=files, split="bullet")
    app = looking(kept)
    async with app.run_test(size=(120, 36)) as pilot:
        await at_across(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, MemoriesScreen)
        assert app.workspace.opened is not None
        assert app.workspace.opened.opening == Opening(path, "openai", 0, 0, (notes,), "bullet")
        assert "1 memory file gone and left out" in screen_text(app)
        await pilot.press("escape")
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, AcrossScreen)
        assert "port" in {row.key for row in screen.table.shown}  # it was scored


async def test_a_conversation_whose_file_is_gone_is_told_and_nothing_is_closed(kept: Kept) -> None:
    app = looking(kept)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_across(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert app.screen is screen
        assert "its file is gone: /talks/b.json" in screen_text(app)


async def test_a_run_of_the_console_is_kept_and_counted_at_once(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept.database is not None
    monkeypatch.setattr(
        "memscope.tui.engines.open_scorer", lambda *_: Scorer(FormulaEngine(), kept.database, owned=False)
    )
    app = looking(kept, office())
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_across(pilot)
        assert {row.key for row in screen.table.shown} == {"idle", "useful", "tabs", "pnpm", "late"}
        app.go("memories")
        await settled(pilot)
        await pilot.press("r")  # rescored: it is the same conversation
        await settled(pilot)
        screen = await at_across(pilot)
        assert {row.seen for row in screen.table.shown if row.key == "tabs"} == {1}


async def test_a_run_that_cannot_be_kept_is_told_and_stays(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    told: list[Change] = []
    monkeypatch.setattr(Runs, "keep", full)
    monkeypatch.setattr(
        "memscope.tui.engines.open_scorer", lambda *_: Scorer(FormulaEngine(), kept.database, owned=False)
    )
    app = looking(kept, office())
    tell = app.workspace.tell
    app.workspace.tell = lambda change: (told.append(change), tell(change))[1]
    async with app.run_test() as pilot:
        await settled(pilot)
        assert app.workspace.phase == "done"
        assert [str(change.error) for change in told if change.error is not None] == [
            "the run is not kept for totals across conversations: the disk is full"
        ]


async def test_the_demo_is_not_counted_and_an_empty_table_says_what_fills_it(tmp_path: Path) -> None:
    kept = Kept(Database(tmp_path / "data"))
    app = looking(kept, demo())
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_across(pilot)
        assert screen.table.rows == []
        shown = screen_text(app)
        assert "No conversation was scored yet" in shown
        assert "memscope memories FOLDER --score" in shown


async def test_without_a_store_it_says_so() -> None:
    app = looking(None)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_across(pilot)
        assert "Start without --no-store" in screen_text(app)
        await pilot.press("t", "e")
        assert isinstance(app.screen, AcrossScreen)


async def test_the_threshold_is_its_own_and_is_remembered(kept: Kept) -> None:
    app = looking(kept)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_across(pilot)
        await pilot.press("t")
        await pilot.pause()
        await pilot.press("1", "0", "enter")
        await settled(pilot)
        assert [(row.key, row.needed) for row in screen.table.shown] == [("idle", 0), ("useful", 0)]
        assert "effects above 10 nats" in words(screen)
        assert app.workspace.view.threshold == 0.01
        await pilot.press("s")
        sorted_by = screen.table.sort
    kept.close()
    kept = Kept(kept.database)
    app = looking(kept)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_across(pilot)
        assert "effects above 10 nats" in words(screen)
        assert screen.table.sort == sorted_by is not None


async def test_filter_sort_marks_copy_and_export(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr("memscope.tui.pane.copy_text", lambda _, text: copied.append(text))
    app = looking(kept)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_across(pilot)
        await pilot.press("slash", *"pnpm", "enter")
        await pilot.pause()
        assert [row.key for row in screen.table.shown] == ["useful"]
        await pilot.press("y")
        assert copied == ["useful"]
        (offered,) = screen.exports()
        assert [row.key for row in offered.build().memories] == ["useful"]  # type: ignore[attr-defined]
        await pilot.press("escape")
        await pilot.press("space")
        assert len(screen.table.marked) == 1
        await pilot.press("enter")
        await settled(pilot)
        assert [one.name for one in screen.exports()] == ["1 memories", "conversations"]
        await pilot.press("e")
        await pilot.pause()
        assert isinstance(app.screen, Export)


async def test_several_engines_are_told_not_to_compare(kept: Kept) -> None:
    keep(kept, "c.json", 1_700_200_000.0, NEEDED, name="vllm", model="big", url="http://x", engine=b"2")
    app = looking(kept)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_across(pilot)
        assert "Scored by formula, vllm big: nats of different engines do not compare" in words(screen)


async def test_hostile_names_are_signs_on_the_screen(kept: Kept) -> None:
    keep(kept, "c.json", 1e15, UNUSED._replace(key=EVIL, preview=EVIL), title=EVIL, path=f"/talks/{EVIL}")
    app = looking(kept)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_across(pilot)
        place = next(place for place, row in enumerate(screen.table.shown) if row.key == EVIL)
        screen.table.move_to(place)
        await pilot.press("enter")
        await settled(pilot)
        shown = screen_text(app)
        assert "\x1b" not in shown
        assert "evil␛]0;PWNED" in shown
        await pilot.press("enter")
        await settled(pilot)
        assert app.screen is screen


async def test_the_palette_leads_there(kept: Kept) -> None:
    app = looking(kept)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        await pilot.press("colon")
        await settled(pilot)
        await pilot.press(*"memories across", "enter")
        for _ in range(20):
            await settled(pilot)
        assert isinstance(app.screen, AcrossScreen)
