"""Decisions on memories: for a key and a text, wherever they are; every step of them undone as it was made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.actions.memory_decisions import (
    VERDICTS,
    KnownThen,
    Undone,
    decide,
    decisions_kept,
    latest_decision,
    said_of,
    subject_of,
    undo_decision,
)
from memscope.base.errors import UsageError
from memscope.base.settings import resolve
from memscope.conversation.model import Conversation, Memory, Message, Source, Text
from memscope.store.database import Database
from memscope.store.journal import Journal
from tests.fakes import TABS, assistant, memory, office, talk, user


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    store = Database(tmp_path)
    yield store
    store.close()


def verdicts(database: Database, conversation: Conversation) -> dict[str, str]:
    return {key: said.verdict for key, said in said_of(database, conversation).items() if said.verdict}


def test_a_decision_keeps_what_was_known(database: Database) -> None:
    source = Source(Path("/home/me/talk.json"), "openai", 1, 2)
    conversation = Conversation(office().messages, source=source)
    decide(database, conversation, ["tabs"], "prune", known=KnownThen("embedded", "v1", {"tabs": 1.5, "pnpm": 7.0}))
    said = said_of(database, conversation)["tabs"]
    assert said.verdict == "prune" and said.at is not None
    assert said.about == {
        "key": "tabs",
        "text": TABS,
        "source": "/home/me/talk.json",
        "item": 1,
        "window": 2,
        "engine": "embedded",
        "model": "v1",
        "total": 1.5,
    }


def test_the_last_verdict_holds_and_a_note_stands_beside_it(database: Database) -> None:
    decide(database, office(), ["tabs"], "harmful")
    decide(database, office(), ["tabs"], None, note="never mattered")
    decide(database, office(), ["tabs"], "keep")
    said = said_of(database, office())["tabs"]
    assert (said.verdict, said.note) == ("keep", "never mattered")
    assert [(step.verdict, step.text) for step in said.steps] == [
        ("harmful", ""),
        ("note", "never mattered"),
        ("keep", ""),
    ]
    decide(database, office(), ["tabs"], "clear")
    said = said_of(database, office())["tabs"]
    assert (said.verdict, said.at, said.about, said.note) == ("", None, None, "never mattered")


def test_nothing_is_said_of_a_memory_until_a_person_says_it(database: Database) -> None:
    assert said_of(database, office()) == {}


def test_it_holds_wherever_the_key_and_the_text_are_the_same(database: Database) -> None:
    decide(database, office(), ["tabs"], "pin")
    followed = Message("system", (Memory("tabs", TABS), Text("More of it.")))  # which gives it a newline
    assert followed.memories[0].text != TABS
    assert verdicts(database, talk(followed, assistant("Yes."))) == {"tabs": "pin"}
    assert verdicts(database, talk(memory("tabs", "Indent with spaces."))) == {}
    assert verdicts(database, talk(memory("other", TABS))) == {}


def test_of_a_memory_that_changed_the_latest_text_counts(database: Database) -> None:
    decide(database, talk(memory("tabs", "Indent with spaces."), memory("tabs", TABS)), ["tabs"], "pin")
    assert verdicts(database, office()) == {"tabs": "pin"}


def test_several_at_once_are_one_step(database: Database) -> None:
    decide(database, office(), ["late"], "keep")
    decide(database, office(), ["tabs", "pnpm", "tabs"], "prune", note="old")
    assert verdicts(database, office()) == {"late": "keep", "tabs": "prune", "pnpm": "prune"}
    undone = undo_decision(database, office())
    assert undone == [Undone(key, what) for key in ("tabs", "pnpm") for what in ("prune", "note")]
    assert verdicts(database, office()) == {"late": "keep"}
    assert undo_decision(database, office()) == [Undone("late", "keep")]
    assert undo_decision(database, office()) == []


def test_a_key_that_is_not_there_decides_nothing_at_all(database: Database) -> None:
    with pytest.raises(UsageError, match="tabz"):
        decide(database, office(), ["pnpm", "tabz"], "prune")
    assert said_of(database, office()) == {}


def test_undo_leaves_the_memories_of_other_conversations_alone(database: Database) -> None:
    other = talk(memory("tea", "She likes tea."), user("Hi."), assistant("Hi."))
    decide(database, office(), ["tabs"], "prune")
    decide(database, other, ["tea"], "prune")
    assert undo_decision(database, office()) == [Undone("tabs", "prune")]
    assert verdicts(database, other) == {"tea": "prune"}


def test_another_process_sees_it_and_is_told_that_there_is_something_new(tmp_path: Path) -> None:
    one, two = Database(tmp_path), Database(tmp_path)
    before = latest_decision(two)
    decide(one, office(), ["tabs"], "prune")
    assert latest_decision(two) > before
    decide(two, office(), ["tabs"], "keep")
    assert verdicts(one, office()) == {"tabs": "keep"}
    assert undo_decision(one, office()) == [Undone("tabs", "keep")]
    assert verdicts(two, office()) == {"tabs": "prune"}
    one.close()
    two.close()


def test_what_another_version_wrote_is_passed_over(database: Database) -> None:
    subject = subject_of(office().memories[0])
    decide(database, office(), ["tabs"], "keep")
    Journal(database).add("memory", subject, "archive", {"total": "much"})
    Journal(database).add("memory", subject, "note", {"text": 7})
    said = said_of(database, office())["tabs"]
    assert (said.verdict, said.note, len(said.steps)) == ("keep", "", 1)


def test_a_key_of_any_characters_is_kept(database: Database) -> None:
    odd = talk(memory("a b\0\udc80\n", "\ud800"), user("Hi."))
    decide(database, odd, ["a b\0\udc80\n"], "pin", note="\udfff")
    assert said_of(database, odd)["a b\0\udc80\n"].note == "\udfff"


def test_without_a_store_nothing_can_be_decided() -> None:
    with pytest.raises(UsageError, match="store, which is off"), decisions_kept(resolve({"store": False}).settings):
        pass


_KEYS = st.lists(st.sampled_from(["tabs", "pnpm", "late"]), min_size=1, max_size=3)
_STEPS = st.lists(st.one_of(st.none(), st.tuples(_KEYS, st.sampled_from([*VERDICTS, "clear"]))), max_size=12)


@given(_STEPS)
@settings(max_examples=30)
def test_undo_of_any_depth_leads_to_where_one_was(tmp_path_factory: pytest.TempPathFactory, steps: list) -> None:
    folder = tmp_path_factory.mktemp("store")
    database = Database(folder)
    states: list[dict[str, str]] = [{}]
    for step in steps:
        if step is None:
            undo_decision(database, office())
            states = states[:-1] or [{}]
        else:
            keys, verdict = step
            decide(database, office(), keys, verdict)
            after = states[-1] | dict.fromkeys(keys, verdict)
            states.append({key: what for key, what in after.items() if what != "clear"})
        assert verdicts(database, office()) == states[-1]
    database.close()
    again = Database(folder)
    for state in reversed(states):
        assert verdicts(again, office()) == state
        undo_decision(again, office())
    again.close()
