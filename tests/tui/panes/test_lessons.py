"""The Lessons pane: what it shows of a file that others write too, and what is written from it and taken back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from textual.pilot import Pilot

from memscope.actions import lessons as lessons_action
from memscope.actions.kept import Kept
from memscope.base.errors import SourceError
from memscope.base.job import Job
from memscope.base.settings import changed, resolve, save
from memscope.tui.app import MemscopeApp
from memscope.tui.dialogs.choice import Confirm
from memscope.tui.dialogs.prompt import Prompt
from memscope.tui.dialogs.whole import Whole
from memscope.tui.pane import Written
from memscope.tui.panes.lessons.choice import Choice
from memscope.tui.panes.lessons.consolidating import Consolidating
from memscope.tui.panes.lessons.dialogs import EpisodeEditor, Proposed
from memscope.tui.panes.lessons.rows import ALL, TaskRow, has_words, rows_of
from memscope.tui.panes.lessons.screen import LessonsScreen
from memscope.tui.panes.lessons.told import head_words, note_words
from memscope.tui.widgets.line_input import LineInput
from tests.clients.chat_server import ChatServer
from tests.lessons.documents import lessons_kept
from tests.tui.apps import console, held_back, screen_text, settled, shows
from tests.tui.hostile import EVIL
from tests.tui.panes.recurring import errors_of, text_of

RULES = json.dumps(["Read the log first.", "Ask before a deploy."])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memory.json"


def episode(task: str = "deploy", score: float = 0.9, **fields: Any) -> dict[str, Any]:
    return {"task_id": task, "score": score, "steps": 4, "trajectory_summary": f"Did {task} at {score}.", **fields}


def recorded(path: Path, *episodes: Mapping[str, Any]) -> None:
    """As a training run does it."""
    found = lessons_action.read_episodes(json.dumps(episodes))
    lessons_action.record(path, found, resolve({"store": False}).settings)


def some(path: Path) -> None:
    """Two tasks; of one, two rules contradict each other."""
    card = {
        "mistake_type": "early",
        "lesson": "Look before you leap.",
        "evidence": "step 3",
        "correct_decision": "look",
    }
    recorded(
        path,
        episode("deploy", 0.9, successes=["Tag the release"]),
        episode("deploy", 0.2, mistakes=["tag the release"], mistake_cards=[card]),
        episode("review", 0.6, mistakes=["Skimmed the diff"], mistake_cards=[card]),
    )


def opened(path: Path, kept: Kept | None = None, **settings: Any) -> MemscopeApp:
    return console(None, kept, lessons_file=str(path), **settings)


async def at_lessons(pilot: Pilot[Any]) -> LessonsScreen:
    app = pilot.app
    assert isinstance(app, MemscopeApp)
    await settled(pilot)
    app.go("lessons")
    await at_rest(pilot)
    assert isinstance(app.screen, LessonsScreen)
    return app.screen


async def at_rest(pilot: Pilot[Any]) -> None:
    """Settled, with what is made for the row under the cursor, and what was written read again."""
    app = pilot.app
    assert isinstance(app, MemscopeApp)
    await settled(pilot)
    while app.workspace.background.busy:
        await settled(pilot)


async def press(pilot: Pilot[Any], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await at_rest(pilot)


def said(app: MemscopeApp) -> str:
    """What stands in the status line, or over the screen where it is too long for that."""
    return f"{app._said[0]}\n{errors_of(app)}"


def tasks(screen: LessonsScreen) -> list[str]:
    return [row.title for row in screen.table.shown]


def held(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


# What is shown.


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_a_file_is_shown_with_its_tasks_totals_and_conflicts(path: Path, size: tuple[int, int]) -> None:
    some(path)
    app = opened(path)
    async with app.run_test(size=size) as pilot:
        screen = await at_lessons(pilot)
        assert tasks(screen) == [ALL, "deploy", "review"]
        shown = screen_text(app)
        for words in ("3 episodes of 2 tasks", "1 conflict (!)", "consolidation in 17 episodes", "General rules"):
            assert words in shown, words
        assert "of deploy · contradicts [AVOID] tag the release" in text_of(screen.detail.entries)
        await press(pilot, "j")
        shown = screen_text(app)
        assert "!  → [AVOID] tag the release" in shown
        assert "contradicts [WORKS] Tag the release" in shown


async def test_views_are_gone_through_by_key_and_click_and_the_block_is_one_where_there_is_no_room(path: Path) -> None:
    some(path)
    app = opened(path)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_lessons(pilot)
        await press(pilot, "j", "v")
        assert "1x  → [early] Look before you leap." in screen_text(app)
        assert "of review · evidence: step 3" in text_of(screen.detail.entries)
        await press(pilot, "v")
        entries = text_of(screen.detail.entries)
        assert entries.index("Did deploy at 0.2.") < entries.index("Did deploy at 0.9.")
        assert "review" not in entries
        await press(pilot, "v")
        assert "Context block for deploy" in screen_text(app)
        assert not screen.detail.entries.display
        await press(pilot, "enter")
        assert screen.detail.block.has_focus
        await press(pilot, "v")
        assert screen.detail.entries.has_focus
        await pilot.click("#lesson-views", offset=(14, 0))
        await at_rest(pilot)
        assert "Mistake cards, those of this task first" in screen_text(app)
        await press(pilot, "escape")
        assert screen.table.has_focus


async def test_the_block_follows_the_cursor_and_the_budget_and_tells_what_was_cut(path: Path, kept: Kept) -> None:
    some(path)
    app = opened(path, kept)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_lessons(pilot)
        assert "Context block for no task" in screen_text(app)
        await press(pilot, "j")
        assert "Rules for deploy:" in text_of(screen.detail.block)
        assert "cut" not in text_of(screen.detail.block)
        await press(pilot, "t")
        assert isinstance(app.screen, Prompt)
        app.screen.query_one(LineInput).value = "0"
        await press(pilot, "enter")
        assert "a number of tokens" in screen_text(app)
        app.screen.query_one(LineInput).value = "30"
        await press(pilot, "enter")
        assert "of 30 tokens" in screen_text(app) and "cut · t: 30" in screen_text(app)
        assert "\nrecent episodes: Score 0.20 in 4 steps: Did deploy at 0.2." in text_of(screen.detail.block)
    again = opened(path, kept)
    async with again.run_test(size=(140, 40)) as pilot:
        screen = await at_lessons(pilot)
        assert screen.budget == 30


async def test_an_entry_is_shown_as_a_whole_and_copied(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr("memscope.tui.pane.copy_text", lambda _, text: copied.append(text))
    recorded(path, episode("deploy", 0.9, successes=["word " * 200]))
    app = opened(path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_lessons(pilot)
        await press(pilot, "j", "y", "enter", "y", "enter")
        assert isinstance(app.screen, Whole)
        assert copied[0].startswith("## MEMORY FROM PAST EPISODES")
        assert copied[1] == "[WORKS] " + "word " * 200
        await press(pilot, "escape", "escape")
        assert app.screen is screen and screen.table.has_focus
        lessons, *of_the_block = screen.exports()
        assert lessons.build().tasks[0].task == "deploy"  # type: ignore[union-attr]
        assert [(one.name, one.forms) for one in of_the_block if isinstance(one, Written)] == [
            ("block", ("txt",)),
            ("context", ("json",)),
            ("cut", ("csv",)),
        ]
        for one in of_the_block:
            assert isinstance(one, Written)
            one.write(one.forms[0], path.with_suffix(f".{one.forms[0]}"), True, Job())
        assert path.with_suffix(".txt").read_text().rstrip("\n") == copied[0]
        assert path.with_suffix(".csv").read_text().startswith("section,line")


async def test_words_are_found_in_all_that_belongs_to_a_task(path: Path) -> None:
    some(path)
    app = opened(path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_lessons(pilot)
        await pilot.press("slash", *"at 0.6", "enter")
        assert tasks(screen) == ["review"]
        recorded(path, episode("other", 0.7, trajectory_summary="Asked at 0.6 of noon."))
        await press(pilot, "R")
        assert tasks(screen) == ["review", "other"]
        await press(pilot, "escape", "s")
        assert "sorted by task" in said(app)
        assert tasks(screen) == [ALL, "deploy", "other", "review"]


async def test_what_a_training_run_appends_comes_by_itself_and_the_selected_stays(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memscope.tui.panes.lessons.screen.LOOKS", 0.02)
    some(path)
    app = opened(path)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_lessons(pilot)
        screen.table.select(("review",))
        recorded(path, episode("new", 0.9), episode("review", 0.95, successes=["Read it twice"]))
        await shows(pilot, "5 episodes of 3 tasks")
        assert screen.row is not None and screen.row.name == "review"
        await shows(pilot, "[WORKS] Read it twice")
        path.write_text('{"version": 1,\n "mistakes": [')
        await shows(pilot, "unreadable (R), shown is what was before: line 2")
        assert screen.row is not None and screen.row.name == "review"
        await pilot.press("a")
        assert "nothing is written to a file that cannot be read" in said(app)
        assert path.read_text() == '{"version": 1,\n "mistakes": ['
        some(path.with_name("whole.json"))
        path.with_name("whole.json").replace(path)
        await shows(pilot, "3 episodes of 2 tasks")


async def test_a_file_that_is_none_says_so_and_is_left_alone(path: Path) -> None:
    path.write_text("[1,\n2")
    app = opened(path)
    async with app.run_test(size=(80, 24)) as pilot:
        await at_lessons(pilot)
        assert "line 2: this is no JSON" in screen_text(app)
        await press(pilot, "R", "c", "a", "u")
        assert app.screen.query("#lessons-table")
        assert "Repair it" in errors_of(app)
    assert path.read_text() == "[1,\n2"
    assert list(path.parent.glob("memory*")) == [path]


async def test_a_name_that_no_file_can_have_is_an_error(tmp_path: Path) -> None:
    app = opened(tmp_path / ("x" * 400))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_lessons(pilot)
        await press(pilot, "a", "c")
        assert app.screen is screen
        assert "unreadable (R): " in screen_text(app)


async def test_hostile_text_is_shown_as_signs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = EVIL.replace("\ud83d", "")
    card = {"mistake_type": evil, "lesson": evil, "evidence": evil, "worker_id": evil, "bad_decision": evil}
    recorded(path, episode(evil, 0.1, trajectory_summary=evil, mistakes=[evil], mistake_cards=[card]))
    document = held(path)
    document["task_rules"][evil].append(f"[WORKS] {evil}")
    document["global_rules"] = [evil]
    document["mistakes"].append(7)
    path.write_text(json.dumps(document))
    app = opened(path)
    async with app.run_test(size=(140, 40)) as pilot:
        await at_lessons(pilot)
        assert "1 entry ignored" in screen_text(app)
        for keys in (["j"], ["v"], ["v"], ["v", "enter", "enter"], ["escape", "a"]):
            await press(pilot, *keys)
            assert not {"\x1b", "\x9b", "\u202e", "\x07"} & set(screen_text(app))


# Which file.


async def test_another_file_is_opened_and_kept_and_the_first_episode_makes_it(
    path: Path, tmp_path: Path, kept: Kept
) -> None:
    some(path)
    save("lessons_file", str(path))
    other = tmp_path / "sub" / "other.json"
    app = console(None, kept)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_lessons(pilot)
        await press(pilot, "o")
        app.screen.query_one(LineInput).value = str(tmp_path)
        await press(pilot, "enter")
        assert "this is a folder" in screen_text(app)
        app.screen.query_one(LineInput).value = str(other)
        await press(pilot, "enter")
        assert "a records an episode" in screen_text(app)
        assert not screen.detail.display
        await type_episode(pilot, json.dumps(episode("first", 0.5)))
        assert held(other)["total_episodes"] == 1
        assert tasks(screen) == [ALL, "first"]
        other.unlink()
        await press(pilot, "R")
        assert "it was deleted, or moved away, since it was shown" in screen_text(app)
        await press(pilot, "u")
        assert not other.exists()
        await type_episode(pilot, json.dumps(episode("first", 0.5)))
    again = console(None, kept)
    async with again.run_test(size=(120, 36)) as pilot:
        screen = await at_lessons(pilot)
        assert tasks(screen) == [ALL, "first"]
        assert "opened with o" in screen_text(again)
        await press(pilot, "o")
        again.screen.query_one(LineInput).value = ""
        await press(pilot, "enter")
        assert tasks(screen) == [ALL, "deploy", "review"]


def test_what_is_remembered_gives_way_to_what_was_said_for_this_session(monkeypatch: pytest.MonkeyPatch) -> None:
    choice: Choice[int] = Choice("lessons_budget")
    choice.begin(77, resolve())
    assert (choice.value, choice.kept) == (77, 77)
    assert not choice.as_set(resolve().settings)
    choice.begin(77, resolve({"lessons_budget": 500}))
    assert (choice.value, choice.kept) == (None, 77)
    choice.choose(88)
    assert choice.value == 88
    later = changed(resolve(), "lessons_budget", 300)
    assert choice.as_set(later.settings) and choice.value is None and choice.kept is None
    choice.begin(77, later)
    assert choice.value is None
    monkeypatch.setenv("MEMSCOPE_LESSONS_BUDGET", "500")
    choice.begin(77, resolve())
    assert choice.value is None


# What is said of it.


@pytest.mark.parametrize("width", [20, 40, 76, 196])
def test_the_head_has_room_for_the_place_whatever_else_is_told(width: int) -> None:
    path = Path("/srv/agents/memory/with/a/long/way/agent_memory.json")
    words = head_words(path, lessons_kept(), width, chosen=True, gone=False)
    assert len(words) <= width and words.split(" · ")[0].endswith("memory.json")
    assert ("opened with o" in words) == (width >= 40)
    assert ("24 episodes" in words) == (width >= 76)


def test_what_matters_of_an_unreadable_file_stands_first() -> None:
    words = note_words(lessons_kept(), SourceError("line 85: this is no JSON (Expecting value)"), waiting=False)
    assert words.startswith("unreadable (R), shown is what was before: line 85: this is no JSON")
    assert note_words(lessons_kept(), None, waiting=True).startswith("1 conflict (!) · rules wait; c shows them")


def test_rows_that_are_no_tasks_are_told_from_those_that_are_called_like_them() -> None:
    document = lessons_kept()
    named = [task.model_copy(update={"task": name}) for task, name in zip(document.tasks, (ALL, " "), strict=True)]
    rows = rows_of(document.model_copy(update={"tasks": named}))
    assert [row.title for row in rows] == [ALL, f'"{ALL}"', "(no name)"]
    assert rows[0].told.conflicts == 1


@pytest.mark.parametrize(
    ("words", "names"),
    [("w1", ["deploy"]), ("shouted", ["deploy"]), ("whisper", ["deploy"]), ("asking", [None, "deploy", "rollback"])],
)
def test_words_are_found_wherever_the_pane_shows_them(words: str, names: list[str | None]) -> None:
    document = lessons_kept()
    told = {"task": "deploy", "worker": "w1", "bad_decision": "Shouted.", "correct_decision": "Whisper."}
    card = document.mistake_cards[0].model_copy(update=told)
    document = document.model_copy(update={"mistake_cards": [card]})
    has: Callable[[TaskRow], bool] = has_words(words, lambda: document)
    assert [row.name for row in rows_of(document) if has(row)] == names


async def test_where_nothing_is_shown_no_key_offers_anything_to_do_with_it(path: Path) -> None:
    recorded(path, episode())
    app = opened(path, compat="classic")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_lessons(pilot)
        assert {"view", "deeper", "consolidate"} <= acting(screen) and "budget" not in acting(screen)
        await pilot.press("slash", *"zzz")
        await at_rest(pilot)
        assert not {"view", "deeper", "budget"} & acting(screen)
        path.unlink()
        await press(pilot, "escape", "R")
        assert not {"view", "deeper", "budget", "consolidate"} & acting(screen)
        assert {"record", "file"} <= acting(screen)


def acting(screen: LessonsScreen) -> set[str]:
    return {active.binding.action for active in screen.active_bindings.values()}


# Recording.


async def type_episode(pilot: Pilot[Any], text: str) -> None:
    await press(pilot, "a")
    assert isinstance(pilot.app.screen, EpisodeEditor)
    pilot.app.screen.area.load_text(text)
    await at_rest(pilot)
    await press(pilot, "f2")


async def test_an_episode_is_recorded_and_taken_back(path: Path, kept: Kept) -> None:
    some(path)
    before = held(path)
    app = opened(path, kept)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_lessons(pilot)
        await press(pilot, "j", "a")
        assert '"task_id": "deploy"' in screen_text(app)
        await press(pilot, "f2")
        assert "score is null, not a number" in screen_text(app)
        await press(pilot, "escape")
        await type_episode(pilot, json.dumps([episode("deploy", 0.7), episode("new", 0.8)]))
        assert "2 episodes recorded; 5 episodes in all; u takes it back" in said(app)
        assert tasks(screen) == [ALL, "deploy", "review", "new"]
        assert screen.row is not None and screen.row.name == "deploy"
        await press(pilot, "u")
        assert "undone: the episodes that were recorded" in said(app)
        assert held(path) == before
        await press(pilot, "u")
        assert "there is nothing to undo here" in said(app)


async def test_what_others_wrote_since_is_not_undone(path: Path, kept: Kept) -> None:
    app = opened(path, kept)
    async with app.run_test(size=(120, 36)) as pilot:
        await at_lessons(pilot)
        await type_episode(pilot, json.dumps(episode()))
        recorded(path, episode("other"))
        await press(pilot, "u")
        assert "others have written to it since" in errors_of(app)
    assert held(path)["total_episodes"] == 2


async def test_an_episode_is_read_from_a_file_and_what_was_typed_stays_where_that_fails(
    path: Path, tmp_path: Path
) -> None:
    source = tmp_path / "episode.json"
    source.write_text('{"score": 2}')
    app = opened(path)
    async with app.run_test(size=(120, 36)) as pilot:
        await at_lessons(pilot)
        await type_episode(pilot, f" {source}\n")
        assert "outside 0 to 1" in errors_of(app)
        assert not path.exists()
        source.write_text(json.dumps(episode()))
        await press(pilot, "a")
        assert str(source) in screen_text(app)
        await press(pilot, "f2")
        assert "it cannot be taken back" in said(app)
        await press(pilot, "u")
        assert "nothing can be taken back: nothing is kept on disk (the setting store)" in said(app)
    assert held(path)["total_episodes"] == 1


@pytest.mark.parametrize(
    ("typed", "trouble"),
    [
        ("", "Type an episode as JSON"),
        ('{"score": 0.5', "this is no JSON"),
        ("[]", "There is no episode in it."),
        ('{"score": NaN}', "not finite"),
        ("[" * 5000, "nested too deeply"),
        ("words", "This is no JSON, which begins with"),
        ("none.json", "There is no such file."),
        ("nul\0.json", "There is no such file."),
        (f"{'x' * 400}.json", "No file can have this name."),
    ],
)
def test_what_is_wrong_with_an_episode_is_said(typed: str, trouble: str) -> None:
    from memscope.tui.panes.lessons.asking import no_episodes

    assert trouble in (no_episodes(typed) or "")


async def test_waiting_for_another_program_is_told_and_can_be_ended(path: Path, kept: Kept) -> None:
    some(path)
    before = path.read_bytes()
    app = opened(path, kept)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_lessons(pilot)
        with FileLock(path.with_name(f".{path.name}.lock")):
            await press_within(pilot, "a", json.dumps(episode()))
            await shows(pilot, "recording: waiting for another program")
            await press(pilot, "x")
            assert "recording was stopped; nothing was written" in said(app)
            assert screen.running is None
        assert path.read_bytes() == before
        await press(pilot, "a", "f2")  # what was typed is still there
    assert held(path)["total_episodes"] == 4


async def press_within(pilot: Pilot[Any], key: str, text: str) -> None:
    """Types an episode, and does not wait until it is recorded."""
    await press(pilot, key)
    assert isinstance(pilot.app.screen, EpisodeEditor)
    pilot.app.screen.area.load_text(text)
    await at_rest(pilot)
    await pilot.press("f2")


# Deriving rules.


async def test_without_a_chat_server_rules_come_from_the_scores_and_are_kept_only_on_a_word(
    path: Path, kept: Kept
) -> None:
    some(path)
    app = opened(path, kept)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_lessons(pilot)
        before = path.read_bytes()
        await press(pilot, "c")
        assert isinstance(app.screen, Proposed)
        for words in ("+ [HIGH SCORE 0.90] Did deploy at 0.9.", "It is not due yet: consolidation in 17 episodes"):
            assert words in screen_text(app), words
        await press(pilot, "enter")
        assert path.read_bytes() == before
        await press(pilot, "c", "k", "enter")
        assert "general rules from episodes with high scores: 1 added, 0 dropped; u takes it back" in said(app)
        assert held(path)["global_rules"] == ["[HIGH SCORE 0.90] Did deploy at 0.9."]
        assert "[HIGH SCORE 0.90]" in text_of(screen.detail.entries)
        recorded(path, episode("other", 0.6))
        await press(pilot, "u")
        assert "undone: the rules that were derived; others have written since" in said(app)
        assert held(path)["global_rules"] == []
        assert held(path)["total_episodes"] == 4


async def test_a_model_is_asked_once_a_person_agreed_and_again_where_its_rules_were_not_wanted(
    path: Path, kept: Kept, chat_server: Callable[..., ChatServer]
) -> None:
    some(path)
    server = chat_server("fences", words=RULES)
    app = opened(path, kept, chat_url=server.url)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_lessons(pilot)
        await press(pilot, "c")
        assert isinstance(app.screen, Confirm)
        assert f"summaries of the last 3 episodes without credentials, are sent to {server.url}" in app.screen._hint
        await press(pilot, "enter")
        assert server.chats() == []
        await press(pilot, "c", "k", "enter")
        assert "+ [CONSOLIDATED] Read the log first." in screen_text(app)
        assert "by talker: 2 would be added" in screen_text(app)
        assert "are sent to" not in errors_of(app)  # which the question said
        await press(pilot, "escape", "c")
        assert len(server.chats()) == 2
        await press(pilot, "k", "enter")
        assert "2 added" in said(app)
        assert held(path)["global_rules"][1] == "[CONSOLIDATED] Ask before a deploy."
        await press(pilot, "u")
        screen.consolidating = Consolidating(app, screen.derived, screen.refresh_bindings)  # as in another session
        await press(pilot, "c")
        assert isinstance(app.screen, Proposed)  # nothing is sent for an answer on disk, so nothing is asked
        assert len(server.chats()) == 2


async def test_where_a_model_fails_the_scores_tell_the_rules_and_why_is_said(
    path: Path, chat_server: Callable[..., ChatServer]
) -> None:
    some(path)
    app = opened(path, chat_url=chat_server("plain").url)
    async with app.run_test(size=(140, 40)) as pilot:
        await at_lessons(pilot)
        await press(pilot, "c", "k", "enter")
        assert "The chat model derived none:" in screen_text(app)
        assert "+ [HIGH SCORE 0.90]" in screen_text(app)


async def test_asking_is_cancelled_and_writes_nothing(path: Path, chat_server: Callable[..., ChatServer]) -> None:
    some(path)
    before = path.read_bytes()
    server = chat_server("never")
    app = opened(path, chat_url=server.url)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_lessons(pilot)
        await press(pilot, "c")
        await pilot.press("k", "enter")
        await shows(pilot, "asking the chat model")
        await pilot.press("c")
        assert "rules are being derived; x stops that" in said(app)
        await press(pilot, "x")
        assert "no rules are derived any more; nothing was written" in said(app)
        assert screen.running is None
    assert path.read_bytes() == before


async def test_rules_that_come_while_a_person_is_elsewhere_wait(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some(path)
    app = opened(path)
    async with app.run_test(size=(120, 36)) as pilot:
        from memscope.tui.panes.lessons import consolidating

        await at_lessons(pilot)
        gate = held_back(monkeypatch, consolidating, "propose")
        await pilot.press("c", "question_mark")
        gate.set()
        await at_rest(pilot)
        assert "rules were derived; c in Lessons shows them" in said(app)
        recorded(path, episode("other", 0.95))
        monkeypatch.setattr(consolidating, "propose", None)  # they are not derived again
        await press(pilot, "escape", "R")
        assert "rules wait; c shows them" in screen_text(app)
        await press(pilot, "c")
        assert isinstance(app.screen, Proposed)
        assert "Others have written since they were derived" in screen_text(app)


async def test_where_nothing_can_be_derived_nothing_is_written(path: Path) -> None:
    recorded(path, episode("deploy", 0.4))
    app = opened(path)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_lessons(pilot)
        await press(pilot, "c")
        assert app.screen is screen
        assert "no rules were derived, nothing was written" in said(app)
