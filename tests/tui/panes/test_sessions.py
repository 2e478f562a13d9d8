"""The Sessions pane: what it shows of a ranking, how rows are found, looked into and sent on, and how it fills."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from memscope.actions.kept import Kept
from memscope.actions.sessions import Ranking, filter_fields, totals
from memscope.base.clock import set_clock
from memscope.base.errors import Cancelled, SourceError
from memscope.base.job import Job, Progress
from memscope.reports.sessions import LEGEND
from memscope.sessions.facts import Evidence
from memscope.sessions.ranked import Place, RankedSession
from memscope.tui import app as app_module
from memscope.tui.app import MemscopeApp
from memscope.tui.dialogs.export import Export
from memscope.tui.panes.sessions import scanning
from memscope.tui.panes.sessions.detail import SessionDetail
from memscope.tui.panes.sessions.filter_line import FilterLine
from memscope.tui.panes.sessions.help import HELP
from memscope.tui.panes.sessions.screen import SessionsScreen
from memscope.tui.panes.sessions.table import columns_of
from memscope.tui.progress import progress_words
from memscope.tui.widgets.line_input import LineInput
from tests.sessions.rows import FAILED, NOW, repository, session, unreadable
from tests.tui.apps import PATIENCE, SIZES, console, demo, screen_text, settled, shows

EVIL = "evil\x1b]0;PWNED\x07 \u202e[/red] [@click=app.quit]x[/]\nsecond line"
BUILD = session("/s/build.jsonl", title="Mend the build", repos=("mise",), failure=FAILED, messages=60)
LATER = session(
    "/s/later.jsonl",
    title="Mend it again",
    repos=("mise",),
    holder=(("mise", Place("/s/build.jsonl", 0)),),
    copies=(Place("/s/copy.jsonl", 0),),
)
RICH = session("/s/rich.jsonl", request="Which port?", memories=3, memory=Evidence(0, 2, 4, "port: 7741"))
COPY = session("/s/copy.jsonl", title="Mend it again", copy_of=Place("/s/later.jsonl", 0))
BROKEN = unreadable()
ROWS = (BUILD, LATER, RICH, COPY, BROKEN)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A person with a home folder of its own, on a day that does not end."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "HERMES_HOME"):
        monkeypatch.delenv(name, raising=False)
    set_clock(lambda: NOW)
    yield folder
    set_clock(None)


def ranking(rows: Sequence[RankedSession] = ROWS, scored: frozenset[Place] = frozenset()) -> Ranking:
    return Ranking((Path("/s"),), rows, totals(rows), scored)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What a scan finds, in place of a scan."""

    def find(rows: Sequence[RankedSession] = ROWS, scored: frozenset[Place] = frozenset()) -> None:
        monkeypatch.setattr(scanning, "rank_folders", lambda *_: ranking(rows, scored))

    find()
    return find


async def at_sessions(pilot: Pilot[Any]) -> SessionsScreen:
    app = pilot.app
    assert isinstance(app, MemscopeApp)
    await settled(pilot)
    app.go("sessions")
    await settled(pilot)
    assert isinstance(app.screen, SessionsScreen)
    return app.screen


def paths(screen: SessionsScreen) -> list[str]:
    return [Path(row.path).stem for row in screen.table.shown]


def here(screen: SessionsScreen) -> str:
    assert screen.table.selected is not None
    return Path(screen.table.selected.path).stem


async def filtered(pilot: Pilot[Any], words: str) -> None:
    """Filters by words, as if they were pasted."""
    await pilot.press("slash")
    line = pilot.app.screen.query_one(FilterLine).line
    line.value, line.cursor_position = words, len(words)
    await pilot.press("enter")


# What is shown.


@pytest.mark.parametrize("size", SIZES)
async def test_the_table_shows_each_session_once_and_why_the_first_is_first(
    size: tuple[int, int], found: Callable[..., None]
) -> None:
    app = console(None)
    async with app.run_test(size=size) as pilot:
        screen = await at_sessions(pilot)
        assert paths(screen) == ["build", "later", "rich", "broken"]
        shown = screen_text(app)
        for said in (
            "/s · 3 sessions, 1 with memories · 1 copy or sub-agent hidden · 1 unreadable",
            "Mend the build",
            "Which port?",
            "broken.jsonl: this",
            "recency 3",
            "repo_unique 5",
            "→ the first session of mise",
        ):
            assert said in shown, said
        assert "Process exited" in shown


async def test_on_a_small_screen_there_is_room_for_ten_rows_and_the_detail_grows_when_one_reads_it(
    found: Callable[..., None],
) -> None:
    found([session(f"/s/{n}.jsonl", title=f"number {n}", repos=("r",)) for n in range(40)])
    app = console(None)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_sessions(pilot)
        assert len(screen.table.visible_rows) >= 10
        await pilot.press("slash", "n", "enter")
        await settled(pilot)
        assert len(screen.table.visible_rows) >= 10
        low = screen.detail.size.height
        await pilot.press("tab")
        await settled(pilot)
        assert screen.detail.has_focus
        assert screen.detail.size.height > low
        assert len(screen.table.visible_rows) >= 3


async def test_what_was_scored_has_a_column(found: Callable[..., None]) -> None:
    found(scored=frozenset([RICH.place]))
    app = console(None)
    async with app.run_test(size=(160, 45)) as pilot:
        await at_sessions(pilot)
        (line,) = [line for line in screen_text(app).splitlines() if "Which port?" in line and "│" in line]
        assert "scored" in line
        assert screen_text(app).count("scored") == 2 + 1  # and that a session cannot be


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_rows_are_signs_on_the_screen(size: tuple[int, int], found: Callable[..., None]) -> None:
    path = os.fsdecode(b"/s/\xff\x1b]0;PWNED\x07.jsonl")
    evidence = Evidence(0, 1, 2, EVIL)
    bad = session(path, title=EVIL, request=EVIL, repos=(EVIL,), memories=1, memory=evidence, copies=(Place(path, 7),))
    found([bad, unreadable(path + "x", EVIL)])
    app = console(None)
    async with app.run_test(size=size) as pilot:
        screen = await at_sessions(pilot)
        shown = screen_text(app)
        assert "evil␛]0;PWNED" in shown
        await pilot.press("tab", "G")
        await settled(pilot)
        shown += screen_text(app)
        assert not {"\x1b", "\x07", "\u202e", "\udcff"} & set(shown)
        await pilot.press("escape", "j")
        await settled(pilot)
        assert here(screen) == Path(path + "x").stem
        assert "evil␛" in screen_text(app)


# Which rows.


async def test_copies_come_and_go_and_so_do_sessions_without_memories(found: Callable[..., None]) -> None:
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_sessions(pilot)
        await pilot.press("c")
        assert paths(screen) == ["build", "later", "rich", "copy", "broken"]
        assert "copy: Mend it again" in screen_text(app)
        await pilot.press("c", "m")
        assert paths(screen) == ["rich"]
        assert "1 to score shown (m)" in screen_text(app)
        await pilot.press("m")
        assert paths(screen) == ["build", "later", "rich", "broken"]


async def test_where_no_session_has_memories_it_says_so_and_which_key_shows_them(found: Callable[..., None]) -> None:
    found([BUILD])
    app = console(None)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_sessions(pilot)
        await pilot.press("m")
        await settled(pilot)
        assert paths(screen) == []
        assert "m shows them all" in screen_text(app)


async def test_a_filter_holds_while_it_is_an_expression_and_escape_ends_it(found: Callable[..., None]) -> None:
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_sessions(pilot)
        await pilot.press("slash", *"mend")
        assert paths(screen) == ["build", "later"]
        screen.query_one(FilterLine).line.insert_text_at_cursor(" outcome=")
        await pilot.pause()
        assert paths(screen) == ["build", "later"]
        assert "failure   content" in screen_text(app)
        assert "nothing stands behind" not in screen_text(app)
        await pilot.press("enter")
        await shows(pilot, "nothing stands behind outcome=")
        await pilot.press(*"failure", "enter")
        assert paths(screen) == ["build"]
        assert screen.table.has_focus
        await pilot.press("slash", *"x")
        await settled(pilot)
        assert "outcome takes" in screen_text(app)
        assert paths(screen) == ["build", "later"]
        await pilot.press("escape")
        assert paths(screen) == ["build", "later", "rich", "broken"]
        await filtered(pilot, "repo=m")
        assert paths(screen) == []
        await pilot.press("slash", "tab")
        assert screen.query_one(FilterLine).line.value == "repo=mise"
        assert paths(screen) == ["build", "later"]


async def test_while_a_comparison_is_typed_the_table_stands_still(found: Callable[..., None]) -> None:
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_sessions(pilot)
        before = paths(screen)
        await pilot.press("slash")
        for letter in "score>>":
            await pilot.press(letter)
            assert paths(screen) == before, letter
        await pilot.press("enter")
        assert paths(screen) == before


async def test_where_no_row_is_left_the_detail_keeps_its_place(found: Callable[..., None]) -> None:
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_sessions(pilot)
        width = screen.table.size.width
        await filtered(pilot, "zzz")
        await settled(pilot)
        assert paths(screen) == []
        assert screen.table.size.width == width
        assert screen.detail.linked == ()


async def test_the_keys_lead_to_the_detail_where_there_is_one(found: Callable[..., None]) -> None:
    found(())
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        await at_sessions(pilot)
        assert "Next part" not in screen_text(app)
        found([BUILD])
        await pilot.press("R")
        await settled(pilot)
        assert "Next part" in screen_text(app)


async def test_what_m_leaves_has_something_to_score(found: Callable[..., None]) -> None:
    silent = session("/s/silent.jsonl", title="silent", memories=2, responses=0)
    found([RICH, silent])
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_sessions(pilot)
        screen.table.select(silent.place)
        await pilot.press("b")
        assert "this session has no responses, so there is nothing to score" in screen_text(app)
        await pilot.press("m")
        assert paths(screen) == ["rich"]


async def test_where_there_is_no_session_at_all_m_is_not_why(found: Callable[..., None]) -> None:
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_sessions(pilot)
        await pilot.press("m")
        found([unreadable("/s", "there is no such file or folder")])
        await pilot.press("R")
        await settled(pilot)
        assert paths(screen) == []
        assert "/s: there is no such file or folder" in screen_text(app)
        assert "m shows them all" not in screen_text(app)


async def test_the_help_names_every_field_of_a_filter_and_the_letters_of_the_parts(found: Callable[..., None]) -> None:
    for field in filter_fields():
        assert f"{field.name} ({field.about})" in HELP
    assert LEGEND in HELP
    app = console(None)
    async with app.run_test(size=(120, 90)) as pilot:
        await at_sessions(pilot)
        await pilot.press("question_mark")
        await shows(pilot, "repo (a repository's name)")


async def test_each_column_has_first_what_says_most_and_what_holds_no_session_last(found: Callable[..., None]) -> None:
    found([RICH, LATER, BUILD, BROKEN])
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_sessions(pilot)
        first: dict[str, str] = {}
        for column in columns_of(ranking()):
            screen.table.sort_by(column.title)
            first[column.title] = paths(screen)[0]
            if column.title != "error":
                assert paths(screen)[-1] == "broken", column.title
                await pilot.press("S")
                assert paths(screen)[-1] == "broken", column.title
        assert first["outcome"] == first["R L U O T"] == "build"
        assert first["repository"] == "later"
        assert first["error"] == "broken"
        screen.table.sort_by("date")
        await pilot.press("S")
        assert "sorted by date, oldest first" in screen_text(app)
        await pilot.press("S")
        assert "sorted by date, newest first" in screen_text(app)


async def test_a_filter_asks_for_copies_itself_or_leaves_that_to_the_key(found: Callable[..., None]) -> None:
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_sessions(pilot)
        await filtered(pilot, "again")
        assert paths(screen) == ["later"]
        await pilot.press("c")
        assert paths(screen) == ["later", "copy"]
        await pilot.press("c", "escape")
        await filtered(pilot, "copies=only")
        assert paths(screen) == ["copy"]
        await filtered(pilot, "zzz")
        await settled(pilot)
        assert "No session fits 'zzz'" in screen_text(app)


async def test_how_it_was_looked_at_is_remembered(kept: Kept, found: Callable[..., None]) -> None:
    app = console(None, kept, store=True)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_sessions(pilot)
        await pilot.press("s", "S", "c")
        await filtered(pilot, "mend")
        await pilot.press("escape")
        order = screen.table.order
        assert order == "up score"
    kept.close()
    app = console(None, Kept(kept.database), store=True)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_sessions(pilot)
        assert screen.table.order == order
        assert paths(screen)[0] == "rich"
        assert "copy" in paths(screen)
        await pilot.press("slash", "up")
        assert screen.query_one(FilterLine).line.value == "mend"


async def test_that_only_what_can_be_scored_is_shown_is_remembered_of_its_folder(
    tmp_path: Path, kept: Kept, found: Callable[..., None]
) -> None:
    app = console(None, kept, store=True)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_sessions(pilot)
        await pilot.press("m")
        assert paths(screen) == ["rich"]
    kept.close()
    app = console(None, kept := Kept(kept.database), store=True)
    app.folder = tmp_path
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        assert isinstance(app.screen, SessionsScreen)
        assert paths(app.screen) == ["build", "later", "rich", "broken"]
    kept.close()
    app = console(None, Kept(kept.database), store=True)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_sessions(pilot)
        assert paths(screen) == ["rich"]
        assert "1 to score shown (m)" in screen_text(app)
        await pilot.press("o")
        await settled(pilot)
        app.screen.query_one(LineInput).value = str(tmp_path)
        await pilot.press("enter")
        await settled(pilot)
        assert paths(screen) == ["build", "later", "rich", "broken"]


# The session under the cursor.


async def test_evidence_leads_into_the_transcript(found: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[Place, Evidence | None]] = []
    app = console(None)
    monkeypatch.setattr(app, "read_session", lambda place, evidence, *_: read.append((place, evidence)))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_sessions(pilot)
        assert "⏎ Open" in screen_text(app)
        await pilot.press("tab")
        assert "⏎ Go there" in screen_text(app)
        await pilot.press("down", "enter")
        assert read == [(BUILD.place, FAILED.evidence)]
        await pilot.press("escape")
        assert screen.table.has_focus
        await pilot.press("v")
        assert read[-1] == (BUILD.place, None)
        line = next(n for n, text in enumerate(screen_text(app).splitlines()) if "first session of mise" in text)
        await pilot.click(offset=(screen.detail.region.x + 18, line))
        await settled(pilot)
        assert read[-1] == (BUILD.place, repository("mise").evidence)
        screen.table.select(BROKEN.place)
        screen.table.focus()
        await pilot.press("v")
        assert len(read) == 3


async def test_who_has_the_bonus_and_the_copies_are_gone_to_and_escape_leads_back(found: Callable[..., None]) -> None:
    def to(words: str) -> list[str]:
        links = screen.detail.linked
        goals = [number for number, one in enumerate(links) if one.goal is not None]
        number = next(number for number in goals if words in links[number].text)
        return ["tab", *["down"] * goals.index(number), "enter"]

    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_sessions(pilot)
        await pilot.press("j")
        await settled(pilot)
        await pilot.press(*to("of mise: "))
        assert here(screen) == "build"
        await pilot.press("escape")
        await settled(pilot)
        assert here(screen) == "later"
        await pilot.press(*to("copy.jsonl"))
        await settled(pilot)
        assert here(screen) == "copy"
        await pilot.press(*to("/s/later.jsonl"))
        assert here(screen) == "later"
        assert app.screen is screen


async def test_a_row_that_is_hidden_is_gone_to_all_the_same_and_escape_brings_the_filter_back(
    found: Callable[..., None],
) -> None:
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_sessions(pilot)
        await filtered(pilot, "again")
        assert paths(screen) == ["later"]
        await pilot.press("tab", "G", "enter")
        await settled(pilot)
        assert here(screen) == "copy"
        assert paths(screen) == ["build", "later", "rich", "copy", "broken"]
        assert not screen.query_one(FilterLine).display
        await pilot.press("escape")
        await settled(pilot)
        assert (here(screen), paths(screen)) == ("later", ["later"])
        assert screen.query_one(FilterLine).display
        assert "/ again" in screen_text(app)
        await pilot.press("tab", "escape")  # from the detail to the table, and the filter stays
        await settled(pilot)
        assert screen.table.has_focus
        assert paths(screen) == ["later"]
        await pilot.press("escape")
        assert paths(screen) == ["build", "later", "rich", "broken"]


async def test_how_many_windows_there_are_is_seen_where_there_is_room(found: Callable[..., None]) -> None:
    app = console(None)
    async with app.run_test(size=(160, 45)) as pilot:
        await at_sessions(pilot)
        (titles,) = [line for line in screen_text(app).splitlines() if "outcome" in line and "score" in line][:1]
        assert "windows" in titles


async def test_a_file_without_a_session_says_why_and_is_not_opened(found: Callable[..., None]) -> None:
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_sessions(pilot)
        await pilot.press("G")
        await settled(pilot)
        assert "this file holds no JSON" in "".join(one.text for one in screen.detail.linked)
        await pilot.press("enter")
        await settled(pilot)
        assert app.screen is screen
        assert "there is nothing to open: this file holds no JSON" in screen_text(app)
        await pilot.press("b")
        assert "there is nothing to score: this file holds no JSON" in screen_text(app)


# Several at once.


async def test_the_marked_that_can_be_scored_go_to_a_batch(
    found: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[str, list[Place]]] = []
    app = console(None)

    def begin(kind: str, places: Sequence[Place], _: object, then: Callable[[], object]) -> None:
        begun.append((kind, [*places]))
        then()

    monkeypatch.setattr(app.batches, "begin", begin)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_sessions(pilot)
        await pilot.press("b")
        assert begun == []
        assert "this session has no memories, so there is nothing to score" in screen_text(app)
        await pilot.press("a")
        assert len(screen.table.marked) == 4
        await pilot.press("f")
        assert begun == [("finetune", [RICH.place])]
        assert "2 sessions without memories or a response left out" in screen_text(app)
        await pilot.press("a")
        assert screen.table.marked == []
        screen.table.select(RICH.place)
        await pilot.press("b")
        assert begun[-1] == ("matrix", [RICH.place])
        await pilot.press("space", "escape")
        assert screen.table.marked == []


async def test_paths_are_copied_and_rows_written(found: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr("memscope.tui.pane.copy_text", lambda _, text: copied.append(text))
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_sessions(pilot)
        await pilot.press("y", "space", "space", "y")
        assert copied == ["/s/build.jsonl", "/s/build.jsonl\n/s/later.jsonl"]
        (offered,) = screen.exports()
        assert offered.name == "2 sessions"
        rows = offered.build().model_dump(mode="json")
        assert [row["path"] for row in rows] == ["/s/build.jsonl", "/s/later.jsonl"]
        assert offered.view.columns(offered.build())[0].title == "score"
        await pilot.press("e")
        await settled(pilot)
        assert isinstance(app.screen, Export)


async def test_a_click_on_a_title_sorts_and_one_on_a_row_goes_there(found: Callable[..., None]) -> None:
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_sessions(pilot)
        await pilot.click("#sessions-table", offset=(4, 0))
        assert screen.table.order == "down score"
        await pilot.click("#sessions-table", offset=(4, 0))
        assert screen.table.order == "up score"
        await pilot.click("#sessions-table", offset=(30, 2))
        await settled(pilot)
        assert screen.table.cursor == 1
        assert screen.query_one(SessionDetail).linked[0].text == "Mend it again"


# How it fills.


async def test_while_rows_come_the_cursor_stays_at_the_top_or_on_the_row_it_was_put_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[Callable[[Ranking], object]] = []
    gate = threading.Event()

    def slow(_folders: object, _settings: object, _database: object, _job: Job, show: Any) -> Ranking:
        shown.append(show)
        assert gate.wait(PATIENCE)
        return ranking([RICH, BUILD, LATER, BROKEN])

    monkeypatch.setattr(scanning, "rank_folders", slow)
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        app.go("sessions")
        await shows(pilot, "The folders are being scanned")
        shown[0](ranking([LATER]))
        await shows(pilot, "Mend it again")
        screen = app.screen
        assert isinstance(screen, SessionsScreen)
        shown[0](ranking([BUILD, LATER]))
        await shows(pilot, "Mend the build")
        assert here(screen) == "build"
        await pilot.press("j", "space", "k", "j")
        shown[0](ranking([RICH, BUILD, LATER]))
        await shows(pilot, "Which port?")
        assert here(screen) == "later"
        assert [row.path for row in screen.table.marked] == [LATER.path]
        assert screen.running is not None
        app.go("matrix")
        await pilot.pause()
        gate.set()
        await settled(pilot)
        app.go("sessions")
        await settled(pilot)
        assert paths(screen) == ["rich", "build", "later", "broken"]
        assert here(screen) == "later"
        assert screen.running is None


async def test_a_scan_that_is_cancelled_leaves_what_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(_folders: object, _settings: object, _database: object, job: Job, show: Any) -> Ranking:
        job.progress(3, 10, "files")
        try:
            job.wait(PATIENCE)
        except Cancelled:
            show(ranking([BUILD]))
            raise
        raise AssertionError

    monkeypatch.setattr(scanning, "rank_folders", stopped)
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        app.go("sessions")
        await shows(pilot, "3/10 files")
        await pilot.press("x")
        await shows(pilot, "the scan was stopped")
        await settled(pilot)
        assert "Mend the build" in screen_text(app)
        assert "3/10 files" not in screen_text(app)


async def test_a_scan_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> Ranking:
        raise SourceError("there is no such folder", where="/s", do="Give one that is there.")

    monkeypatch.setattr(scanning, "rank_folders", failing)
    app = console(None)
    async with app.run_test(size=(120, 36)) as pilot:
        await at_sessions(pilot)
        assert "there is no such folder" in screen_text(app)
        assert "nothing was scanned" in screen_text(app)
        assert "looking for sessions" not in screen_text(app)


async def test_another_folder_is_asked_for_scanned_and_remembered(
    tmp_path: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Path, ...]] = []

    def note(folders: tuple[Path, ...], *_: object) -> Ranking:
        asked.append(folders)
        return Ranking(folders or (Path("/default"),), (BUILD,), totals((BUILD,)), frozenset())

    monkeypatch.setattr(scanning, "rank_folders", note)
    folder = tmp_path / "more"
    folder.mkdir()
    app = console(None, kept, store=True)
    async with app.run_test(size=(160, 36)) as pilot:
        await at_sessions(pilot)
        assert "/default · 1 session" in screen_text(app)
        await pilot.press("o")
        await settled(pilot)
        app.screen.query_one(LineInput).value = str(tmp_path / "mor")
        await pilot.press("enter")
        await settled(pilot)
        assert "there is no such folder" in screen_text(app)
        await pilot.press("right", "enter")
        await settled(pilot)
        assert asked == [(), (folder,)]
        assert f"{folder} · 1 session" in screen_text(app)
    kept.close()
    app = console(None, Kept(kept.database), store=True)
    async with app.run_test(size=(160, 36)) as pilot:
        await at_sessions(pilot)
        assert asked[2:] == [(folder,)]
        await pilot.press("o")
        await settled(pilot)
        await pilot.press("backspace", "enter")
        await settled(pilot)
        assert asked[3:] == [()]


# With files.


def transcript(folder: Path, name: str, *, title: str, memory: bool = False, replies: int = 1) -> Path:
    said: list[dict[str, Any]] = []
    if memory:
        said.append({"role": "user", "memory_key": "port", "content": "The staging server listens on port 7741."})
    for _ in range(replies):
        said += [{"role": "user", "content": "Which port?"}, {"role": "assistant", "content": "It is port 7741."}]
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"title": title, "messages": said}), encoding="utf-8")
    return path


async def test_a_folder_is_scanned_kept_and_opened_from(tmp_path: Path, kept: Kept) -> None:
    folder = tmp_path / "talks"
    transcript(folder, "one.json", title="a talk", memory=True)
    transcript(folder / "deeper", "two.json", title="a long talk", replies=30)
    (folder / "bad.json").write_text("{")
    app = console(None, kept, store=True)
    app.folder = folder
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, SessionsScreen)
        assert paths(screen) == ["two", "one", "bad"]
        assert "2 sessions, 1 with memories" in screen_text(app)
        await pilot.press("j", "enter")
        await settled(pilot)
        assert app.current_mode == "matrix"
        assert app.workspace.conversation is not None and app.workspace.conversation.title == "a talk"
        await pilot.press("escape")
        await settled(pilot)
        assert app.screen is screen
        assert here(screen) == "one"
        transcript(folder, "three.json", title="a new talk", memory=True, replies=30)
        await pilot.press("R")
        await settled(pilot)
        assert paths(screen) == ["three", "two", "one", "bad"]
        assert here(screen) == "one"
        assert "4 files: 1 read, 3 as they were" in screen_text(app)


async def test_what_the_store_keeps_is_shown_before_anything_is_read(
    tmp_path: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    from memscope.actions import scan as scan_module

    folder = tmp_path / "talks"
    transcript(folder, "one.json", title="a talk")
    app = console(None, kept, store=True)
    app.folder = folder
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
    gate, really = threading.Event(), scan_module.walk

    def slow(*arguments: Any) -> Any:
        assert gate.wait(PATIENCE)
        return really(*arguments)

    monkeypatch.setattr(scan_module, "walk", slow)
    app = console(None, kept, store=True)
    app.folder = folder
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "a talk")
        gate.set()
        await settled(pilot)
        assert "a talk" in screen_text(app)


@pytest.mark.parametrize("size", SIZES)
async def test_where_no_agent_has_left_sessions_it_says_where_it_looked(size: tuple[int, int]) -> None:
    app = console(demo())
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("5")
        await settled(pilot)
        shown = screen_text(app)
        assert "No agent has left sessions here" in shown
        assert "~/.claude/projects" in shown and "~/.codex/sessions" in shown
        assert "o scans a folder" in shown
        await pilot.press("2", "escape")
        await settled(pilot)
        assert isinstance(app.screen, SessionsScreen)
        assert app.workspace.view.pane == "responses"


async def test_leaving_while_it_is_scanned_is_immediate(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()

    def hanging(*_: object) -> Ranking:
        gate.wait(PATIENCE)
        return ranking()

    monkeypatch.setattr(scanning, "rank_folders", hanging)
    app = console(None)
    async with app.run_test(size=(80, 24)) as pilot:
        app.go("sessions")
        await shows(pilot, "The folders are being scanned")
        await pilot.press("q")
        assert not app.is_running
    gate.set()


# Pictures.


def done(show: Callable[[Ranking], None], job: Job) -> Ranking:
    return ranking()


def nothing(show: Callable[[Ranking], None], job: Job) -> Ranking:
    return ranking(())


def running(show: Callable[[Ranking], None], job: Job) -> Ranking:
    job.progress(1_200, 20_000, "files", "reading sessions, 140 MB/s")
    show(ranking(ROWS[:2]))
    job.wait(PATIENCE)
    raise Cancelled


def failed(show: Callable[[Ranking], None], job: Job) -> Ranking:
    raise SourceError("there is no such folder", where=Path("/s"), do="Name one that is there with o.")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    ("work", "keys"),
    [
        *((work, ()) for work in (nothing, running, done, failed)),
        (done, ("slash", *"scor>5")),
        (done, ("j", "space", "tab", "j")),
    ],
    ids=["empty", "running", "done", "failed", "no filter", "in the detail"],
)
def test_picture(
    snap_compare: Any, monkeypatch: pytest.MonkeyPatch, work: Any, keys: tuple[str, ...], size: tuple[int, int]
) -> None:
    monkeypatch.setattr(scanning, "rank_folders", lambda *given: work(given[-1], given[-2]))

    def at_three_seconds(name: str, told: Progress | None, _: float, **more: int) -> str:
        return progress_words(name, told, 3.0, **more)

    monkeypatch.setattr(app_module, "progress_words", at_three_seconds)

    async def come_to_rest(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, MemscopeApp)
        await settled(pilot)
        app.go("sessions")
        if work is running:
            await shows(pilot, "Mend the build")
            await pilot.pause(0.3)
            return
        await settled(pilot)
        await pilot.press(*keys)
        await settled(pilot)

    assert snap_compare(console(None), terminal_size=size, run_before=come_to_rest)
