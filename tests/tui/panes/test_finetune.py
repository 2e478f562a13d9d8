"""The Fine-tune pane by its keys, at both sizes: what is decided is on disk, and what is on disk is shown."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import TextArea

from memscope.actions import triage
from memscope.actions.engine import Scorer
from memscope.actions.kept import Kept
from memscope.actions.open import Opening, opened
from memscope.base.errors import StoreError
from memscope.base.settings import resolve
from memscope.base.text import json_text
from memscope.conversation.model import Conversation
from memscope.conversation.native import native
from memscope.conversation.render import response_text
from memscope.engines.protocol import Engine
from memscope.store.database import Database
from memscope.tui.app import MemscopeApp
from memscope.tui.panes.finetune.screen import FinetuneScreen
from memscope.tui.widgets.bucket_line import BucketLine
from memscope.tui.widgets.line_input import LineInput
from memscope.tui.widgets.paragraphs import Paragraphs
from tests.clients.chat_server import ChatServer
from tests.fakes import (
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
from tests.tui.apps import PATIENCE, SIZES, console, demo, held_back, screen_text, settled

EVIL = "\x1b]0;PWNED\x07 [/red] [@click=app.quit]x[/]\u202e"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    store = Database(tmp_path / "data")
    yield store
    store.close()


@pytest.fixture
def scored_by(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`scored_by(engine)`: every run of the console uses that engine."""

    def use(engine: Engine) -> None:
        monkeypatch.setattr("memscope.tui.engines.open_scorer", lambda *_: Scorer(engine))

    return use


def tower(floors: int, *, memories: int = 1) -> Conversation:
    """So many responses, each of which says a code that only a memory knows."""
    codes = [f"floor {n} has the code {7919 * (n + 1) % 100_003:05d}x{n}" for n in range(floors)]
    known = [memory(f"codes-{m}", "\n".join(codes[m::memories])) for m in range(memories)]
    said = [
        one for n in range(floors) for one in (user(f"Which code has floor {n}?"), assistant(f"It is that {codes[n]}."))
    ]
    return talk(*known, *said)


async def at_finetune(pilot: Pilot[Any]) -> FinetuneScreen:
    """The pane, once everything has landed and is read."""
    await settled(pilot)
    await pilot.press("4")
    await rested(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, FinetuneScreen)
    return screen


async def rested(pilot: Pilot[Any]) -> None:
    """What the cursor asks for once it stands still has come, too."""
    screen = pilot.app.screen
    until = time.monotonic() + PATIENCE
    await settled(pilot)
    while isinstance(screen, FinetuneScreen) and (screen.detail._timer is not None or screen.detail.asking):
        assert time.monotonic() < until
        await asyncio.sleep(0.01)
    await settled(pilot)


async def press(pilot: Pilot[Any], *keys: str) -> None:
    await pilot.press(*keys)
    await settled(pilot)


async def typed(pilot: Pilot[Any], *keys: str) -> None:
    """Keys as fast as they can be told: unlike the pilot's own, none waits for what the one before it did."""
    for key in keys:
        pilot.app.post_message(events.Key(key, key))
    await settled(pilot)


def shown(screen: FinetuneScreen) -> list[int]:
    return [row.message for row in screen.table.shown]


def here(screen: FinetuneScreen) -> int | None:
    return screen.table.selected.message if screen.table.selected is not None else None


def counts(screen: FinetuneScreen) -> dict[str, int]:
    return dict(screen.query_one(BucketLine).counts)


def told(screen: FinetuneScreen) -> str:
    """What is read of the response under the cursor."""
    return " ".join(" ".join(text for text, _ in screen.query_one("#candidate-prompt", Paragraphs)._lines).split())


def on_disk(database: Database, conversation: Conversation) -> dict[int, str]:
    subjects = triage.subjects_of(conversation)
    found = triage.decided(database, list(subjects.values()))
    return {message: found[subject].bucket for message, subject in subjects.items() if subject in found}


def everything(conversation: Conversation) -> dict[int, float]:
    """What all memories together gave each response."""
    return dict(zip(conversation.responses, true_effects(conversation).sum(axis=0).tolist(), strict=True))


def notified(app: MemscopeApp) -> str:
    """Every message that pops up."""
    return " ".join(note.message for note in app._notifications)


# What it shows.


@pytest.mark.parametrize("size", SIZES)
async def test_the_candidates_of_a_run_most_dependent_first(
    size: tuple[int, int], database: Database, scored_by: Any
) -> None:
    scored_by(FormulaEngine())
    app = console(office(), Kept(database))
    async with app.run_test(size=size) as pilot:
        screen = await at_finetune(pilot)
        app.workspace.look(worth=0.0)
        await rested(pilot)
        effects = everything(office())
        above = [message for message in effects if effects[message] > 0]
        assert shown(screen) == sorted(above, key=lambda message: -effects[message])
        text = screen_text(app)
        assert f"{len(above)} undecided" in text
        assert "0 accepted" in text and "0 rejected" in text and "0 skipped" in text and f"{len(above)} all" in text
        assert "above 0 nats" in text
        assert "divergence▼" in text


@pytest.mark.parametrize("size", SIZES)
async def test_the_detail_tells_the_prompt_the_numbers_the_heat_and_the_memories(
    size: tuple[int, int], database: Database
) -> None:
    found = tower(3)
    app = console(found, Kept(database))
    async with app.run_test(size=size) as pilot:
        screen = await at_finetune(pilot)
        message = here(screen)
        row = screen.table.selected
        assert message is not None and row is not None
        assert told(screen).startswith(f"#{message}, undecided: ")
        assert f"nats, {row.per_token:.2f} a token" in told(screen)
        assert f"user: {found.messages[message - 1].text}" in told(screen)
        assert "code" in told(screen) and found.messages[0].text.splitlines()[0] not in told(screen)
        assert screen.detail.text.text == response_text(found, message)
        assert screen.detail.text.heated
        assert "heat of all memories" in screen_text(app)
        assert [bar.label for bar in screen.detail.bars.bars] == ["codes-0"]
        assert app.workspace.response == message


async def test_where_memories_stand_in_for_each_other_no_bar_is_to_be_expected(database: Database) -> None:
    twin = tower(2)
    twin = talk(twin.messages[0], memory("twin", twin.messages[0].text), *twin.messages[1:])
    app = console(twin, Kept(database))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_finetune(pilot)
        app.workspace.look(threshold=50.0)
        await rested(pilot)
        assert "None alone gave it more than 50 nats" in " ".join(screen_text(app).split())
        assert here(screen) is not None


# Deciding.


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("key", "bucket"), [("a", "accepted"), ("r", "rejected"), ("z", "skipped")])
async def test_a_key_decides_and_the_next_undecided_is_selected(
    size: tuple[int, int], key: str, bucket: str, database: Database
) -> None:
    found = tower(4)
    app = console(found, Kept(database))
    async with app.run_test(size=size) as pilot:
        screen = await at_finetune(pilot)
        first, second, third, fourth = shown(screen)
        await press(pilot, "j", key)
        assert on_disk(database, found) == {second: bucket}
        assert shown(screen) == [first, third, fourth]
        assert here(screen) == third
        assert counts(screen) == {"undecided": 3, "accepted": 0, "rejected": 0, "skipped": 0, "all": 4} | {bucket: 1}
        assert f"1 {bucket}" in screen_text(app)
        await press(pilot, "j", key)
        assert here(screen) == first  # behind the last one, from the top again
        assert on_disk(database, found) == {second: bucket, fourth: bucket}


async def test_keys_that_come_faster_than_the_disk_each_decide_one(database: Database, monkeypatch: Any) -> None:
    gate = held_back(monkeypatch, triage, "decide")
    found = tower(5)
    app = console(found, Kept(database))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_finetune(pilot)
        order = shown(screen)
        await pilot.press("a", "r", "a", "z", "a", "a", "r")  # two more than there are
        assert counts(screen)["undecided"] == 5  # what is shown is what is on disk
        gate.set()
        await settled(pilot)
        verdicts = ["accepted", "rejected", "accepted", "skipped", "accepted"]
        assert on_disk(database, found) == dict(zip(order, verdicts, strict=True))
        assert "All are decided: 3 accepted, 1 rejected, 1 skipped." in screen_text(app)
        assert "e writes the accepted as training data" in screen_text(app)


async def test_u_undoes_step_by_step_and_a_key_behind_it_means_what_came_back(
    database: Database, monkeypatch: Any
) -> None:
    found = tower(4)
    app = console(found, Kept(database))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_finetune(pilot)
        first, second, *_ = shown(screen)
        await press(pilot, "a", "r")
        await press(pilot, "u")
        assert here(screen) == second
        assert "undone: rejected" in screen_text(app)
        await press(pilot, "u")
        assert here(screen) == first
        assert on_disk(database, found) == {}
        await press(pilot, "u")
        assert "there is nothing to undo here" in screen_text(app)
        gate = held_back(monkeypatch, triage, "undo")
        await press(pilot, "a")
        await pilot.press("u", "z")  # the second before the first is done
        gate.set()
        await settled(pilot)
        assert on_disk(database, found) == {first: "skipped"}


async def test_the_marked_are_accepted_as_one_step(database: Database) -> None:
    found = tower(5)
    app = console(found, Kept(database))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_finetune(pilot)
        first, second, third, fourth, fifth = shown(screen)
        await press(pilot, "A")
        assert "nothing is marked" in screen_text(app)
        await press(pilot, "r")
        assert here(screen) == second
        await press(pilot, "space", "j", "space")
        assert "2 marked: A accepts those" in screen_text(app)
        await press(pilot, "A")
        assert on_disk(database, found) == {first: "rejected", second: "accepted", fourth: "accepted"}
        assert not screen.table.marked
        assert here(screen) == fifth
        assert "2 accepted; u takes all of them back" in screen_text(app)
        await press(pilot, "u")
        assert on_disk(database, found) == {first: "rejected"}
        assert "undone: 2 accepted" in screen_text(app)
        assert here(screen) in (second, fourth)
        assert third in shown(screen)


async def test_buckets_are_filters_and_the_skipped_can_be_gone_back_to(database: Database) -> None:
    found = tower(4)
    app = console(found, Kept(database))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_finetune(pilot)
        first, second, third, fourth = shown(screen)
        await press(pilot, "z", "z", "a")
        await press(pilot, "b")
        assert shown(screen) == [third]
        await press(pilot, "a")
        assert f"#{third} is accepted already" in screen_text(app)
        await press(pilot, "b")
        assert shown(screen) == []
        assert "None is rejected." in screen_text(app)
        await press(pilot, "b")
        assert shown(screen) == [first, second]
        await press(pilot, "g", "r")
        assert shown(screen) == [second]
        assert here(screen) == second
        await press(pilot, "b")
        assert shown(screen) == [first, second, third, fourth]
        assert counts(screen) == {"undecided": 1, "accepted": 1, "rejected": 1, "skipped": 1, "all": 4}
        await press(pilot, "g", "a")  # again, otherwise; the next undecided is selected
        assert here(screen) == fourth
        await press(pilot, "b")
        assert shown(screen) == [fourth]
        await pilot.click(BucketLine, offset=(18, 0))
        await settled(pilot)
        assert shown(screen) == [first, third]


async def test_plus_and_minus_move_the_threshold_and_it_is_kept_with_the_conversation(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "talk.json"
    path.write_text(json_text(native(tower(3))))
    first = opened(Opening(path), resolve({"store": False}).settings)
    app = console(first, Kept(database))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_finetune(pilot)
        assert app.workspace.view.worth == 1.0
        cutoff = app.workspace.view.threshold
        await press(pilot, "plus", "plus")
        assert app.workspace.view.worth == 5.0
        assert "responses above 5 nats" in screen_text(app)
        for _ in range(17):
            await press(pilot, "plus")
        assert "500000 nats is as high as it goes" in screen_text(app)
        assert shown(screen) == []
        text = " ".join(screen_text(app).split())
        assert "3 responses seen, the largest divergence" in text
        assert "- lowers the threshold, t sets it." in text
        await press(pilot, "minus", "t", *"0.25", "enter")
        assert app.workspace.view.worth == 0.25
        assert len(shown(screen)) == 3
        await press(pilot, *("minus" for _ in range(7)))
        assert app.workspace.view.worth == 0.0
        assert "0 nats is as low as it goes" in screen_text(app)
        await press(pilot, "plus")
        assert app.workspace.view.threshold == cutoff
        app.leave()
    again = console(first, Kept(database))
    async with again.run_test(size=(80, 24)) as pilot:
        await at_finetune(pilot)
        assert again.workspace.view.worth == 0.01


async def test_a_note_is_kept_shown_and_undone(database: Database) -> None:
    found = tower(2)
    app = console(found, Kept(database))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_finetune(pilot)
        message = here(screen)
        await press(pilot, "w", *"short and right", "enter")
        assert "note: short and right" in told(screen)
        assert here(screen) == message
        assert f"the note of #{message} is kept" in screen_text(app)
        await press(pilot, "w", "escape")
        await press(pilot, "slash", *"short", "enter")
        assert shown(screen) == [message]
        await press(pilot, "escape", "w", "backspace", "enter")
        assert "note:" not in told(screen)
        await press(pilot, "u", "u")
        assert "note:" not in told(screen)
        assert on_disk(database, found) == {}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("saving", [("ctrl+s",), ("f2",), ("tab", "enter")])
async def test_the_target_is_changed_in_an_editor(
    size: tuple[int, int], saving: tuple[str, ...], database: Database
) -> None:
    found = tower(2)
    app = console(found, Kept(database))
    async with app.run_test(size=size) as pilot:
        screen = await at_finetune(pilot)
        message = here(screen)
        assert message is not None
        own = found.messages[message].text
        await press(pilot, "c", *" Sure.")
        assert "Save" in screen_text(app)
        await press(pilot, *saving)
        subject = triage.subjects_of(found)[message]
        assert triage.decided(database, [subject])[subject].target == f"{own} Sure."
        assert f"trained on in place of its words: {own} Sure." in told(screen)
        await press(pilot, "c", "q")
        assert screen_text(app).count("Sure.") > 0
        await press(pilot, "escape", "k", "enter")
        assert triage.decided(database, [subject])[subject].target == f"{own} Sure."
        await press(pilot, "c", "tab", "tab", "enter", "ctrl+s")  # its own words again
        assert triage.decided(database, [subject])[subject].target is None
        await press(pilot, "u", "u")
        assert on_disk(database, found) == {}


async def test_nothing_to_train_on_is_no_target_and_no_change_is_no_decision(database: Database) -> None:
    found = tower(2)
    app = console(found, Kept(database))
    async with app.run_test(size=(80, 24)) as pilot:
        await at_finetune(pilot)
        await press(pilot, "c")
        app.screen.query_one(TextArea).load_text("  ")
        await press(pilot, "ctrl+s")
        assert "Nothing would be left to train on" in screen_text(app)
        await press(pilot, "escape", "c", "ctrl+s")
        assert on_disk(database, found) == {}
        assert triage.latest(database) == 0


async def test_one_hundred_candidates_by_keyboard_alone(database: Database) -> None:
    found = tower(100)
    app = console(found, Kept(database))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_finetune(pilot)
        order = shown(screen)
        assert len(order) == 100
        keys = [("a", "r", "z", "a")[n % 4] for n in range(100)]
        await typed(pilot, *keys)
        assert counts(screen) == {"undecided": 0, "accepted": 50, "rejected": 25, "skipped": 25, "all": 100}
        words = {"a": "accepted", "r": "rejected", "z": "skipped"}
        assert on_disk(database, found) == {m: words[key] for m, key in zip(order, keys, strict=True)}
        assert "All are decided: 50 accepted, 25 rejected, 25 skipped." in screen_text(app)
        await typed(pilot, *("u" for _ in range(100)))
        assert on_disk(database, found) == {}
        assert here(screen) == order[0]
        rows = database.read("SELECT count(*) FROM journal")
        assert rows == [(200,)]


# The alternate.


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    server = ChatServer("well", words=lambda body: f"It is {len(body['messages'])} and a code.")
    yield server
    server.close()


def beside(screen: FinetuneScreen) -> str:
    """What is shown beside the response."""
    diff = screen.detail.diff
    rows = [*(text for text, _ in diff._lines), *(row.shown for row in diff._rows)]
    return " ".join(" ".join(rows).split()) if diff.display else ""


async def test_v_without_a_chat_server_says_how_to_set_one(database: Database) -> None:
    app = console(tower(2), Kept(database))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_finetune(pilot)
        await press(pilot, "v", "f")
        assert not screen.detail.diff.display
        await press(pilot, "v")
        assert "no chat server is set" in screen_text(app)


@pytest.mark.parametrize("size", SIZES)
async def test_v_shows_what_a_chat_model_answers_without_memories_as_a_difference(
    size: tuple[int, int], database: Database, chat: ChatServer
) -> None:
    found = tower(8)
    app = console(found, Kept(database), chat_url=chat.url)
    async with app.run_test(size=size) as pilot:
        screen = await at_finetune(pilot)
        order = shown(screen)
        assert chat.log == []  # nobody is asked before
        await press(pilot, "v")
        await rested(pilot)
        alternate = f"It is {order[0] - 1} and a code."
        assert f"the alternate to #{order[0]}" in beside(screen)
        assert "and" in beside(screen) and "floor" in beside(screen)  # of both, what only one has
        assert screen.detail.diff.display
        assert chat.url in screen_text(app) or size[0] < 100
        assert screen.detail._alternating is not None
        assert screen.detail._alternating.outcome(found, order[0]) is not None
        assert (
            screen.detail._alternating.outcome(tower(8), order[0]) is None
        )  # another conversation's is not this one's
        asked = [len(asked.body["messages"]) for asked in chat.chats()]
        assert asked == [message - 1 for message in order[:4]]  # with the next three, without the memory
        assert not any("has the code" in str(asked.body["messages"][-1]) for asked in chat.chats())
        await press(pilot, "a")
        await rested(pilot)
        assert f"the alternate to #{order[1]}" in beside(screen)
        assert len(chat.chats()) == 5  # one more ahead
        screen.detail.diff.focus()
        await press(pilot, "g")
        assert screen.copied() == f"It is {order[1] - 1} and a code." != alternate
        await press(pilot, "v")
        assert not screen.detail.diff.display
    app = console(found, Kept(database), chat_url=chat.url)
    async with app.run_test(size=size) as pilot:
        screen = await at_finetune(pilot)
        await press(pilot, "v")
        await rested(pilot)
        assert "talker, from disk" in beside(screen)
        asked = len(chat.chats())
        await press(pilot, "f")
        await rested(pilot)
        assert "talker:" in beside(screen) and "from disk" not in beside(screen)
        assert len(chat.chats()) == asked + 1


async def test_an_address_that_is_none_is_told_and_nothing_goes_anywhere(database: Database) -> None:
    app = console(tower(2), Kept(database), chat_url="no address")
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_finetune(pilot)
        await press(pilot, "v")
        assert not screen.detail.diff.display
        assert "go to" not in screen_text(app)
        assert "chat_url" in screen_text(app) + notified(app)


async def test_a_failure_is_shown_at_the_item_and_f_asks_once_more(database: Database, chat: ChatServer) -> None:
    chat.behave("500")
    app = console(tower(3), Kept(database), chat_url=chat.url, timeout=5.0)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_finetune(pilot)
        await press(pilot, "v")
        until = time.monotonic() + 60
        while "f asks once more" not in beside(screen):
            assert time.monotonic() < until
            await asyncio.sleep(0.02)
            await pilot.pause()
        assert "500" in beside(screen)
        chat.behave("well", words="It is so.")
        await press(pilot, "f")
        await rested(pilot)
        assert "It is" in beside(screen)
        assert "500" not in beside(screen)
        assert counts(screen)["undecided"] == 3


async def test_x_stops_asking(database: Database, chat: ChatServer) -> None:
    chat.behave("never")
    app = console(tower(3), Kept(database), chat_url=chat.url)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_finetune(pilot)
        await press(pilot, "v")
        assert chat.reached.wait(PATIENCE)
        await press(pilot, "x")
        await rested(pilot)
        assert "not asked for; f asks" in beside(screen)
        assert "no alternate is asked for any more" in screen_text(app)


async def test_a_hostile_alternate_does_nothing(database: Database, chat: ChatServer) -> None:
    chat.behave("well", words=EVIL)
    app = console(tower(2), Kept(database), chat_url=chat.url)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_finetune(pilot)
        await press(pilot, "v")
        await rested(pilot)
        text = screen_text(app)
        assert "[/red]" in beside(screen)
        assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text


# What lasts.


def kept_in(folder: Path, conversation: Conversation) -> Any:
    path = folder / "talk.json"
    path.write_text(json_text(native(conversation)))
    return opened(Opening(path), resolve({"store": False}).settings)


async def test_decisions_are_there_after_a_restart_and_can_be_undone_then(
    database: Database, tmp_path: Path, scored_by: Any
) -> None:
    app = console(kept_in(tmp_path, tower(4)), Kept(database))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_finetune(pilot)
        order = shown(screen)
        await press(pilot, "a", "space", "space", "A")
        app.leave()
    grown = tower(4).with_messages(
        (*tower(4).messages, user("Which code has floor 0?"), assistant("As said: 07919x0."))
    )
    other = Database(database.path.parent)
    app = console(kept_in(tmp_path, grown), Kept(other))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_finetune(pilot)
        assert set(shown(screen)) == {order[3], 10} & set(shown(screen)) | {order[3]}
        assert counts(screen)["accepted"] == 3
        await press(pilot, "u")
        assert counts(screen)["accepted"] == 1
        await press(pilot, "u")
        assert counts(screen)["accepted"] == 0
        await press(pilot, "u")
        assert "there is nothing to undo here" in screen_text(app)
    other.close()


async def test_another_engine_never_offers_again_what_was_decided(database: Database, scored_by: Any) -> None:
    app = console(office(), Kept(database))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_finetune(pilot)
        app.workspace.look(worth=0.0)
        await settled(pilot)
        decided = shown(screen)
        await press(pilot, *("a" for _ in decided))
        assert shown(screen) == []
    scored_by(FormulaEngine())
    app = console(office(), Kept(database))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_finetune(pilot)
        app.workspace.look(worth=0.0)
        await settled(pilot)
        assert not set(shown(screen)) & set(decided)
        await press(pilot, "b")
        assert set(shown(screen)) == set(decided)


async def test_a_quit_right_after_a_key_loses_nothing(database: Database, monkeypatch: Any) -> None:
    gate = held_back(monkeypatch, triage, "decide")
    found = tower(3)
    app = console(found, Kept(database))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_finetune(pilot)
        order = shown(screen)
        await pilot.press("a", "r")
        threading.Timer(0.1, gate.set).start()
        app.leave()
    assert on_disk(database, found) == {order[0]: "accepted", order[1]: "rejected"}


async def test_what_another_console_decides_is_seen_and_both_stay(database: Database, monkeypatch: Any) -> None:
    monkeypatch.setattr("memscope.tui.deciding.LOOKS", 0.05)
    found = tower(4)
    other = Database(database.path.parent)
    one, two = console(found, Kept(database)), console(found, Kept(other))
    async with one.run_test(size=(80, 24)) as first:
        screen = await at_finetune(first)
        order = shown(screen)
        async with two.run_test(size=(80, 24)) as second:
            theirs = await at_finetune(second)
            await press(second, "r")
            assert on_disk(database, found) == {order[0]: "rejected"}
            until = time.monotonic() + PATIENCE
            while counts(screen)["rejected"] != 1:
                assert time.monotonic() < until
                await asyncio.sleep(0.01)
                await first.pause()
            assert shown(screen) == order[1:]
            await press(first, "a")
            while counts(theirs)["accepted"] != 1:
                assert time.monotonic() < until
                await asyncio.sleep(0.01)
                await second.pause()
            assert len(on_disk(other, found)) == 2
            await press(second, "u")  # the latest on these responses, whoever made it
            assert on_disk(database, found) == {order[0]: "rejected"}
    other.close()


# Trouble.


@pytest.mark.parametrize("size", SIZES)
async def test_without_a_store_nothing_can_be_decided_and_it_says_so(size: tuple[int, int]) -> None:
    app = console(tower(3))
    async with app.run_test(size=size) as pilot:
        screen = await at_finetune(pilot)
        order = shown(screen)
        assert len(order) == 3
        await press(pilot, "a", "u", "A", "w", "x", "enter")
        assert "decisions are kept in the store, which is off" in notified(app)
        assert shown(screen) == order


async def test_a_store_from_a_newer_version_is_named(database: Database) -> None:
    kept = Kept(None)
    kept.trouble = StoreError("the store was written by a newer memscope", where=database.path, do="Upgrade memscope.")
    app = console(tower(2), kept)
    async with app.run_test(size=(120, 36)) as pilot:
        await at_finetune(pilot)
        await press(pilot, "a")
        assert "which cannot be used" in notified(app)


async def test_a_store_that_cannot_be_written_says_so_and_the_response_stays_undecided(database: Database) -> None:
    found = tower(3)
    app = console(found, Kept(database))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_finetune(pilot)
        order = shown(screen)
        await press(pilot, "a")
        database._connection.execute("PRAGMA query_only = ON")
        await press(pilot, "r", "u")
        assert "the store cannot be written" in notified(app)
        assert on_disk(database, found) == {order[0]: "accepted"}
        assert shown(screen) == order[1:]
        database._connection.execute("PRAGMA query_only = OFF")
        await press(pilot, "r")
        assert len(on_disk(database, found)) == 2


@pytest.mark.parametrize("size", SIZES)
async def test_where_nothing_can_be_kept_the_cursor_stays_and_one_message_names_the_response(
    size: tuple[int, int], database: Database
) -> None:
    found = tower(12)
    app = console(found, Kept(database))
    async with app.run_test(size=size) as pilot:
        screen = await at_finetune(pilot)
        first, second, *_ = order = shown(screen)
        await press(pilot, "a")
        database._connection.execute("PRAGMA query_only = ON")
        for _ in range(10):
            await press(pilot, "a")
        assert here(screen) == second
        assert on_disk(database, found) == {first: "accepted"}
        assert shown(screen) == order[1:]
        (note,) = app._notifications
        assert note.message.startswith(f"#{second} was not decided: the store cannot be written")
        assert "--no-store" not in note.message
        await press(pilot, "r")
        assert len(app._notifications) == 1


async def test_what_comes_behind_a_decision_that_is_lost_is_not_tried(database: Database, monkeypatch: Any) -> None:
    monkeypatch.setattr("memscope.tui.deciding.LOOKS", 0.05)
    gate, tried = threading.Event(), []

    def held(*arguments: Any) -> None:
        tried.append(arguments)
        assert gate.wait(PATIENCE)
        raise StoreError("another process holds the store", where=database.path, do="Wait for it.")

    found = tower(12)
    app = console(found, Kept(database))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_finetune(pilot)
        first, second, third, *_ = shown(screen)
        await press(pilot, "r")
        with monkeypatch.context() as patched:
            patched.setattr("memscope.tui.panes.finetune.deciding.triage.decide", held)
            await pilot.press(*"aaaaaaaaa", "u", "a")  # the undo was meant for the ninth, and the last for what is then
            assert here(screen) != second
            until = time.monotonic() + PATIENCE
            while "10 decisions not on disk yet" not in screen_text(app):
                assert time.monotonic() < until
                await asyncio.sleep(0.01)
                await pilot.pause()
            gate.set()
            await settled(pilot)
        assert len(tried) == 1
        assert on_disk(database, found) == {first: "rejected"}
        assert here(screen) == second
        (note,) = app._notifications
        assert f"#{second} was not decided, nor 10 later steps: another process holds the store" in note.message
        await press(pilot, "a", "a")  # nothing of it is left in the way
        assert on_disk(database, found) == {first: "rejected", second: "accepted", third: "accepted"}


async def test_marks_are_there_again_where_they_could_not_be_accepted(database: Database) -> None:
    found = tower(5)
    app = console(found, Kept(database))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_finetune(pilot)
        first, second, third, *_ = shown(screen)
        await press(pilot, "space", "space", "space")
        database._connection.execute("PRAGMA query_only = ON")
        await press(pilot, "A")
        assert "3 responses were not decided: " in notified(app)
        assert {row.message for row in screen.table.marked} == {first, second, third}
        assert here(screen) == first
        database._connection.execute("PRAGMA query_only = OFF")
        await press(pilot, "A")
        assert on_disk(database, found) == dict.fromkeys((first, second, third), "accepted")


# Empty.


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("conversation", "words"),
    [
        (talk(user("Hello?"), assistant("Hello.")), "No memory was found in the conversation. 1 shows where"),
        (talk(memory("a", "A."), user("Hello?")), "The conversation has no response."),
        (talk(user("Hello?"), assistant("Hello."), memory("a", "A.")), "0 nats"),
    ],
)
async def test_where_there_is_nothing_it_says_why_and_no_key_fails(
    size: tuple[int, int], conversation: Conversation, words: str, database: Database
) -> None:
    app = console(conversation, Kept(database))
    async with app.run_test(size=size) as pilot:
        screen = await at_finetune(pilot)
        assert words in " ".join(screen_text(app).split())
        await press(pilot, *"arzcwAuvfbsSygG", "space", "enter", "plus", "minus", "b", "b", "b", "b")
        assert isinstance(app.screen, FinetuneScreen)
        assert screen.copied() is None


async def test_a_run_that_failed_says_why_and_what_could_not_be_left_out(database: Database, scored_by: Any) -> None:
    scored_by(FormulaEngine(before=fails_baseline("Indent with tabs.", "Install packages", "Deploy on")))
    app = console(office(), Kept(database))
    async with app.run_test(size=(120, 36)) as pilot:
        await at_finetune(pilot)
        text = " ".join(screen_text(app).split())
        assert "the server is out of memory" in text
        assert "R tries again" in text
    broken = FormulaEngine(before=fails_without("Deploy on Mondays"))
    scored_by(broken)
    app = console(office(), Kept(database))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_finetune(pilot)
        assert "The server refuses to go without 'Deploy on Mondays'." in " ".join(screen_text(app).split())
        app.workspace.look(worth=0.0)
        broken._before = None
        await press(pilot, "R")
        assert shown(screen)


async def test_responses_come_as_they_land(database: Database, scored_by: Any) -> None:
    with Gate(through=1) as gate:
        scored_by(FormulaEngine(before=gate, concurrency=1))
        app = console(office(), Kept(database))
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await pilot.press("4")
            assert gate.reached.wait(10)
            screen = app.screen
            assert isinstance(screen, FinetuneScreen)
            app.workspace.look(worth=0.0)
            until = time.monotonic() + PATIENCE
            while "Being scored." not in screen_text(app):
                assert time.monotonic() < until
                await pilot.pause(0.01)
            gate.open()
            await rested(pilot)
            assert shown(screen)


async def test_a_response_of_other_tokens_is_counted_as_not_measured(database: Database, scored_by: Any) -> None:
    scored_by(FormulaEngine(after=cut_otherwise_without("Indent with tabs.", 1)))
    app = console(office(), Kept(database))
    async with app.run_test(size=(120, 36)) as pilot:
        await at_finetune(pilot)
        app.workspace.look(worth=1000.0)
        await settled(pilot)
        assert "1 not measured: retokenised" in " ".join(screen_text(app).split())


# What leaves the pane.


async def test_enter_leads_to_the_response_or_to_the_memory_it_leaned_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = console(tower(3), Kept(database))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_finetune(pilot)
        went: list[tuple[str, str | None, int | None]] = []
        monkeypatch.setattr(
            app, "go", lambda name, *, memory=None, response=None, **_: went.append((name, memory, response))
        )
        await press(pilot, "j", "enter")
        screen.detail.bars.focus()
        await press(pilot, "enter")
        assert went == [("responses", None, here(screen)), ("memories", "codes-0", None)]


async def test_y_copies_the_response_the_marked_or_what_is_selected(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    monkeypatch.setattr("memscope.tui.pane.copy_text", lambda _, text: copied.append(text))
    found = tower(3)
    app = console(found, Kept(database))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_finetune(pilot)
        order = shown(screen)
        await press(pilot, "y", "space", "space", "y", "escape")
        assert copied[0] == response_text(found, order[0])
        assert copied[1] == "\n\n".join(response_text(found, message) for message in sorted(order[:2], key=order.index))
        screen.detail.text.focus()
        await press(pilot, "space", "space", "y")
        assert copied[2] == "It"
        await press(pilot, "escape", "escape")
        assert screen.table.has_focus


async def test_e_writes_the_candidates_that_are_shown_or_marked(database: Database) -> None:
    app = console(tower(3), Kept(database))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await at_finetune(pilot)
        order = shown(screen)
        await press(pilot, "z")
        (exported,) = [one for one in screen.exports() if one.name == "candidates"]
        document: Any = exported.build()
        assert [one.message for one in document.conversations[0].candidates] == order[1:]
        assert {one.decision for one in document.conversations[0].candidates} == {"undecided"}
        assert document.threshold == 1.0
        await press(pilot, "space")
        (exported,) = [one for one in screen.exports() if one.name == "1 candidates"]
        document = exported.build()
        assert [one.message for one in document.conversations[0].candidates] == [order[1]]


async def test_e_writes_the_accepted_as_training_data(database: Database, tmp_path: Path) -> None:
    app = console(kept_in(tmp_path, tower(3)), Kept(database))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_finetune(pilot)
        await press(pilot, "a", "a", "e", "down", "down")
        assert "SFT" in screen_text(app)
        target = tmp_path / "lines.jsonl"
        app.screen.query_one(LineInput).value = str(target)
        await press(pilot, "enter")
        lines = [json.loads(line) for line in target.read_text().splitlines()]
        assert len(lines) == 2
        assert all(line["messages"][0]["role"] == "user" for line in lines)  # no memory stands before it
        assert "lines.jsonl: 2 lines for training, checked as sft." in screen_text(app) + notified(app)
        assert isinstance(app.screen, FinetuneScreen)
        assert screen.table.has_focus


async def test_s_sorts_and_the_order_is_kept(database: Database) -> None:
    app = console(tower(3), Kept(database))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_finetune(pilot)
        app.workspace.look(sorts={"finetune": "up #"})
        await press(pilot, "3", "4")
        assert shown(screen) == sorted(shown(screen))
        await press(pilot, "S")
        assert shown(screen) == sorted(shown(screen), reverse=True)
        assert app.workspace.view.sorts["finetune"] == "down #"


# Untrusted text, signs, and the demo.


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_texts_are_shown_and_do_nothing(
    size: tuple[int, int], scored_by: Any, database: Database
) -> None:
    scored_by(FormulaEngine())
    found = talk(memory(EVIL, EVIL), user(EVIL), assistant(EVIL), user(EVIL), assistant(f"{EVIL}\n{EVIL}"))
    app = console(found, Kept(database))
    async with app.run_test(size=size) as pilot:
        screen = await at_finetune(pilot)
        app.workspace.look(worth=0.0)
        await rested(pilot)
        assert here(screen) is not None
        await press(pilot, "w", *"[/x]", "enter")
        await press(pilot, "c")
        for _ in range(2):
            text = screen_text(app)
            assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text
            assert "[/red]" in text
            await press(pilot, "x", "ctrl+s")
        message = here(screen)
        assert message is not None
        subject = triage.subjects_of(found)[message]
        assert triage.decided(database, [subject])[subject].target == f"{found.messages[message].text}x"
        assert "note: [/x]" in told(screen)


@pytest.mark.parametrize("size", SIZES)
async def test_ascii_signs_where_the_settings_ask_for_them(size: tuple[int, int], database: Database) -> None:
    app = console(demo(), Kept(database), glyphs="ascii")
    async with app.run_test(size=size) as pilot:
        await at_finetune(pilot)
        assert "divergencev" in screen_text(app)
        assert not set("▲▼█▒▏▎▍▌▋▊▉─│") & set(screen_text(app))


async def test_an_engine_without_tokens_says_there_is_no_heat(database: Database, scored_by: Any) -> None:
    scored_by(FormulaEngine(tokens=False))
    app = console(office(), Kept(database))
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await at_finetune(pilot)
        app.workspace.look(worth=0.0)
        await rested(pilot)
        assert here(screen) is not None
        assert "no heat: this engine gives no tokens" in screen_text(app)
