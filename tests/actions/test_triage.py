"""Decisions on responses are on disk when they are made, outlive everything but the words, and can all be undone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from memscope.actions.open import Opened, Opening, opened
from memscope.actions.triage import (
    Decision,
    Verdict,
    decide,
    decided,
    known_of,
    latest,
    opening_of,
    subjects_of,
    undo,
)
from memscope.base.errors import StoreError
from memscope.base.settings import resolve
from memscope.base.text import json_text
from memscope.conversation.model import Conversation
from memscope.conversation.native import native
from memscope.engines.protocol import EngineIdentity
from memscope.store.database import Database
from memscope.triage.decisions import UNDECIDED, Provenance, provenance_of
from tests.fakes import assistant, office, user

EMBEDDED, SERVED = EngineIdentity("embedded"), EngineIdentity("vllm", model="m", url="http://h")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    store = Database(tmp_path / "data")
    yield store
    store.close()


def at(folder: Path, conversation: Conversation, name: str = "talk.json", **how: object) -> Opened:
    """The conversation, opened from a file."""
    path = folder / name
    path.write_text(json_text(native(conversation)))
    return opened(Opening(path, **how), resolve({"store": False}).settings)  # type: ignore[arg-type]


def judge(
    database: Database, found: Opened, verdict: Verdict, *messages: int, engine: EngineIdentity = EMBEDDED
) -> None:
    subjects = subjects_of(found.conversation)
    decide(
        database,
        [Decision(subjects[m], verdict, known_of(found, engine, m, 2.5 * m, 1.0)) for m in messages],
    )


def buckets(database: Database, found: Opened) -> dict[int, str]:
    subjects = subjects_of(found.conversation)
    told = decided(database, list(subjects.values()))
    return {message: told.get(subject, UNDECIDED).bucket for message, subject in subjects.items()}


def test_a_decision_is_kept_with_what_was_known_and_what_opens_its_conversation(
    database: Database, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("# One\n\nBe short.\n")
    found = at(tmp_path, office(), memories=(notes,), split="heading")
    judge(database, found, "accept", 5, engine=SERVED)
    subject = subjects_of(found.conversation)[5]
    told = decided(database, [subject])[subject]
    known = provenance_of(told.about)
    assert (known.engine, known.model, known.effect, known.threshold) == ("vllm", "m", 12.5, 1.0)
    assert known.source is not None
    again = opened(opening_of(known.source), resolve({"store": False}).settings)
    assert again.conversation == found.conversation
    assert known.source.message == 5
    assert Path(known.source.path).is_absolute()
    assert told.at is not None


def test_a_relative_path_is_kept_whole(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "talk.json").write_text(json_text(native(office())))
    monkeypatch.chdir(tmp_path)
    found = opened(Opening(Path("talk.json")), resolve({"store": False}).settings)
    source = known_of(found, None, 2, None, None).source
    assert source is not None
    assert source.path == str(tmp_path / "talk.json")
    assert known_of(replace(found, conversation=office()), None, 2, None, None) == Provenance("", "", None, None, None)


def test_it_survives_another_engine_a_longer_conversation_and_being_opened_again(
    database: Database, tmp_path: Path
) -> None:
    judge(database, at(tmp_path, office()), "accept", 2, 8)
    grown = office().with_messages((*office().messages, user("More?"), assistant("No more.")))
    longer = at(tmp_path, grown, "longer.json")
    assert buckets(database, longer) == {2: "accepted", 5: "undecided", 8: "accepted", 10: "undecided"}
    judge(database, longer, "reject", 2, engine=SERVED)
    other = Database(database.path.parent)
    try:
        assert buckets(other, at(tmp_path, office())) == {2: "rejected", 5: "undecided", 8: "accepted"}
    finally:
        other.close()


def test_a_changed_response_is_undecided(database: Database, tmp_path: Path) -> None:
    judge(database, at(tmp_path, office()), "accept", 2, 5, 8)
    messages = list(office().messages)
    messages[5] = assistant("Use npm.")
    changed = at(tmp_path, office().with_messages(messages))
    assert buckets(database, changed) == {2: "accepted", 5: "undecided", 8: "undecided"}


def test_edits_and_notes_stand_beside_the_bucket(database: Database, tmp_path: Path) -> None:
    found = at(tmp_path, office())
    subject, known = subjects_of(found.conversation)[2], known_of(found, EMBEDDED, 2, 1.0, 1.0)
    decide(database, [Decision(subject, "edit", known, "Let me look.\ud800")])
    decide(database, [Decision(subject, "note", known, "good")])
    judge(database, found, "accept", 2)
    told = decided(database, [subject])[subject]
    assert (told.target, told.note, told.bucket) == ("Let me look.\ud800", "good", "accepted")
    decide(database, [Decision(subject, "edit", known, None)])
    assert decided(database, [subject])[subject].target is None
    assert [undo(database, [subject])[0].what for _ in range(4)] == [
        "a changed target",
        "accepted",
        "a note",
        "a changed target",
    ]
    assert undo(database, [subject]) == []


def test_what_was_decided_at_once_is_undone_at_once_and_only_in_this_conversation(
    database: Database, tmp_path: Path
) -> None:
    found = at(tmp_path, office())
    elsewhere = at(tmp_path, Conversation((user("Hello?"), assistant("Hello."))), "other.json")
    judge(database, found, "skip", 2)
    judge(database, found, "accept", 2, 5, 8)
    judge(database, elsewhere, "reject", 1)
    here = list(subjects_of(found.conversation).values())
    before = latest(database)
    assert [one.what for one in undo(database, here)] == ["accepted"] * 3
    assert latest(database) > before
    assert buckets(database, found) == {2: "skipped", 5: "undecided", 8: "undecided"}
    assert [one.subject for one in undo(database, here)] == [here[0]]
    assert undo(database, here) == []
    assert buckets(database, elsewhere) == {1: "rejected"}


def test_every_decision_stays_on_disk_with_what_undid_it(database: Database, tmp_path: Path) -> None:
    found = at(tmp_path, office())
    judge(database, found, "accept", 2)
    undo(database, list(subjects_of(found.conversation).values()))
    rows = database.read("SELECT CAST(verdict AS TEXT), payload FROM journal ORDER BY id")
    assert [row[0] for row in rows] == ["accept", "undo"]
    assert json.loads(str(rows[0][1]))["source"]["message"] == 2


def test_a_store_that_cannot_be_written_says_so_and_loses_nothing(database: Database, tmp_path: Path) -> None:
    found = at(tmp_path, office())
    judge(database, found, "accept", 2)
    database._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError):
        judge(database, found, "reject", 2)
    with pytest.raises(StoreError):
        undo(database, list(subjects_of(found.conversation).values()))
    assert buckets(database, found)[2] == "accepted"


def test_a_store_from_a_newer_version_is_refused_and_left_alone(database: Database, tmp_path: Path) -> None:
    judge(database, at(tmp_path, office()), "accept", 2)
    version = database.read("PRAGMA user_version")[0][0]
    database.write("PRAGMA user_version = 999")
    with pytest.raises(StoreError, match="newer memscope"):
        Database(database.path.parent)
    database.write(f"PRAGMA user_version = {version}")
    assert buckets(database, at(tmp_path, office()))[2] == "accepted"


def test_opening_survives_words_that_no_version_knows() -> None:
    about = {"source": {"path": "/x", "item": 0, "window": 1, "message": 2, "split": "odd", "sources": "odd"}}
    source = provenance_of(about).source
    assert source is not None
    assert opening_of(source) == Opening(Path("/x"), "", 0, 1, (), None, "memories")
