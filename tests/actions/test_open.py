"""Opening: the same conversation for every command and the console, with the marks a person made in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from memscope.actions.marks import add_mark, marks_of, remove_mark, undo_mark
from memscope.actions.open import Opening, Sources, open_conversation, opened
from memscope.base.errors import UsageError
from memscope.base.settings import Settings, data_dir
from memscope.conversation.marks import Mark
from memscope.conversation.model import Memory
from memscope.store.database import FILE_NAME, Database
from memscope.store.journal import Journal

TALK = [
    {"role": "user", "content": "I live in Oslo.\nMy cat is Tom.\nWhere do I live?"},
    {"role": "assistant", "content": "In Oslo."},
    {"role": "user", "memory_key": "known", "content": "A known fact."},
    {"role": "user", "content": "- likes: tea\nAnd now?"},
    {"role": "assistant", "content": "Tea."},
]
SETTINGS = Settings()


@pytest.fixture
def talk(tmp_path: Path) -> Opening:
    path = tmp_path / "talk.json"
    path.write_text(json.dumps(TALK))
    return Opening(path)


@pytest.fixture
def database() -> Iterator[Database]:
    store = Database(data_dir())
    yield store
    store.close()


@pytest.fixture
def memories(tmp_path: Path) -> Path:
    path = tmp_path / "CLAUDE.md"
    path.write_text("Answer in Norwegian, and never in any other language.\n")
    return path


def keys(opening: Opening, settings: Settings = SETTINGS) -> list[str]:
    return [entry.key for entry in open_conversation(opening, settings).memories]


def test_a_mark_is_there_for_every_command_once_it_was_made(talk: Opening, database: Database) -> None:
    now = opened(talk, SETTINGS, database)
    mark = add_mark(database, now, 0, 18, 20)
    assert (mark.message, mark.start, mark.end) == (0, 16, 31)
    assert mark.key.startswith("my-cat-is-tom-")
    assert now.again(SETTINGS, database).conversation == open_conversation(talk, SETTINGS)
    assert keys(talk) == [mark.key, "known"]
    assert open_conversation(talk, SETTINGS).messages[0].memories == (Memory(mark.key, "My cat is Tom.\n", "mark"),)
    assert [entry.key for entry in open_conversation(talk, SETTINGS, marks=False).memories] == ["known"]


def test_marks_are_undone_one_by_one(talk: Opening, database: Database) -> None:
    now = opened(talk, SETTINGS, database)
    first, second = add_mark(database, now, 0, 0, 3), add_mark(database, now, 0, 16, 17)
    assert marks_of(database, now.subject) == [first, second]
    assert remove_mark(database, now, 0, 15) == first
    assert remove_mark(database, now, 0, 15) is None
    assert marks_of(database, now.subject) == [second]
    assert [undo_mark(database, now) for _ in range(4)] == [first, second, first, None]
    assert keys(talk) == ["known"]


def test_marks_hold_whatever_memories_from_disk_are_put_in_front(
    talk: Opening, memories: Path, database: Database
) -> None:
    with_files = replace(talk, memories=(memories,))
    now = opened(with_files, SETTINGS, database)
    assert len(now.conversation.messages) == len(TALK) + 1
    mark = add_mark(database, now, 1, 0, 1)
    assert mark.message == 0
    assert keys(with_files) == ["CLAUDE.md#start/1", mark.key, "known"]
    assert keys(talk) == [mark.key, "known"]
    assert remove_mark(database, now, 1, 0) == mark


def test_marks_hold_behind_text_that_memories_from_disk_end_with_a_newline(
    talk: Opening, memories: Path, database: Database
) -> None:
    talk.path.write_text(json.dumps([{"role": "system", "content": "Be kind."}, *TALK]))
    with_files = replace(talk, memories=(memories,))
    now = opened(with_files, SETTINGS, database)
    text = now.conversation.messages[0].text
    mark = add_mark(database, now, 0, 0, text.index("Answer"))
    assert (mark.start, mark.end) == (0, 8)
    with pytest.raises(UsageError, match="a memory already"):
        add_mark(database, now, 0, text.index("Answer"), len(text))
    assert keys(with_files)[0] == keys(talk)[0] == mark.key
    assert len(now.again(SETTINGS, database).conversation.messages) == len(now.conversation.messages)


@pytest.mark.parametrize(
    ("message", "why"),
    [(1, "what an agent says"), (2, "a memory already"), (9, "no such message"), (-1, "no such message")],
)
def test_what_cannot_be_marked_says_why(message: int, why: str, talk: Opening, database: Database) -> None:
    now = opened(talk, SETTINGS, database)
    with pytest.raises(UsageError, match=why) as refused:
        add_mark(database, now, message, 0, 3)
    assert refused.value.where == f"message #{message}"
    assert marks_of(database, now.subject) == []


def test_marks_belong_to_a_text_and_not_to_a_name(talk: Opening, database: Database, tmp_path: Path) -> None:
    mark = add_mark(database, opened(talk, SETTINGS, database), 0, 0, 3)
    moved = tmp_path / "moved.json"
    moved.write_bytes(talk.path.read_bytes())
    assert keys(replace(talk, path=moved)) == [mark.key, "known"]
    moved.write_text(json.dumps(TALK[:4]))
    assert keys(replace(talk, path=moved)) == ["known"]


def test_an_entry_that_is_no_mark_is_passed_over(talk: Opening, database: Database) -> None:
    now = opened(talk, SETTINGS, database)
    Journal(database).add("mark", now.subject, "mark", {"message": "0"})
    Journal(database).add("mark", now.subject, "unmark", {})
    Journal(database).add("mark", now.subject, "mark", {"message": 7, "start": 0, "end": 1, "key": "gone"})
    assert marks_of(database, now.subject) == [Mark(7, 0, 1, "gone")]
    assert keys(talk) == ["known"]
    assert "1 mark of yours does not fit" in open_conversation(talk, SETTINGS).notes[0]


def test_looking_for_marks_makes_no_store(talk: Opening) -> None:
    assert keys(talk) == ["known"]
    assert not data_dir().exists()


def test_without_a_store_there_are_no_marks(talk: Opening, database: Database) -> None:
    add_mark(database, opened(talk, SETTINGS, database), 0, 0, 3)
    assert keys(talk, Settings(store=False)) == ["known"]


def test_a_store_that_cannot_be_read_is_a_note(talk: Opening) -> None:
    data_dir().mkdir()
    (data_dir() / FILE_NAME).write_bytes(b"no database at all\n" * 100)
    conversation = open_conversation(talk, SETTINGS)
    assert len(conversation.memories) == 1
    (note,) = conversation.notes
    assert note.startswith("marks made by hand are left out: ")
    assert "the store is damaged" in note


def test_a_data_folder_that_is_nobodys_is_a_note(talk: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMSCOPE_DATA_DIR", "~nobody-of-this-name/x")
    assert "there is no folder" in open_conversation(talk, SETTINGS).notes[0]


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        ("memories", ["known"]),
        ("turns", ["turn/0 i-live-in-oslo-my-cat-is-tom-where-do-i", "known", "turn/3 likes-tea-and-now"]),
        ("tools", ["known"]),
    ],
)
def test_other_sources_come_beside_the_memories(sources: Sources, found: list[str], talk: Opening) -> None:
    assert keys(replace(talk, sources=sources)) == found


def test_a_turn_can_be_marked_while_turns_are_the_sources(talk: Opening, database: Database) -> None:
    turns = replace(talk, sources="turns")
    mark = add_mark(database, opened(turns, SETTINGS, database), 0, 16, 17)
    assert keys(turns)[:2] == ["turn/0 i-live-in-oslo-where-do-i-live", mark.key]
