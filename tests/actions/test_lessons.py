"""Lessons in a file: read, recorded into all or none, and the block that is made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from memscope.actions import lessons
from memscope.actions.lessons import (
    expanded,
    lessons_path,
    read_episode_file,
    read_episodes,
    read_lessons,
    record,
    would_record,
)
from memscope.base.errors import MemscopeError, SourceError, UsageError
from memscope.base.settings import Settings
from memscope.lessons.model import AgentMemory, Episode, SeenMistake

pytestmark = pytest.mark.usefixtures("noon")

GOOD = {"task_id": "deploy", "score": 0.9, "steps": 4, "trajectory_summary": "asked first", "successes": ["asking"]}
BAD = {"task_id": "deploy", "score": 0.1, "mistakes": ["guessing"]}
CLASSIC = Settings(compat="classic")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outputs" / "agent_memory.json"


def episodes(*told: dict[str, Any]) -> list[Episode]:
    return read_episodes(json.dumps(list(told)))


def refusal(read: Any, *args: Any) -> MemscopeError:
    with pytest.raises(MemscopeError) as caught:
        read(*args)
    return caught.value


# Reading.


def test_a_file_that_is_not_there_holds_nothing_yet(path: Path) -> None:
    found = read_lessons(path)
    document = found.document()
    assert (found.exists, document.total_episodes, document.tasks, document.source) == (False, 0, [], str(path))
    assert document.reason is not None and "no such file yet" in document.reason
    assert not path.parent.exists()


def test_a_broken_file_is_told_with_its_line_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('{\n "version": 1,\n "mistakes": {}}')
    for read in (lambda: read_lessons(path), lambda: record(path, episodes(GOOD), Settings())):
        told = refusal(read)
        assert isinstance(told, SourceError)
        assert (told.where, told.what) == (str(path), "line 3: mistakes is an object, not a list")
    assert path.read_text() == '{\n "version": 1,\n "mistakes": {}}'
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_the_file_is_the_one_that_is_named_or_that_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/dev")
    assert lessons_path(Settings()) == Path("outputs/agent_memory.json")
    assert lessons_path(Settings(lessons_file="~/m.json")) == Path("/home/dev/m.json")
    assert lessons_path(Settings(lessons_file="~/m.json"), Path("/srv/m.json")) == Path("/srv/m.json")
    told = refusal(expanded, Path("~nobody-at-all/m.json"))
    assert isinstance(told, UsageError) and told.what == "there is no such home folder"


# Episodes.


def test_an_episode_is_an_object_and_several_are_a_list() -> None:
    assert read_episodes(json.dumps(BAD)) == [Episode("deploy", 0.1, mistakes=("guessing",))]
    assert [one.score for one in episodes(BAD, GOOD, {})] == [0.1, 0.9, 0.0]
    assert read_episodes(b'{"task_id": "gr\xc3\xb6\xc3\x9fe"}')[0].task_id == "größe"
    assert read_episodes("[]") == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "this is no JSON: line 1: "),
        ('{\n"score": 0.5,\n}', "this is no JSON: line 3: "),
        (b"\xff\xfe\x00", "this is no JSON, for it is no text"),
        ("[" * 100_000, "the JSON is nested too deeply"),
        ('{"score": ' + "9" * 5000 + "}", "it holds a number too long to read"),
        ('{"version": 1, "episode_log": []}', "this is an agent's memory, not an episode"),
        ("7", "this is a number, not an object"),
        ('{"score": 92}', "score is 92, which is outside 0 to 1"),
        ('[{"score": 0.5}, {"score": NaN}]', "episode 2: score is nan, which is not finite"),
        ('[{"score": 0.5}, "x"]', "episode 2: this is a text, not an object"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_what_is_no_episode_is_told_with_where_it_was_read(text: str | bytes, what: str) -> None:
    told = refusal(read_episodes, text, "standard input")
    assert isinstance(told, SourceError)
    assert told.what.startswith(what) and told.where == "standard input"


def test_a_file_of_episodes_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "episode.json"
    assert refusal(read_episode_file, file).where == str(file)
    assert refusal(read_episode_file, tmp_path).where == str(tmp_path)
    file.write_text(json.dumps(GOOD))
    assert read_episode_file(file)[0].successes == ("asking",)
    monkeypatch.setattr(lessons, "LARGEST", 16)
    assert refusal(read_episode_file, file).what == "it is larger than 16 bytes"


# Recording.


def test_what_is_recorded_is_on_disk_with_what_it_taught(path: Path) -> None:
    told = record(path, episodes(GOOD, BAD), Settings())
    assert (told.written, told.episodes, told.total_episodes, told.due) == (True, 2, 2, False)
    assert [(one.sign, one.list_, one.text) for one in told.changes] == [
        ("+", "task_rules/deploy", "[WORKS] asking"),
        ("+", "task_rules/deploy", "[AVOID] guessing"),
        ("+", "mistakes", "guessing"),
        ("+", "successes", "asking"),
    ]
    found = read_lessons(path)
    assert (found.exists, found.memory.score_history) == (True, {"deploy": (0.9, 0.1)})
    assert found.memory.episode_log[0].timestamp == "2027-01-15T08:00:00+00:00"
    assert json.loads(path.read_text())["task_rules"] == {"deploy": ["[WORKS] asking", "[AVOID] guessing"]}


def test_what_would_be_recorded_is_told_as_it_would_be_and_nothing_is_written(path: Path) -> None:
    would = would_record(path, episodes(GOOD, BAD), Settings())
    assert not path.parent.exists()
    assert would.model_copy(update={"written": True}) == record(path, episodes(GOOD, BAD), Settings())
    before = path.read_bytes()
    would_record(path, episodes(GOOD), Settings())
    assert path.read_bytes() == before


def test_an_episode_in_place_of_the_memory_is_left_alone(tmp_path: Path) -> None:
    swapped = tmp_path / "episode.json"
    swapped.write_text(json.dumps(BAD))
    assert refusal(record, swapped, episodes(GOOD), Settings()).what == "it holds an episode, not an agent's memory"
    assert [one.name for one in tmp_path.iterdir()] == [swapped.name] and swapped.read_text() == json.dumps(BAD)


def test_who_records_has_more_patience_than_who_looks_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def changing(_: Path, change: Any, *, patience: float) -> Any:
        waited.append(patience)
        return AgentMemory(), change(AgentMemory())

    monkeypatch.setattr(lessons.file, "changing", changing)
    record(path, episodes(GOOD), Settings())
    assert waited == [60]


def test_what_others_keep_in_the_file_stays(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps({"version": 1, "owner": "a trainer", "mistakes": ["late", 7], "mistake_cards": ["x"]}))
    record(path, episodes(BAD), Settings())
    kept = json.loads(path.read_text())
    assert kept["owner"] == "a trainer"
    assert set(map(str, kept["mistakes"])) == {"late", "7", "guessing"} and kept["mistake_cards"] == ["x"]
    assert json.loads(path.with_name(path.name + ".bak").read_text())["mistakes"] == ["late", 7]
    assert read_lessons(path).document().ignored == {"mistakes": 1, "mistake_cards": 1}


def test_a_default_lesson_takes_the_place_of_a_good_one_in_classic_mode_alone(path: Path) -> None:
    real, none = (Episode(mistake_cards=(SeenMistake("early", "t", lesson=said),)) for said in ("Look first.", ""))
    record(path, [real], Settings())
    for settings, kept in ((Settings(), True), (CLASSIC, False)):
        record(path, [none], settings)
        (card,) = read_lessons(path).memory.mistake_cards
        assert (card.lesson == "Look first.") is kept
    assert card.seen_count == 3


# The block.


def test_a_block_keeps_to_the_budget_of_the_settings_or_to_its_own(path: Path) -> None:
    record(path, episodes(GOOD, BAD), Settings())
    found = read_lessons(path)
    whole = found.context("deploy", Settings())
    assert (whole.budget, whole.cut, whole.task) == (200, [], "deploy")
    assert whole.text.startswith("## MEMORY FROM PAST EPISODES\n\nRules for deploy:\n  - [WORKS] asking")
    for short in (found.context("deploy", Settings(lessons_budget=30)), found.context("deploy", Settings(), 30)):
        assert short.budget == 30 and 0 < short.tokens <= 30 and short.cut
    assert found.context("deploy", Settings(), 1).text == ""


def test_classic_blocks_know_no_budget(path: Path) -> None:
    record(path, episodes(*[{**GOOD, "trajectory_summary": "word " * 50, "successes": ["x" * 900]}] * 3), CLASSIC)
    told = read_lessons(path).context("deploy", CLASSIC, 10)
    assert (told.budget, told.cut) == (None, []) and told.tokens > 200


def test_where_there_is_nothing_to_say_the_block_is_empty(path: Path) -> None:
    for settings in (Settings(), CLASSIC):
        told = read_lessons(path).context(None, settings)
        assert (told.text, told.tokens, told.cut, told.task) == ("", 0, [], None)
