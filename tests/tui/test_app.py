"""The console by its keys: going and coming back, finding, copying, writing, asking, and what it remembers."""

from __future__ import annotations

import csv
import gc
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input

from memscope.actions.engine import Scorer
from memscope.actions.engines import names_to_choose
from memscope.actions.kept import Kept
from memscope.actions.open import Opened, Opening, demo_opening
from memscope.base.errors import EngineError, Exit
from memscope.base.job import Job
from memscope.base.settings import SESSION, resolve
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import Renderer
from memscope.engines.protocol import Engine
from memscope.engines.score_api import sent
from memscope.store.database import Database
from memscope.store.recents import Recents
from memscope.tui.app import MemscopeApp
from memscope.tui.dialogs.choice import Confirm
from memscope.tui.dialogs.doctor import Doctor
from memscope.tui.dialogs.engine import EnginePicker
from memscope.tui.dialogs.export import Export
from memscope.tui.dialogs.help import Help
from memscope.tui.dialogs.prompt import Prompt
from memscope.tui.pane import PaneScreen
from memscope.tui.panes._start import StartScreen
from memscope.tui.start import open_console
from memscope.tui.widgets.chrome import FindLine, KeyLine, PaneBar, StatusLine
from memscope.tui.widgets.heatmap import Heatmap
from tests.engines.server import KEY, ScoreServer, score
from tests.fakes import LATE, FormulaEngine, Gate, assistant, lacks, memory, office, talk, true_effects, user
from tests.tui.apps import PATIENCE, SIZES, console, path_of, screen_text, settled, shows

SIZE = (120, 36)


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No conversations of the person who runs it, no clipboard programs, and files written where tests may."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "HERMES_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("memscope.tui.clipboard.shutil.which", lambda _: None)


@pytest.fixture
def scored_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Engine], None]:
    """`scored_by(engine)`: every run of the console uses that engine."""

    def use(engine: Engine) -> None:
        monkeypatch.setattr("memscope.tui.engines.open_scorer", lambda *_: Scorer(engine))

    return use


@pytest.fixture
def office_console(scored_by: Any) -> MemscopeApp:
    """Over the conversation of which every number is known."""
    scored_by(FormulaEngine())
    return console(office())


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Presses keys one by one, each when what the one before began is done."""
    for name in keys:
        await pilot.press(name)
        await settled(pilot)


async def type_words(pilot: Pilot[Any], words: str) -> None:
    await pilot.press(*("space" if char == " " else "full_stop" if char == "." else char for char in words))
    await pilot.pause()


def status(app: MemscopeApp) -> str:
    assert app.pane is not None
    return app.pane.query_one(StatusLine).said


def toasts(app: MemscopeApp) -> str:
    return "\n".join(notification.message for notification in app._notifications)


def talk_file(folder: Path, name: str = "talk.json", title: str = "a talk") -> Path:
    said = [
        {"role": "user", "memory_key": "port", "content": "The staging server listens on port 7741."},
        {"role": "user", "content": "Which port?"},
        {"role": "assistant", "content": "The staging server listens on port 7741."},
    ]
    return path_of(folder, name, json.dumps({"title": title, "messages": said}))


# Going.


async def test_digits_and_clicks_lead_to_panes_and_unknown_digits_nowhere(office_console: MemscopeApp) -> None:
    app = office_console
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        been = []
        for digit in "2914300":
            await press(pilot, digit)
            been.append(app.current_mode)
        assert been == ["responses", "responses", "matrix", "fine-tune", "memories", "memories", "memories"]
        bar = app.screen.query_one(PaneBar)
        assert bar.active == 3
        assert bar.panes == (
            (1, "Matrix"),
            (2, "Responses"),
            (3, "Memories"),
            (4, "Fine-tune"),
            (5, "Sessions"),
            (6, "Promotions"),
            (7, "Lessons"),
            (8, "Insights"),
        )
        await pilot.click(PaneBar, offset=(15, 0))
        await settled(pilot)
        assert app.current_mode == "responses"


@pytest.mark.parametrize("size", SIZES)
async def test_classic_mode_has_a_badge_in_every_pane_and_none_when_it_ends(size: tuple[int, int]) -> None:
    app = console(office(), compat="classic")
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        for digit in "1234":
            await press(pilot, digit)
            await settled(pilot)
            assert screen_text(app).splitlines()[0].endswith(" classic ")
        app.use(resolve({"store": False}).settings)
        await settled(pilot)
        assert "classic" not in screen_text(app).splitlines()[0]


async def test_back_leads_to_where_one_was_and_what_one_looked_at(office_console: MemscopeApp) -> None:
    app = office_console
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        app.go("responses", memory="tabs", response=5)
        await settled(pilot)
        app.go("memories", memory="pnpm")
        await settled(pilot)
        assert (app.current_mode, app.workspace.memory) == ("memories", "pnpm")
        await press(pilot, "escape")
        assert (app.current_mode, app.workspace.memory, app.workspace.response) == ("responses", "tabs", 5)
        while app.current_mode == "responses":  # what is open in it is closed first
            await press(pilot, "escape")
        assert app.current_mode == "matrix"
        await press(pilot, "escape")
        assert isinstance(app.screen, StartScreen)  # the end of the way
        await press(pilot, "escape")
        assert app.current_mode == "matrix"


async def test_the_way_back_does_not_grow_without_end(office_console: MemscopeApp) -> None:
    app = office_console
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        for number in range(200):
            app.go("matrix", memory=("tabs", "pnpm")[number % 2])
        assert len(app._trail) < 100


async def test_escape_closes_the_find_line_then_what_is_open_and_then_goes_back(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    said = [part for n in range(60) for part in (user(f"Question {n}?"), assistant(f"Answer {n}."))]
    app = console(talk(*(memory(f"fact/{n}", f"Fact number {n}.") for n in range(40)), *said))
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await press(pilot, "2", "1", "v", "slash", "a", "enter")
        heatmap, find = app.screen.query_one(Heatmap), app.screen.query_one(FindLine)

        def stood() -> tuple[bool, bool, str]:
            return find.display, heatmap.overview, app.current_mode

        assert stood() == (True, True, "matrix")
        seen = []
        for _ in range(3):
            await press(pilot, "escape")
            seen.append(stood())
        assert seen == [(False, True, "matrix"), (False, False, "matrix"), (False, False, "responses")]


async def test_an_empty_pane_leads_to_the_conversations_there_are(tmp_path: Path) -> None:
    app = console(Opening(tmp_path / "nosuch.json"))
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert "no such file" in status(app)
        assert "Esc leads to" in screen_text(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, StartScreen)
        await press(pilot, "escape")
        assert isinstance(app.screen, StartScreen)


# Finding.


async def test_a_search_acts_at_every_key_and_gives_the_focus_back(office_console: MemscopeApp) -> None:
    app = office_console
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        heatmap = app.screen.query_one(Heatmap)
        counts = []
        await press(pilot, "slash")
        assert isinstance(app.focused, Input)
        for letter in "pnp":
            await press(pilot, letter)
            counts.append(heatmap.row_count)
        assert counts[-1] == 1
        await press(pilot, "enter")
        assert app.focused is heatmap
        assert (heatmap.row_count, app.screen.query_one(FindLine).display) == (1, True)
        await press(pilot, "slash", "x", "q", "1", "question_mark")
        assert isinstance(app.focused, Input)
        assert app.focused.value == "xq1?"  # letters are letters there
        assert isinstance(app.screen, PaneScreen)
        await press(pilot, "escape")
        assert (heatmap.row_count, app.focused) == (3, heatmap)
        assert not app.screen.query_one(FindLine).display


# Copying and writing.


async def test_what_is_under_the_cursor_is_copied_as_it_is(
    office_console: MemscopeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = office_console
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert isinstance(app.screen, PaneScreen)
        expected = app.screen.copied()
        assert expected
        await press(pilot, "y")
        assert app.clipboard == expected
        assert status(app).startswith("copied: ")
        sent = []
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", sent.append)
        for text, words in [
            ("one\ntwo\x1b]0;x\x07", "copied: 2 lines"),
            ("half \ud800 a pair", "copied: half ? a pair"),
            ("", "there is nothing to copy here"),
            (None, "there is nothing to copy here"),
            ("x" * 100_001, "100001 characters are too many for a terminal's clipboard: e writes them"),
        ]:
            sent.clear()
            monkeypatch.setattr(app.screen, "copied", lambda text=text: text)
            app.screen.action_copy()
            assert status(app) == words
            assert any("]52;c;" in one for one in sent) == words.startswith("copied")
        assert app.clipboard == "half ? a pair"


async def test_a_clipboard_program_is_given_what_is_copied(
    office_console: MemscopeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, given = office_console, []
    monkeypatch.setattr("memscope.tui.clipboard.shutil.which", lambda name: name if name == "xclip" else None)
    monkeypatch.setattr("memscope.tui.clipboard._pipe", lambda command, text: given.append((command[0], len(text))))
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert isinstance(app.screen, PaneScreen)
        monkeypatch.setattr(app.screen, "copied", lambda: "x" * 200_000)
        await press(pilot, "y")
    assert given == [("xclip", 200_000)]
    assert app.clipboard == ""  # too much for the terminal


async def test_work_that_a_pane_begins_is_told_while_it_goes_on() -> None:
    app, gate = console(None), threading.Event()

    def work(job: Job) -> None:
        assert gate.wait(PATIENCE)
        job.progress(3, 7, "files")
        job.wait(PATIENCE)

    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        app.workspace.background.start("why", "looking", work, lambda _: None, lambda _: None)
        await pilot.pause()
        gate.set()
        await shows(pilot, "3/7 files")
        await pilot.press("x")
        await settled(pilot)


async def test_of_the_end_of_work_is_told_behind_all_that_it_has_told() -> None:
    app, order = console(None), list[str]()
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        task = app.workspace.background.start(
            "late", "late", lambda _: app.call_soon(order.append, "told"), lambda _: order.append("ended"), print
        )
        task.thread.join()
        app._tick()  # the clock comes before both
        await settled(pilot)
        assert order == ["told", "ended"]


async def test_a_file_that_is_gone_leaves_one_where_one_is(tmp_path: Path) -> None:
    app = console(None)
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        app.open(Opening(tmp_path / "gone.json"))
        await settled(pilot)
        assert app.current_mode == "start"
        assert "gone.json: there is no such file" in toasts(app)


async def test_the_keys_lead_to_the_next_part_where_there_is_one(office_console: MemscopeApp) -> None:
    app = office_console
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        for pane, parts in (("responses", True), ("batch", False)):
            app.go(pane)
            await settled(pilot)
            assert ("tab Next part" in screen_text(app).splitlines()[-1]) is parts


async def test_what_ends_while_the_panes_are_taken_down_is_told_to_none(
    office_console: MemscopeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, told = office_console, []
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        space = app.workspace.background
        monkeypatch.setattr(space, "ring", lambda _: None)
        monkeypatch.setattr(space, "begun", lambda: None)
        task = space.start("late", "late", lambda _: 1, told.append, told.append)
        assert task.thread is not None
        task.thread.join()
        close_all = app._close_all

        async def and_a_tick() -> None:
            await close_all()
            app._tick(task)

        monkeypatch.setattr(app, "_close_all", and_a_tick)
        app._clock.pause()
    assert told == []
    space.collect()
    assert told == [1]


@pytest.mark.parametrize(("keys", "ending"), [((), ".json"), (("j",), ".csv"), (("G",), ".svg")])
async def test_a_view_is_written_where_the_dialog_says(
    office_console: MemscopeApp, keys: tuple[str, ...], ending: str
) -> None:
    app = office_console
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await press(pilot, "e")
        assert isinstance(app.screen, Export)
        await press(pilot, *keys, "enter")
        (path,) = Path.cwd().iterdir()
        assert path.name.startswith("memscope-matrix")
        assert path.suffix == ending
        assert status(app).startswith("written: ")
        text = path.read_text()
    if ending == ".json":
        document = json.loads(text)
        assert document["schema"] == "memscope/matrix@1"
        assert [row["key"] for row in document["memories"]] == ["tabs", "pnpm", "late"]
    elif ending == ".csv":
        assert [row[0] for row in csv.reader(text.splitlines())][1:] == ["tabs", "pnpm", "late"]
    else:
        words = "".join(ElementTree.fromstring(text).itertext()).replace("\xa0", " ")
        assert "tabs" in words
        assert "Write to a file" not in words  # the picture is of what was there before the dialog


async def test_every_pane_writes_its_picture_and_a_closed_dialog_nothing(office_console: MemscopeApp) -> None:
    app = office_console
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        for number in "123":
            await press(pilot, number, "e", "escape")
            assert list(Path.cwd().iterdir()) == []
            await press(pilot, "e", "G", "enter")
            (path,) = Path.cwd().iterdir()
            assert app.panes[app.current_mode].name.lower() in path.name
            path.unlink()


async def test_what_cannot_be_written_is_told(office_console: MemscopeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app = office_console
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await press(pilot, "e", "G")
        Path.cwd().rmdir()
        await press(pilot, "enter")
        await press(pilot, "escape")
        assert "written" not in status(app)
        assert isinstance(app.screen, PaneScreen)


# Asking.


async def test_another_threshold_holds_in_every_pane(office_console: MemscopeApp) -> None:
    app = office_console
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        before = {}
        for number in "321":
            await press(pilot, number)
            before[number] = screen_text(app)
        await press(pilot, "t")
        assert isinstance(app.screen, Prompt)
        await type_words(pilot, "nan")
        await press(pilot, "enter")
        assert isinstance(app.screen, Prompt)  # not taken
        await press(pilot, "ctrl+u")
        await type_words(pilot, "64.5")
        await press(pilot, "enter")
        assert app.workspace.view.threshold == 64.5
        for number in "123":
            await press(pilot, number)
            assert screen_text(app) != before[number], number
        assert app.resolved.settings.threshold == 0.01  # it is this conversation's


async def test_help_tells_the_keys_of_the_pane_and_where_they_were_moved(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office(), keys={"matrix.strongest": "f6"})
    async with app.run_test(size=(120, 90)) as pilot:
        await settled(pilot)
        await press(pilot, "question_mark")
        assert isinstance(app.screen, Help)
        shown = screen_text(app)
        for words in ("Help: Matrix", "Every memory against every response", "Keys of this pane", "Keys everywhere"):
            assert words in shown
        line = next(line for line in shown.splitlines() if "To the next strongest cell" in line)
        assert "f6" in line
        await press(pilot, "escape")
        assert isinstance(app.screen, PaneScreen)


async def test_a_setting_is_changed_for_the_session(office_console: MemscopeApp) -> None:
    app = office_console
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        row = list(type(app.resolved.settings).model_fields).index("threshold")
        await press(pilot, "comma", *["j"] * row, "enter", "3", "enter", "escape")
        assert app.resolved.settings.threshold == app.workspace.settings.threshold == 3
        assert app.resolved.origins["threshold"] == SESSION
        assert app.workspace.view.threshold == 3
        await press(pilot, "comma", "escape")
        assert app.resolved.settings.threshold == 3


async def test_the_palette_does_what_the_keys_do(office_console: MemscopeApp) -> None:
    app = office_console
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        for opener in ("colon", "ctrl+p"):
            await press(pilot, opener)
            assert isinstance(app.screen, CommandPalette)
            await type_words(pilot, "smallest effect")
            await app.workers.wait_for_complete()
            await settled(pilot)
            await press(pilot, "down", "enter")
            assert isinstance(app.screen, Prompt)
            await press(pilot, "escape")


# Engines and runs.


def server_effects(conversation: Conversation) -> NDArray[np.float64]:
    """What the test server's scores must lead to."""
    renderer = Renderer(conversation)

    def scores(ablation: Ablation) -> NDArray[np.float64]:
        return np.array(score([sent(turn) for turn in renderer.prompt(ablation).turns]))

    effects = [scores(BASELINE) - scores(Ablation.of(memory.key)) for memory in conversation.memories]
    firsts = [memory.first for memory in conversation.memories]
    before = np.array([[message < first for message in conversation.responses] for first in firsts])
    return np.where(before, 0.0, np.array(effects))


async def test_a_server_is_chosen_and_scores_the_truth(
    score_server: Callable[..., ScoreServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = score_server()
    monkeypatch.setenv("MEMSCOPE_API_KEY", KEY)
    app = console(office(), base_url=server.url)
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert server.log("/score") == []
        embedded = app.workspace.matrix
        await press(pilot, "E")
        assert isinstance(app.screen, EnginePicker)
        assert "answers" in screen_text(app)
        asked = len(server.log("/score"))  # to find out what it is
        await press(pilot, *["j"] * names_to_choose(app.workspace.settings).index("score-api"), "enter")
        assert isinstance(app.screen, PaneScreen)
        assert app.resolved.settings.engine == "score-api"
        space = app.workspace
        assert space.phase == "done", space.state_words()
        assert space.matrix is not None
        assert space.matrix is not embedded
        assert len(server.log("/score")) - asked == 6
        assert np.array_equal(space.matrix.effects, server_effects(office()))
        assert "score-api" in screen_text(app).splitlines()[0]


async def test_where_the_engine_is_found_by_itself_the_picker_points_at_it(
    score_server: Callable[..., ScoreServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = score_server()
    monkeypatch.setenv("MEMSCOPE_API_KEY", KEY)
    app = console(office(), engine="auto", base_url=server.url)
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert app.workspace.matrix is not None
        assert np.array_equal(app.workspace.matrix.effects, server_effects(office()))
        await press(pilot, "E")
        assert isinstance(app.screen, EnginePicker)
        assert "> score-api" in screen_text(app)


async def test_the_doctor_checks_the_engine_under_the_cursor(office_console: MemscopeApp) -> None:
    app = office_console
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "E", "d")
        assert isinstance(app.screen, Doctor)
        assert "✓ engine: embedded computes in this process" in screen_text(app)
        assert "checking" not in screen_text(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, EnginePicker)


async def test_the_doctor_says_why_it_can_check_nothing(office_console: MemscopeApp) -> None:
    app = office_console
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        here = names_to_choose(app.workspace.settings).index("vllm")
        await press(pilot, "E", *["j"] * here, "d")
        assert isinstance(app.screen, Doctor)
        assert "Give --base-url" in screen_text(app)
        await press(pilot, "escape", "escape")
        assert app.workspace.phase == "done"


async def test_leaving_the_engines_as_they_are_scores_nothing(office_console: MemscopeApp) -> None:
    app = office_console
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        run = app.workspace.run
        await press(pilot, "E", "escape", "E", "enter")
        assert app.workspace.run is run
        assert app.workspace.phase == "done"


async def test_what_a_server_refused_is_scored_by_retrying(
    score_server: Callable[..., ScoreServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = score_server(FAULT="400", FAULT_UNLESS=LATE, FAULT_TIMES="1")
    monkeypatch.setenv("MEMSCOPE_API_KEY", KEY)
    app = console(office(), engine="score-api", base_url=server.url)
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert "2 failed" in status(app)
        assert "Retry" in app.screen.query_one(KeyLine).render().plain
        before = len(server.log("/score"))
        await press(pilot, "R")
        assert len(server.log("/score")) - before == 2
        assert app.workspace.run is not None
        assert app.workspace.run.missing() == ()
        assert "failed" not in status(app)
        await press(pilot, "R")
        assert len(server.log("/score")) - before == 2


async def test_requests_in_flight_are_shown(
    score_server: Callable[..., ScoreServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = score_server(LATENCY="0.3")
    monkeypatch.setenv("MEMSCOPE_API_KEY", KEY)
    app = console(office(), engine="score-api", base_url=server.url, workers=2)
    async with app.run_test(size=SIZE) as pilot:
        seen: set[str] = set()
        while app.workspace.phase != "done":
            await pilot.pause(0.02)
            seen.add(app.screen.query_one(StatusLine).progress)
        assert [words for words in seen if "2 in flight" in words]
        assert not [words for words in seen if "3 in flight" in words]


@pytest.mark.parametrize(
    ("keys", "phase", "calls"), [(["k", "enter"], "done", 6), (["enter"], "idle", 0), (["escape"], "idle", 0)]
)
async def test_a_dear_run_begins_when_a_person_says_so(scored_by: Any, keys: list[str], phase: str, calls: int) -> None:
    engine = FormulaEngine()
    scored_by(engine)
    app = console(office(), ask_above=10)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert isinstance(app.screen, Confirm)
        shown = screen_text(app)
        assert "Score this conversation?" in shown
        assert "formula: 6 scorings" in shown
        assert "ask_above" in shown
        await press(pilot, *keys)
        assert (app.workspace.phase, engine.calls) == (phase, calls)
        if phase == "idle":
            assert "not scored: E shows the cost, R scores" in status(app)
            await press(pilot, "R")
            assert (app.workspace.phase, engine.calls) == ("done", 6)
            assert not isinstance(app.screen, Confirm)


async def test_what_a_server_says_of_a_failure_is_only_text_in_the_status_line(scored_by: Any) -> None:
    def refuse(_call: int, prompt: Any) -> None:
        if lacks(prompt, LATE):
            raise EngineError("no\x1b[2J not this")

    scored_by(FormulaEngine(before=refuse))
    app = console(office())
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert "2 failed, R tries again: no␛[2J not this" in status(app)


async def test_a_run_is_cancelled_and_goes_on(scored_by: Any) -> None:
    with Gate(through=2) as gate:
        scored_by(FormulaEngine(before=gate, concurrency=1))
        app = console(office())
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            while not gate.reached.is_set():
                await pilot.pause(0.01)
            assert "/6 scorings" in app.screen.query_one(StatusLine).progress
            await press(pilot, "x")
            assert status(app).endswith("cancelled; R goes on")
            assert app.screen.query_one(StatusLine).progress == ""
            app.cancel()
            assert status(app) == "nothing runs"
            gate.open()
            await press(pilot, "R")
            assert app.workspace.matrix is not None
            assert np.array_equal(app.workspace.matrix.effects, true_effects(office()))


async def test_quitting_during_a_run_is_immediate(scored_by: Any) -> None:
    with Gate() as gate:
        scored_by(FormulaEngine(before=gate))
        app = console(office())
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            await pilot.press("q")
            await pilot.pause()
            assert not app.is_running
        assert not app.workspace.background.busy


async def test_a_key_says_that_it_has_no_answer_here_and_only_then(office_console: MemscopeApp) -> None:
    app = office_console
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        for keys in (["E", "escape"], ["comma", "escape"], ["question_mark", "escape"], ["slash", "escape"], ["2"]):
            await press(pilot, *keys)
            assert status(app).startswith("3 memories x 3 responses"), keys
        for key, words in [("x", "nothing runs"), ("R", "nothing is missing"), ("9", "there is no such pane")]:
            await press(pilot, key)
            assert status(app) == words


async def test_a_message_goes_after_some_seconds(office_console: MemscopeApp) -> None:
    app = office_console
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        app.say("\x1b]0;x\x07 said", "warning")
        assert status(app) == "␛]0;x␇ said"
        assert app.screen.query_one(StatusLine).has_class("-warning")
        app._tick()
        assert "said" in status(app)
        app._said_at -= 60
        app._tick()
        assert status(app).startswith("3 memories x 3 responses")
        assert not app.screen.query_one(StatusLine).has_class("-warning")


# What is remembered.


async def test_the_last_pane_of_a_conversation_and_the_theme_come_back(database: Database, tmp_path: Path) -> None:
    first, second = Opening(talk_file(tmp_path)), Opening(talk_file(tmp_path, "other.json"))
    app = console(first, Kept(database))
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await press(pilot, "3")
        app.theme = "nord"
        await pilot.press("q")
    for opening, pane in ((first, "memories"), (second, "matrix")):
        again = console(opening, Kept(database))
        assert again.theme == "nord"
        async with again.run_test(size=SIZE) as pilot:
            await settled(pilot)
            assert again.current_mode == pane
            assert again.workspace.phase == "done"
    assert console(office(), Kept(database), theme="gruvbox").theme == "gruvbox"  # a setting says more


@pytest.mark.parametrize("state", [{"pane": 3, "theme": ["nord"]}, {"pane": "nosuch", "theme": "nosuch"}])
async def test_what_was_remembered_wrongly_is_passed_over(database: Database, state: dict[str, Any]) -> None:
    kept = Kept(database)
    kept.keep("console", state)
    kept.close(10)
    app = console(office(), Kept(database))
    assert app.theme == console(None).theme
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert app.current_mode == "matrix"


async def test_keys_that_were_moved_act(scored_by: Any) -> None:
    scored_by(FormulaEngine())
    app = console(office(), keys={"find": "slash,f4", "quit": "f10"})
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        for opener in ("f4", "slash"):
            await press(pilot, opener)
            assert isinstance(app.focused, Input)
            await press(pilot, "escape")
        await press(pilot, "q")
        assert app.is_running
        await pilot.press("f10")
        await pilot.pause()
        assert not app.is_running


async def test_without_a_store_that_opens_the_console_works_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMSCOPE_DATA_DIR", str(path_of(tmp_path, "taken", "x")))
    opened: list[MemscopeApp] = []

    def run(app: MemscopeApp) -> None:
        opened.append(app)

    monkeypatch.setattr(MemscopeApp, "run", run)
    try:
        assert open_console(resolve({}), demo_opening()) == Exit.DONE
    finally:
        gc.enable()
    (app,) = opened
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert "nothing is kept" in toasts(app)
        assert str(tmp_path / "taken") in toasts(app)
        assert app.workspace.phase == "done"
        assert status(app).endswith("nothing is kept")
        assert "15 scorings" in status(app)


async def test_a_recent_conversation_is_opened_and_left_again(database: Database, tmp_path: Path) -> None:
    path = talk_file(tmp_path)
    Recents(database).opened(path, 0, None, "a talk")
    app = console(None, Kept(database))
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert isinstance(app.screen, StartScreen)
        await press(pilot, "enter")
        assert app.current_mode == "matrix"
        assert app.workspace.conversation is not None
        assert app.workspace.conversation.title == "a talk"
        assert app.workspace.phase == "done"
        await press(pilot, "escape")
        assert isinstance(app.screen, StartScreen)
        await press(pilot, "1")
        assert app.current_mode == "matrix"
        assert app.workspace.phase == "done"
        app.leave()


async def test_a_file_that_cannot_be_read_is_told_and_what_was_open_stays(
    office_console: MemscopeApp, tmp_path: Path
) -> None:
    app = office_console
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        app.open(Opening(path_of(tmp_path, "bad \x1b]0;x\x07.json", "{")))
        await settled(pilot)
        assert "bad ␛]0;x␇.json" in toasts(app)
        assert "tabs" in screen_text(app)
        assert app.workspace.phase == "done"


async def test_a_hostile_title_and_name_are_shown_by_signs(tmp_path: Path) -> None:
    evil = "\x1b]0;PWNED\x07 [/red] [@click=app.quit]x[/] \u202eabc"
    path = talk_file(tmp_path, "\x1b[2J [b + .json", evil)
    app = console(Opening(path))
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert app.screen.query_one(PaneBar).what.startswith("␛]0;PWNED␇ [/red] [@click=app.quit]x[/]")
        for number in "123":
            await press(pilot, number)
            assert not {"\x1b", "\x07", "\u202e"} & set(screen_text(app).replace("\n", ""))
        app.workspace.reload()
        assert app.workspace.running is not None
        await settled(pilot)
        app.say(evil)
        app.tell_error(Exception(evil))  # type: ignore[arg-type]
        await pilot.pause()
        assert not {"\x1b", "\x07", "\u202e"} & set(screen_text(app).replace("\n", ""))
        await pilot.click(PaneBar, offset=(100, 0))
        assert app.is_running


async def test_a_conversation_that_comes_while_another_pane_is_shown_is_shown_there(
    office_console: MemscopeApp,
) -> None:
    app = office_console
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await press(pilot, "3")
        assert "tabs" in screen_text(app)
        app.workspace.show(Opened(Opening(Path("none.json")), *[talk(user("Hi"))] * 3))
        await settled(pilot)
        assert "tabs" not in screen_text(app)
        await press(pilot, "1")
        assert "no response" in screen_text(app)
