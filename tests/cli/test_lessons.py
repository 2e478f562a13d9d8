"""`memscope lessons` as a person, or a training run, meets it."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from memscope.__main__ import run
from memscope.actions.lessons import read_lessons, record
from memscope.base.errors import Exit
from memscope.base.settings import Settings, data_dir
from memscope.lessons.model import Episode, SeenMistake
from memscope.reports.registry import VIEWS
from memscope.store.database import FILE_NAME
from tests.cli.conftest import Call
from tests.clients.chat_server import ChatServer

pytestmark = pytest.mark.usefixtures("noon")

Serve = Callable[..., ChatServer]
RULES = ["Ask before you deploy.", "Read the logs first."]
WELL = json.dumps(RULES)
DERIVED = tuple(f"[CONSOLIDATED] {rule}" for rule in RULES)
SCORED = ("[HIGH SCORE 0.90] asked, then waited",)
GOOD = Episode("deploy", 0.9, 3, "asked, then waited", (), ("asking",))
BAD = Episode("deploy", 0.2, 9, "guessed", ("guessing",), (), (SeenMistake("early", "deploy", lesson="Look first."),))


@pytest.fixture
def memscope(printed: Call) -> Call:
    return partial(printed, "lessons")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of lessons in which consolidation is not due."""
    file = tmp_path / "agent_memory.json"
    record(file, [GOOD, BAD, BAD], Settings())
    return file


@pytest.fixture
def due(path: Path) -> Path:
    """The same once it is."""
    record(path, [BAD] * 17, Settings())
    return path


def wrote(folder: Path, *episodes: Any, name: str = "episode.json") -> Path:
    file = folder / name
    file.write_text(json.dumps(list(episodes)))
    return file


def validated(name: str, out: str, capsys: pytest.CaptureFixture[str]) -> Any:
    """The one document on standard output, which is as `memscope schema` says."""
    document = json.loads(out)
    assert run(["schema", name]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert set(document) == set(schema["properties"])
    assert document["schema"] == schema["properties"]["schema"]["const"] == f"memscope/{name}@1"
    VIEWS[name].document.model_validate(document)
    return document


def general(path: Path) -> tuple[str, ...]:
    return read_lessons(path).memory.global_rules


# show


def test_what_there_is_is_a_table_with_rules_and_cards_below(memscope: Call, path: Path) -> None:
    code, out, err = memscope("show", path)
    lines = out.splitlines()
    assert (code, err) == (Exit.DONE, "")
    assert lines[0].endswith(
        "agent_memory.json: 3 episodes of 1 task · 0 general rules · 1 mistake · 1 mistake card"
        " · consolidation in 17 episodes"
    )
    assert lines[2].split() == ["task", "episodes", "mean", "last", "scores", "rules", "conflicts"]
    assert lines[4].split() == ["deploy", "3", "0.43", "0.20", "█▂▂", "2"]
    assert "Rules for deploy:\n  [WORKS] asking\n  [AVOID] guessing" in out
    assert "Mistake cards:\n  early (deploy), seen 2x: Look first." in out


def test_as_json_it_is_one_document_and_as_csv_a_line_for_each_task(
    memscope: Call, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = memscope("show", path, "--json")
    document = validated("lessons", out, capsys)
    assert (code, err, document["source"]) == (0, "", str(path))
    assert (document["tasks"][0]["scores"], document["total_episodes"]) == ([0.9, 0.2, 0.2], 3)
    code, out, _ = memscope("show", path, "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert (code, row["task"], row["episodes"], row["scores"]) == (0, "deploy", "3", "0.90 0.20 0.20")


def test_one_task_may_be_shown_alone(memscope: Call, path: Path) -> None:
    record(path, [Episode("rollback", 0.5)], Settings())
    tasks = json.loads(memscope("show", path, "--task", "rollback", "--json")[1])["tasks"]
    assert [one["task"] for one in tasks] == ["rollback"]
    code, _, err = memscope("show", path, "--task", "no\x1b[2J")
    assert code == Exit.NOTHING and "nothing is known of the task no␛[2J" in err


def test_of_one_task_the_conflicts_of_others_are_left_out(memscope: Call, path: Path) -> None:
    episodes = [Episode("rollback", 0.9, successes=("Waiting",)), Episode("rollback", 0.1, mistakes=("waiting",))]
    record(path, episodes, Settings())
    assert "[WORKS] Waiting  ×  [AVOID] waiting (rollback)" in memscope("show", path)[1]
    assert "contradict" in memscope("show", path, "--task", "rollback")[1]
    assert "contradict" not in memscope("show", path, "--task", "deploy")[1]


def test_scores_and_counts_of_any_size_are_printed_or_refused(memscope: Call, path: Path, tmp_path: Path) -> None:
    path.write_text('{"version": 1, "score_history": {"t": [1e308, 1e308]}, "total_episodes": 2}')
    assert memscope("show", path)[0] == 0
    code, out, err = memscope("context", path, "--task", "t", "--budget", "999")
    assert code == 0 and "1000" in out and "inf" not in out + err
    path.write_text('{"version": 1,\n "total_episodes": ' + "9" * 4300 + "}")
    code, out, err = memscope("record", path, wrote(tmp_path, {}))
    assert (code, out) == (Exit.USAGE, "") and "line 2: total_episodes is 9999" in err


def test_only_the_cards_that_were_seen_most_are_listed(memscope: Call, path: Path) -> None:
    cards = tuple(SeenMistake(f"kind {number}", "deploy") for number in range(7))
    record(path, [Episode("deploy", 0.2, mistake_cards=cards)], Settings())
    stored = json.loads(path.read_text())
    stored["mistake_cards"].reverse()
    path.write_text(json.dumps(stored))
    out = memscope("show", path)[1]
    assert "early (deploy), seen 2x" in out and "and 3 more; --json has them all" in out


def test_no_file_and_an_empty_one_are_nothing_found(memscope: Call, tmp_path: Path) -> None:
    missing, empty = tmp_path / "none.json", tmp_path / "empty.json"
    empty.write_text('{"version": 1}')
    for file, why in ((missing, "no such file yet"), (empty, "nothing was recorded yet")):
        code, out, err = memscope("show", file)
        assert (code, out) == (Exit.NOTHING, "") and why in err
        code, out, _ = memscope("show", file, "--json")
        assert code == Exit.NOTHING and why in json.loads(out)["reason"]
        assert memscope("consolidate", file)[0] == Exit.NOTHING
        assert memscope("context", file)[0] == Exit.NOTHING
    assert not missing.exists()


def test_the_file_is_that_of_the_settings_where_none_is_named(
    memscope: Call, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMSCOPE_LESSONS_FILE", str(path))
    assert json.loads(memscope("show", "--json")[1])["source"] == str(path)


def test_what_counts_for_nothing_is_told(memscope: Call, path: Path) -> None:
    path.write_text('{"version": 1, "total_episodes": 1, "mistakes": ["late", 7], "mistake_cards": ["x"]}')
    code, _, err = memscope("show", path)
    assert code == 0 and "1 of mistakes, 1 of mistake_cards; they are ignored" in err


@pytest.mark.parametrize("action", ["show", "context", "record", "consolidate"])
def test_a_broken_file_is_named_with_its_line_and_stays_as_it_was(
    memscope: Call, path: Path, tmp_path: Path, action: str
) -> None:
    broken = b'{\n "version": 1,\n "mistakes": [\n  "late"\n  "early"]}'
    path.write_bytes(broken)
    more = [wrote(tmp_path, {})] if action == "record" else []
    before = sorted(tmp_path.iterdir())
    code, out, err = memscope(action, path, *more)
    assert (code, out) == (Exit.USAGE, "")
    assert "agent_memory.json: line 5: " in err and "left as it is" in err
    assert (path.read_bytes(), sorted(tmp_path.iterdir())) == (broken, before)


# context


def test_a_block_is_printed_alone_and_what_was_cut_is_told_beside_it(
    memscope: Call, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = memscope("context", path, "--task", "deploy")
    assert (code, out) == (0, read_lessons(path).context("deploy", Settings()).text + "\n")
    assert " of 200 tokens" in err and "cut from" not in err
    code, out, err = memscope("context", path, "--task", "deploy", "--budget", "30")
    assert code == 0 and len(out.rstrip("\n")) <= 120
    assert "cut from the mistake cards: [early, seen 2x] Look first." in err
    document = validated("lessons-context", memscope("context", path, "--budget", "30", "--json")[1], capsys)
    assert (document["task"], document["budget"]) == (None, 30)
    code, out, err = memscope("context", path, "--task", "deploy", "--budget", "1")
    assert (code, out) == (Exit.NOTHING, "") and "nothing fits into the budget" in err
    assert next(csv.reader(io.StringIO(memscope("context", path, "--format", "csv")[1]))) == ["section", "line"]


def test_a_block_of_an_unknown_task_or_file_is_told_as_it_is_when_it_is_shown(memscope: Call, path: Path) -> None:
    code, out, err = memscope("context", path, "--task", "no\x1b[2J")
    assert code == 0 and out.startswith("## MEMORY") and "nothing is known of the task no␛[2J" in err
    code, out, err = memscope("context", path.with_name("none.json"), "--task", "deploy")
    assert (code, out) == (Exit.NOTHING, "") and "none.json: there is no such file yet" in err


@pytest.mark.parametrize("compat", [[], ["--compat", "classic"]])
def test_a_block_is_printed_to_the_letter(memscope: Call, path: Path, compat: list[str]) -> None:
    path.write_text(json.dumps({"version": 1, "mistakes": ["a\tb  c :smile: " + "w " * 200]}))
    classic = Settings(compat="classic" if compat else "", lessons_budget=999)
    out = memscope("context", path, *compat, *([] if compat else ["--budget", "999"]))[1]
    assert out == read_lessons(path).context(None, classic).text + "\n"
    assert ("a\tb  c" in out) is bool(compat)


def test_a_classic_block_has_no_budget(memscope: Call, path: Path) -> None:
    code, out, _ = memscope("context", path, "--task", "deploy", "--compat", "classic", "--budget", "1", "--json")
    assert (code, json.loads(out)["budget"]) == (0, None)


# record


def test_episodes_are_recorded_from_a_file_and_from_standard_input(
    memscope: Call, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = wrote(tmp_path, {"task_id": "rollback", "score": 0.9, "successes": ["waiting"]}, {"score": 0.1})
    code, out, err = memscope("record", path, file)
    assert (code, err) == (0, "") and "2 episodes recorded; 5 episodes in all" in out
    assert "[WORKS] waiting" in out
    told = io.TextIOWrapper(io.BytesIO(b'{"task_id": "gr\xc3\xb6\xc3\x9fe", "score": 1}'))
    monkeypatch.setattr(sys, "stdin", told)
    code, out, err = memscope("record", path, "-", "--json")
    document = validated("lessons-change", out, capsys)
    assert (code, err, document["written"], document["total_episodes"]) == (0, "", True, 6)
    assert read_lessons(path).memory.score_history["größe"] == (1.0,)


def test_a_dry_run_of_recording_writes_nothing(memscope: Call, path: Path, tmp_path: Path) -> None:
    file, before = wrote(tmp_path, {"mistakes": ["late"], "score": 0}), path.read_bytes()
    code, out, _ = memscope("record", path, file, "--dry-run")
    assert code == 0 and "1 episode would be recorded; 4 episodes in all" in out
    assert memscope("record", tmp_path / "new" / "m.json", file, "--dry-run", "--format", "csv")[1].splitlines() == [
        "change,list,text",
        "added,task_rules/unknown,[AVOID] late",
        "added,mistakes,late",
    ]
    assert path.read_bytes() == before and not (tmp_path / "new").exists()


def test_a_card_that_was_seen_again_is_told_once(memscope: Call, path: Path, tmp_path: Path) -> None:
    file = wrote(tmp_path, {"task_id": "deploy", "score": 0.5, "mistake_cards": [{"mistake_type": "early"}]})
    assert memscope("record", path, file, "--format", "csv")[1].splitlines() == [
        "change,list,text",
        'seen again,mistake_cards,"early, seen 3x: Look first."',
    ]


def test_where_nothing_is_done_a_program_is_given_a_document(
    memscope: Call, path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for args in (["record", path, wrote(tmp_path)], ["consolidate", tmp_path / "none.json"]):
        code, out, _ = memscope(*args, "--json")
        document = validated("lessons-change", out, capsys)
        assert (code, document["written"], document["changes"]) == (Exit.NOTHING, False, [])
    assert not (tmp_path / "none.json").exists()


def test_no_episode_at_all_is_nothing_found(memscope: Call, path: Path, tmp_path: Path) -> None:
    before = path.read_bytes()
    code, out, err = memscope("record", path, wrote(tmp_path))
    assert (code, out, path.read_bytes()) == (Exit.NOTHING, "", before) and "no episode" in err


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ('[{"score": 0.5}, {"score": 92}]', "episode 2: score is 92, which is outside 0 to 1"),
        ('{"score": NaN}', "score is nan, which is not finite"),
        ('{"score": "0.5"}', "score is a text, not a number"),
        ('{"score": 0.5,\n', "this is no JSON: line 2"),
        ("[[]]", "episode 1: this is a list, not an object"),
        ('{"steps": "\\u001b[2J"}', "steps is "),
    ],
)
def test_a_wrong_episode_is_told_and_none_is_recorded(
    memscope: Call, path: Path, tmp_path: Path, told: str, said: str
) -> None:
    (tmp_path / "episode.json").write_text(told)
    before = path.read_bytes()
    code, out, err = memscope("record", path, tmp_path / "episode.json")
    assert (code, out, path.read_bytes()) == (Exit.USAGE, "", before)
    assert said in err and "episode.json" in err and "\x1b" not in err


def test_a_memory_and_an_episode_that_were_swapped_are_left_alone(memscope: Call, path: Path, tmp_path: Path) -> None:
    file = tmp_path / "episode.json"
    file.write_text('{"task_id": "deploy", "score": 0.2, "mistakes": ["late"]}')
    before = path.read_bytes(), file.read_bytes()
    code, out, err = memscope("record", file, path)
    assert (code, out) == (Exit.USAGE, "") and "this is an agent's memory, not an episode" in err
    code, out, err = memscope("record", file, file)
    assert (code, out) == (Exit.USAGE, "") and "it holds an episode, not an agent's memory" in err
    assert (path.read_bytes(), file.read_bytes()) == before
    assert sorted(one.name for one in tmp_path.iterdir()) == [f".{path.name}.lock", path.name, file.name]


# consolidate


def test_what_is_not_due_is_not_done_unless_it_is_to_be(
    memscope: Call, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = path.read_bytes()
    code, out, err = memscope("consolidate", path)
    assert (code, out) == (0, "") and "consolidation in 17 episodes; --now does it all the same" in err
    document = validated("lessons-change", memscope("consolidate", path, "--json")[1], capsys)
    assert (document["written"], document["by"], document["due"], document["changes"]) == (False, None, False, [])
    assert path.read_bytes() == before
    code, out, err = memscope("consolidate", path, "--now")
    assert (code, err) == (0, "") and "general rules from episodes with high scores: 1 added, 0 dropped" in out
    assert general(path) == SCORED


def test_a_dry_run_of_consolidation_writes_nothing(memscope: Call, due: Path) -> None:
    before = due.read_bytes()
    code, out, _ = memscope("consolidate", due, "--dry-run")
    assert code == 0 and "1 would be added, 0 would be dropped" in out and SCORED[0] in out
    assert due.read_bytes() == before


def test_no_rule_derived_is_nothing_found(memscope: Call, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    record(path, [BAD] * 20, Settings())
    before = path.read_bytes()
    code, out, err = memscope("consolidate", path)
    assert (code, out, path.read_bytes()) == (Exit.NOTHING, "", before)
    assert "no rule could be derived: no episode since the last consolidation scored 0.85 or more" in err


def test_a_model_derives_the_rules_where_one_is_set_and_is_asked_once(
    memscope: Call, due: Path, chat_server: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = chat_server("prose", words=WELL)
    monkeypatch.setenv("MEMSCOPE_CHAT_URL", server.url)
    code, out, err = memscope("consolidate", due, "--dry-run")
    assert code == 0 and "general rules by talker: 2 would be added" in out
    assert err.count(f"are sent to {server.url}") == 1
    code, out, err = memscope("consolidate", due)
    assert (code, err) == (0, "") and general(due) == DERIVED
    assert len(server.chats()) == 1
    assert memscope("consolidate", due, "--now", "--no-chat")[0] == Exit.NOTHING and general(due) == DERIVED
    assert len(server.chats()) == 1
    assert "are sent to" in memscope("consolidate", due, "--now", "--again")[2]
    assert len(server.chats()) == 2


def test_where_a_model_fails_it_is_shown_and_the_scores_tell_the_rules(
    memscope: Call, due: Path, chat_server: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = chat_server("excuse", words=WELL)
    monkeypatch.setenv("MEMSCOPE_CHAT_URL", server.url)
    code, out, err = memscope("consolidate", due, "--json")
    document = json.loads(out)
    assert (code, document["by"], document["model"]) == (0, "scores", None)
    assert "Rate limit exceeded" in document["trouble"] and "Rate limit exceeded" in err
    assert "The scores of the episodes tell the rules instead." in err
    server.behave("nothing")
    record(due, [GOOD], Settings())
    assert "the answer is empty. " in memscope("consolidate", due, "--now", "--dry-run")[2]
    assert general(due) == SCORED


def test_stopping_while_a_model_is_asked_writes_nothing(
    memscope: Call, due: Path, chat_server: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("MEMSCOPE_CHAT_URL", chat_server(words=WELL).url)
    monkeypatch.setattr("memscope.actions.consolidation.ask", stopped)
    before = due.read_bytes()
    code, out, _ = memscope("consolidate", due)
    assert (code, out, due.read_bytes()) == (Exit.INTERRUPTED, "", before)


def test_a_classic_answer_without_brackets_derives_nothing_and_is_no_failure(
    memscope: Call, due: Path, chat_server: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMSCOPE_CHAT_URL", chat_server(words="I would rather not say.").url)
    code, out, err = memscope("consolidate", due, "--compat", "classic")
    assert (code, out, general(due)) == (Exit.NOTHING, "", ())
    assert "no rule could be derived; in classic mode the memory counts as consolidated all the same" in err
    assert read_lessons(due).memory.last_consolidated_at == 20


def test_a_store_that_is_none_or_off_costs_the_kept_answer_alone(
    memscope: Call, due: Path, chat_server: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = chat_server(words=WELL)
    monkeypatch.setenv("MEMSCOPE_CHAT_URL", server.url)
    code, _, err = memscope("consolidate", due, "--no-store", "--dry-run")
    assert code == 0 and "nothing is kept" not in err and not data_dir().exists()
    data_dir().mkdir(parents=True)
    (data_dir() / FILE_NAME).write_bytes(b"no database at all " * 100)
    code, _, err = memscope("consolidate", due)
    assert code == 0 and "nothing is kept: " in err and general(due) == DERIVED
    assert len(server.chats()) == 2


# Wrong use, and hostile words.


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "show|context|record|consolidate"),
        (["forget", "m.json"], "forget"),
        (["show", "m.json", "--budget", "3"], "--budget with show"),
        (["show", "m.json", "--now"], "--now with show"),
        (["context", "m.json", "--dry-run"], "--dry-run with context"),
        (["record", "m.json", "e.json", "--task", "t"], "--task with record"),
        (["record", "m.json", "e.json", "--again"], "--again with record"),
        (["consolidate", "m.json", "--task", "t"], "--task with consolidate"),
        (["record", "m.json"], "record takes a file of lessons, and one of episodes"),
        (["record"], "record takes a file of lessons, and one of episodes"),
        (["show", "m.json", "e.json"], "show takes one file"),
        (["context", "m.json", "--budget", "0"], "--budget"),
        (["record", "m.json", "gone.json"], "gone.json"),
        (["show", "."], "this is a folder, not a file"),
        (["show", "~nobody-at-all/m.json"], "there is no such home folder"),
        (["consolidate", "m.json", "--chat", "--now"], "no chat server is set"),
    ],
)
def test_wrong_use_says_what_is_wrong(
    memscope: Call, path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], said: str
) -> None:
    monkeypatch.chdir(path.parent)
    path.rename("m.json")
    Path("e.json").write_text("{}")
    before = Path("m.json").read_bytes()
    code, out, err = memscope(*args)
    assert (code, out, Path("m.json").read_bytes()) == (Exit.USAGE, "", before) and said in err


HOSTILE = "\x1b]0;owned\x07\u202e[bold]\ud800\r\n:smile: x"


def test_hostile_words_do_not_reach_the_terminal(
    memscope: Call, tmp_path: Path, chat_server: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {
        "task_id": HOSTILE,
        "trajectory_summary": HOSTILE,
        "mistake_cards": [{"mistake_type": HOSTILE, "lesson": HOSTILE, "evidence": HOSTILE}],
    }
    works, fails = {**told, "score": 1, "successes": [HOSTILE]}, {**told, "score": 0, "mistakes": [HOSTILE]}
    path, file = tmp_path / "m\x1b[2J.json", wrote(tmp_path, works, fails, name="e\u202e.json")
    wrong = wrote(tmp_path, {"score": HOSTILE}, name="wrong\x1b.json")
    server = chat_server("error", words=HOSTILE)
    printed = [memscope("record", path, file), memscope("record", path, wrong)]
    would = ["consolidate", "--now", "--dry-run"]
    for args in (["show"], ["show", "--task", HOSTILE], ["context", "--task", HOSTILE], would):
        for form in ("table", "json", "csv"):
            printed.append(memscope(args[0], path, *args[1:], "--format", form))
    monkeypatch.setenv("MEMSCOPE_CHAT_URL", server.url)
    printed.append(memscope("consolidate", path, "--now"))
    server.behave("well", words=json.dumps([HOSTILE]))
    printed.append(memscope("consolidate", path, "--now", "--again"))
    path.write_text(json.dumps({"version": HOSTILE}))
    printed.append(memscope("show", path))
    assert [code for code, _, _ in printed] == [0, 2, *[0] * 14, 2]
    for _, out, err in printed:
        assert not {"\x1b", "\x07", "\u202e", "\ud800", "\r"} & set(out + err)
    assert "[bold]" in printed[2][1] and ":smile:" in printed[2][1]
