"""What a person makes of a pattern in the Promotions pane, on disk and back; whatever others do meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from memscope.actions import promoting
from memscope.actions.kept import Kept
from memscope.base.errors import MemscopeError
from memscope.store.database import Database
from memscope.tui import deciding as deciding_module
from memscope.tui.dialogs.choice import Confirm
from memscope.tui.dialogs.editor import Editor
from memscope.tui.dialogs.prompt import Prompt
from memscope.tui.panes.promotions.screen import PromotionsScreen
from memscope.tui.widgets.line_input import LineInput
from tests.clients.chat_server import ChatServer
from tests.tui.apps import screen_text, shows
from tests.tui.panes.recurring import (
    RELEASE,
    TESTS,
    at_promotions,
    at_rest,
    errors_of,
    openings,
    press,
    promoting_console,
    sessions,
    signature_of,
    states,
    text_of,
)

SKILL = """---
name: fix-the-tests
description: Runs the unit tests and fixes what fails. Use when a module's tests fail.
---

# Fix the tests

1. Run them.
"""


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    found = Kept(Database(tmp_path / "store"))
    yield found
    found.close()
    assert found.database is not None
    found.database.close()


@pytest.fixture(autouse=True)
def talks(tmp_path: Path) -> Path:
    return sessions(tmp_path / "talks", TESTS, RELEASE)


@pytest.fixture
def skills(tmp_path: Path) -> Path:
    folder = tmp_path / "skills"
    folder.mkdir()
    return folder


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def counts(screen: PromotionsScreen) -> list[str]:
    assert screen.deciding is not None and screen.deciding.seen is not None
    return [row.state for row in screen.deciding.seen.document.candidates]


async def test_a_pattern_is_rejected_and_that_is_taken_back(tmp_path: Path, kept: Kept, skills: Path) -> None:
    app = promoting_console(tmp_path, kept)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_promotions(pilot)
        first, second = (row.signature for row in screen.table.shown)
        await press(pilot, "r")
        assert [row.signature for row in screen.table.shown] == [second]
        assert "1 pattern rejected; u takes that back" in screen_text(app)
        await press(pilot, "b", "b", "b", "b")
        assert [row.signature for row in screen.table.shown] == [first]
        await press(pilot, "r")
        assert "it is rejected already" in screen_text(app)
        await press(pilot, "u")
        assert "undone: rejecting it" in screen_text(app)
        assert "None is rejected" in screen_text(app)
        await press(pilot, "u")
        assert "there is nothing to undo here" in screen_text(app)
    assert files(skills) == []


async def test_the_marked_are_rejected_at_once(tmp_path: Path, kept: Kept) -> None:
    app = promoting_console(tmp_path, kept)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_promotions(pilot)
        await press(pilot, "space", "space")
        assert "2 marked: r rejects those" in screen_text(app)
        await press(pilot, "r")
        assert screen.table.shown == []
        assert "2 patterns rejected; u takes them back one by one" in screen_text(app)
        assert "No candidate is new: 2 rejected" in screen_text(app)
        await press(pilot, "u")
        assert len(screen.table.shown) == 1


async def test_a_draft_is_written_accepted_and_taken_back_step_by_step(
    tmp_path: Path, kept: Kept, skills: Path
) -> None:
    app = promoting_console(tmp_path, kept)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_promotions(pilot)
        name = screen.table.shown[0].name
        await press(pilot, "w")
        assert files(skills) == [f"_drafts/{name}/SKILL.md"]
        assert len(openings(screen)) == 1
        await press(pilot, "b", "b")
        assert states(screen) == ["draft"]
        assert text_of(screen.detail.draft).startswith(f"draft: {skills}/_drafts/{name}/SKILL.md")
        await press(pilot, "w")
        assert "it is a draft already" in screen_text(app)
        await press(pilot, "d")
        assert "it is on disk and stays as it is" in screen_text(app)
        await press(pilot, "a")
        assert files(skills) == [f"{name}/SKILL.md"]
        await press(pilot, "b", "a", "r")
        assert states(screen) == ["accepted"]
        assert "it is accepted on disk" in screen_text(app)
        await press(pilot, "u")
        assert files(skills) == [f"_drafts/{name}/SKILL.md"]
        assert "undone: accepting it" in screen_text(app)
        await press(pilot, "u")
        assert files(skills) == []
        await press(pilot, "b", "b", "b")
        assert states(screen) == ["new", "new"]


async def test_accepting_at_once_writes_the_skill_after_its_folder_was_agreed_on(tmp_path: Path, kept: Kept) -> None:
    app = promoting_console(tmp_path, kept)
    skills = tmp_path / "skills"
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_promotions(pilot)
        name = screen.table.shown[0].name
        await press(pilot, "a")
        assert isinstance(app.screen, Confirm)
        assert "skills is not there yet" in " ".join(screen_text(app).replace("│", " ").split())
        await press(pilot, "enter")
        assert not skills.exists()
        await press(pilot, "a", "k", "enter")
        assert files(skills) == [f"{name}/SKILL.md"]
        assert len(screen.table.shown) == 1


async def test_a_skill_is_named_and_a_name_that_cannot_be_is_refused(tmp_path: Path, kept: Kept, skills: Path) -> None:
    (skills / "taken").mkdir()
    (skills / "taken" / "SKILL.md").write_text("---\nname: taken\ndescription: Something else.\n---\nBody\n")
    app = promoting_console(tmp_path, kept)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_promotions(pilot)
        default = screen.table.shown[0].name
        await press(pilot, "m")
        for wrong, why in (("../up", "has other signs"), ("two--in", "two in a row"), ("taken", "there is a skill")):
            app.screen.query_one(LineInput).value = wrong
            await press(pilot, "enter")
            assert isinstance(app.screen, Prompt)
            assert why in screen_text(app), wrong
        app.screen.query_one(LineInput).value = "run-tests"
        await press(pilot, "enter")
        assert screen.table.shown[0].name == "run-tests"
        assert "_drafts/run-tests/SKILL.md" in text_of(screen.detail.draft).splitlines()[0]
        await press(pilot, "u")
        assert screen.table.shown[0].name == default
        await press(pilot, "u")
        assert files(skills) == ["taken/SKILL.md"]


async def test_messages_are_dropped_and_taken_back(tmp_path: Path, kept: Kept, skills: Path) -> None:
    app = promoting_console(tmp_path, kept)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_promotions(pilot)
        screen.table.select(signature_of(screen, "Run"))
        await press(pilot, "d")
        assert screen.detail.members.has_focus
        assert "d drops the message under the cursor here" in screen_text(app)
        await press(pilot, "j", "d")
        assert "4 messages of 4 sessions, 1 dropped" in text_of(screen.detail.members)
        assert text_of(screen.detail.members).count("(dropped) Run the unit tests") == 1
        assert "quoted from 3 messages of 3 sessions" in text_of(screen.detail.draft)
        assert screen.row is not None and screen.row.left_out == 1
        await press(pilot, "d")
        assert "(dropped)" not in text_of(screen.detail.members)
        await press(pilot, "d", "u")
        assert "(dropped)" not in text_of(screen.detail.members)
        assert files(skills) == []


async def test_a_draft_without_messages_is_not_written(tmp_path: Path, kept: Kept, skills: Path) -> None:
    app = promoting_console(tmp_path, kept)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_promotions(pilot)
        await press(pilot, "tab", "d", "j", "d", "j", "d", "j", "d")
        assert "all messages of this pattern were dropped" in text_of(screen.detail.draft)
        await press(pilot, "w")
        assert "the draft was not written: all messages of this pattern were dropped" in errors_of(app)
        await press(pilot, "c", "f", "m", "escape")
        assert files(skills) == []
        assert states(screen) == ["new", "new"]


async def test_the_text_is_changed_by_hand_and_what_is_no_skill_is_not_kept(
    tmp_path: Path, kept: Kept, skills: Path
) -> None:
    app = promoting_console(tmp_path, kept)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_promotions(pilot)
        await press(pilot, "c")
        assert isinstance(app.screen, Editor)
        app.screen.area.load_text("no frontmatter")
        await press(pilot, "f2")
        assert isinstance(app.screen, Editor)
        assert "This is no skill" in screen_text(app)
        app.screen.area.load_text(SKILL)
        await press(pilot, "f2")
        assert app.screen is screen
        assert "# Fix the tests" in text_of(screen.detail.draft)
        assert "memscope-signature" in text_of(screen.detail.draft)
        assert screen.table.shown[0].state == "new"
        await press(pilot, "w")
        assert files(skills) == ["_drafts/fix-the-tests/SKILL.md"]
        await press(pilot, "u")
        await press(pilot, "u")
        assert "undone: the text of the draft" in screen_text(app)
        assert "# Fix the tests" not in text_of(screen.detail.draft)


async def test_another_name_in_the_text_is_the_skills(tmp_path: Path, kept: Kept, skills: Path) -> None:
    app = promoting_console(tmp_path, kept)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_promotions(pilot)
        await press(pilot, "m")
        app.screen.query_one(LineInput).value = "first-name"
        await press(pilot, "enter", "c")
        assert isinstance(app.screen, Editor)
        app.screen.area.load_text(SKILL)
        await press(pilot, "f2", "w")
        assert files(skills) == ["_drafts/fix-the-tests/SKILL.md"]
        assert len(screen.table.shown) == 1


async def test_what_somebody_changed_on_disk_is_not_taken_back_and_is_what_is_shown(
    tmp_path: Path, kept: Kept, skills: Path
) -> None:
    app = promoting_console(tmp_path, kept)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_promotions(pilot)
        await press(pilot, "w", "b", "b")
        path = skills / files(skills)[0]
        path.write_text(path.read_text() + "\nBy hand.\n")
        await press(pilot, "u")
        assert "it was edited since it was written" in errors_of(app)
        assert path.read_text().endswith("By hand.\n")
        assert states(screen) == ["draft"]
        await press(pilot, "R")
        assert text_of(screen.detail.draft).rstrip().endswith("By hand.")
        await press(pilot, "a")
        assert path.parent.name in files(skills)[0]
        assert (skills / files(skills)[0]).read_text().endswith("By hand.\n")


async def test_what_is_decided_elsewhere_is_seen(
    tmp_path: Path, kept: Kept, skills: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deciding_module, "LOOKS", 0.05)
    app = promoting_console(tmp_path, kept)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_promotions(pilot)
        assert screen.deciding is not None
        run, bump = (screen.deciding.pattern(signature_of(screen, word)) for word in ("Run", "Bump"))
        other = Database(tmp_path / "store")
        promoting.reject(other, run)
        await shows(pilot, "1 rejected")
        promoting.accept(other, bump, promoting.NOTHING, skills)
        await shows(pilot, "1 accepted")
        other.close()


async def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(tmp_path: Path, kept: Kept, skills: Path) -> None:
    app = promoting_console(tmp_path, kept)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_promotions(pilot)
        name = screen.table.shown[0].name
        taken = skills / "_drafts" / name
        taken.mkdir(parents=True)
        (taken / "notes.txt").write_text("mine")
        await press(pilot, "w")
        assert "there is something else of this name" in errors_of(app)
        assert files(skills) == [f"_drafts/{name}/notes.txt"]
        assert states(screen) == ["new", "new"]
        assert screen.table.cursor == 0


@pytest.mark.parametrize("key", ["w", "a"])
async def test_a_disk_that_takes_nothing_is_told_and_nothing_is_lost(
    tmp_path: Path, kept: Kept, skills: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    def full(*_: object) -> NoReturn:
        raise MemscopeError("the disk is full", where=skills, do="Free some space; nothing was written.")

    monkeypatch.setattr(promoting.skills_folder, "write_draft", full)
    app = promoting_console(tmp_path, kept)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_promotions(pilot)
        here = screen.table.shown[0].signature
        await press(pilot, key)
        assert "the disk is full" in errors_of(app)
        assert "Free some space; nothing was written." in errors_of(app)
        assert states(screen) == ["new", "new"]
        assert screen.row is not None and screen.row.signature == here
        await press(pilot, "r")
        assert len(screen.table.shown) == 1


async def test_without_a_store_it_says_where_decisions_are_kept(tmp_path: Path, skills: Path) -> None:
    app = promoting_console(tmp_path)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_promotions(pilot)
        await press(pilot, "r")
        assert "kept in the store, which is off" in errors_of(app)
        assert states(screen) == ["new", "new"]
        await press(pilot, "R", "p")
        assert "greedy" in screen_text(app)
        assert files(skills) == []


async def test_what_is_on_disk_is_known_when_it_is_found_again(tmp_path: Path, kept: Kept, skills: Path) -> None:
    app = promoting_console(tmp_path, kept)
    async with app.run_test(size=(140, 40)) as pilot:
        await at_promotions(pilot)
        await press(pilot, "a")
    (skills / files(skills)[0]).parent.rename(skills / "moved")
    kept.close()
    app = promoting_console(tmp_path, Kept(kept.database))
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_promotions(pilot)
        assert states(screen) == ["new"]
        assert "1 accepted" in screen_text(app)


async def test_a_pattern_that_has_grown_is_no_new_one(tmp_path: Path, kept: Kept, skills: Path) -> None:
    app = promoting_console(tmp_path, kept)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_promotions(pilot)
        screen.table.select(signature_of(screen, "Run"))
        await press(pilot, "r")
        sessions(tmp_path / "talks", TESTS, RELEASE, count=5)
        await press(pilot, "R", "b")
        assert states(screen) == ["grown"]
        assert "on which was decided" in text_of(screen.detail.members)


async def test_keys_that_follow_each_other_at_once_are_all_kept(tmp_path: Path, kept: Kept, skills: Path) -> None:
    app = promoting_console(tmp_path, kept)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_promotions(pilot)
        await press(pilot, "tab")
        await pilot.press("d", "j", "d", "j", "d", "d")
        await at_rest(pilot)
        assert text_of(screen.detail.members).count("(dropped)") == 2
        await press(pilot, "escape")
        await pilot.press("r", "r", "u", "w")
        await at_rest(pilot)
        assert sorted(counts(screen)) == ["draft", "rejected"]
        assert len(files(skills)) == 1


async def test_a_name_that_is_given_while_others_are_found_is_kept(tmp_path: Path, kept: Kept, skills: Path) -> None:
    app = promoting_console(tmp_path, kept)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_promotions(pilot)
        deciding = screen.deciding
        assert deciding is not None and deciding.seen is not None
        found, signature = deciding.seen.found, screen.table.shown[0].signature
        await press(pilot, "m")
        deciding.show(replace(found, patterns=()))
        await at_rest(pilot)
        app.screen.query_one(LineInput).value = "run-tests"
        await press(pilot, "enter")
        assert screen.table.shown == []
        await press(pilot, "r", "w", "d", "v", "y", "e", "escape", "u")
        assert "there is nothing to undo here" in screen_text(app)
        deciding.show(found)
        await at_rest(pilot)
        assert deciding.said(signature).name == "run-tests"
        assert screen.table.shown[0].name == "run-tests"


# By a chat model.


async def test_a_chat_model_writes_the_draft_once_a_person_has_agreed(
    tmp_path: Path, kept: Kept, skills: Path, chat_server: Callable[..., ChatServer]
) -> None:
    server = chat_server(words=SKILL)
    app = promoting_console(tmp_path, kept, chat_url=server.url)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_promotions(pilot)
        await press(pilot, "f")
        assert isinstance(app.screen, Confirm)
        assert server.url in screen_text(app).replace("\n", "")
        assert not server.log
        await press(pilot, "enter")
        assert not server.log
        await press(pilot, "f", "k", "enter")
        assert len(server.chats()) == 1
        assert "the draft is by talker" in screen_text(app)
        assert screen.detail.draft.display
        assert "# Fix the tests" in text_of(screen.detail.draft)
        await press(pilot, "f")
        assert len(server.chats()) == 2
        await press(pilot, "u", "u")
        assert "# Fix the tests" not in text_of(screen.detail.draft)
        assert files(skills) == []


async def test_what_a_chat_model_wrote_wrong_is_told_and_nothing_is_lost(
    tmp_path: Path, kept: Kept, chat_server: Callable[..., ChatServer]
) -> None:
    server = chat_server(words="I cannot do that.")
    app = promoting_console(tmp_path, kept, chat_url=server.url)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await at_promotions(pilot)
        before = text_of(screen.detail.draft)
        await press(pilot, "f", "k", "enter")
        assert len(server.chats()) == 2
        assert "the chat model wrote no skill" in errors_of(app)
        assert text_of(screen.detail.draft).splitlines()[:5] == before.splitlines()[:5]


async def test_asking_a_chat_model_is_stopped(
    tmp_path: Path, kept: Kept, chat_server: Callable[..., ChatServer]
) -> None:
    server = chat_server("never")
    app = promoting_console(tmp_path, kept, chat_url=server.url)
    async with app.run_test(size=(140, 40)) as pilot:
        await at_promotions(pilot)
        await press(pilot, "f", "k")
        await pilot.press("enter")
        await shows(pilot, "asking the chat model")
        await pilot.press("x")
        await shows(pilot, "no draft is asked for any more")


async def test_without_a_chat_server_it_says_how_to_set_one(tmp_path: Path, kept: Kept) -> None:
    app = promoting_console(tmp_path, kept)
    async with app.run_test(size=(140, 40)) as pilot:
        await at_promotions(pilot)
        await press(pilot, "f")
        assert "no chat server is set" in screen_text(app)
