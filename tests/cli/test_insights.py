"""`memscope insights` as a person meets it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from memscope.__main__ import run
from memscope.base.errors import Exit, StoreError
from memscope.base.settings import data_dir
from memscope.reports.registry import VIEWS
from memscope.store.database import FILE_NAME
from memscope.store.journal import Journal
from tests.cli.conftest import Call
from tests.clients.chat_server import ChatServer
from tests.insights import failing
from tests.promotion.recurring import write_talk

pytestmark = pytest.mark.usefixtures("noon")

Serve = Callable[..., ChatServer]
SECRET = "ghp_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3"  # made up
WELL = json.dumps({"insights": [{"text": "Look whether the file is there.", "confidence": 0.9}]})
FAILED = "'shell' errored 2 times: no such file"
WORKED = "Sequence [Bash→Edit] succeeded for: Speed up the queue."
LOOK = "Look whether the file is there."
EXCUSE = "I would rather not say."


@pytest.fixture
def memscope(printed: Call) -> Call:
    return partial(printed, "insights")


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    """Two sessions: one in which a tool failed twice, and one in which two tools worked."""
    folder = tmp_path / "talks"
    folder.mkdir()
    failing.write("openai", folder)
    write_talk(folder / "talk.json", "Speed up the queue.")
    return folder


@pytest.fixture
def server(chat_server: Serve, monkeypatch: pytest.MonkeyPatch) -> ChatServer:
    """The chat server of the settings, which answers well."""
    made = chat_server(words=WELL)
    monkeypatch.setenv("MEMSCOPE_CHAT_URL", made.url)
    return made


def validated(name: str, out: str, capsys: pytest.CaptureFixture[str]) -> Any:
    """The one document on standard output, which is as `memscope schema` says."""
    document = json.loads(out)
    assert run(["schema", name]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert set(document) == set(schema["properties"])
    assert document["schema"] == schema["properties"]["schema"]["const"] == f"memscope/{name}@1"
    VIEWS[name].document.model_validate(document)
    return document


def texts(out: str) -> list[str]:
    return [one["text"] for one in json.loads(out)["insights"]]


def kept(memscope: Call) -> list[str]:
    return texts(memscope("--kept", "--json")[1])


# Finding.


def test_what_sessions_teach_is_printed_as_a_table(
    memscope: Call, talks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "110")
    code, out, err = memscope(talks)
    lines = out.splitlines()
    assert (code, err, lines[0]) == (Exit.DONE, "", "2 sessions · 1 repeated error · 1 sequence")
    assert FAILED in lines[4] and "session #" in lines[4] and "0.40" in lines[4]
    assert WORKED in lines[5] and all(len(line) <= 110 for line in lines)


def test_as_json_it_is_one_document_as_csv_a_line_each_and_as_lines_too(
    memscope: Call, talks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = memscope(talks, "--json")
    document = validated("insights", out, capsys)
    assert (code, err, document["sessions"], document["reason"]) == (0, "", 2, None)
    first = document["insights"][0]
    assert (first["text"], first["state"], first["model"], first["sessions"]) == (FAILED, "new", None, 1)
    assert [(one["source"], one["message"], one["words"]) for one in first["evidence"]] == [
        (str(talks / "session.jsonl"), message, failing.FAILED) for message in (2, 4)
    ]
    code, out, _ = memscope(talks, "--format", "csv")
    assert [row["insight"] for row in csv.DictReader(io.StringIO(out))] == [FAILED, WORKED]
    code, out, err = memscope(talks, "--jsonl")
    assert (code, err, [json.loads(line) for line in out.splitlines()]) == (0, "", document["insights"])


def test_kinds_and_confidence_are_chosen(memscope: Call, talks: Path) -> None:
    assert texts(memscope(talks, "--kind", "successful_sequence", "--json")[1]) == [WORKED]
    assert texts(memscope(talks, "--min-confidence", "0.45", "--json")[1]) == [WORKED]
    code, out, err = memscope(talks, "--kind", "long_reasoning")
    assert (code, out) == (Exit.NOTHING, "") and "none of 2 insights is of this kind and confidence" in err


def test_repeats_are_one_where_that_is_asked_for(memscope: Call, talks: Path) -> None:
    write_talk(talks / "again.json", "Speed up the queue.", "And the other.")
    assert len(texts(memscope(talks, "--json")[1])) == 4
    merged = json.loads(memscope(talks, "--merge", "--json")[1])["insights"]
    assert [one["text"] for one in merged].count(WORKED) == 1
    assert max(one["sessions"] for one in merged) == 2
    assert memscope(talks, "--merge")[1].startswith("3 sessions · 1 repeated error · 2 sequences\n")


def test_nothing_found_is_told_with_the_reason(memscope: Call, tmp_path: Path) -> None:
    quiet = write_talk(tmp_path / "q" / "quiet.json", "Go.", tools=["Bash"])
    code, out, err = memscope(quiet)
    assert (code, out) == (Exit.NOTHING, "") and "nothing stands out in 1 session" in err
    (tmp_path / "none").mkdir()
    code, out, err = memscope(tmp_path / "none", "--json")
    assert code == Exit.NOTHING and json.loads(out)["reason"] == "no session was read"
    assert "no transcript is below this folder" in err
    assert memscope(tmp_path / "none", "--jsonl")[:2] == (Exit.NOTHING, "")


def test_what_was_not_read_is_told_beside_what_was_found(memscope: Call, talks: Path) -> None:
    for name in "ab":
        (talks / name).mkdir()
        failing.write("claude-code", talks / name)
    for number in range(7):
        (talks / f"broken{number}.jsonl").write_text("{broken\n")
    code, out, err = memscope(talks, "--json")
    document = json.loads(out)
    assert (code, document["copies"], len(document["unread"])) == (0, 1, 7)
    assert "left out: 1 copy of a session" in err and err.count("/broken") == 5
    assert "and 2 more that could not be read; --json lists them" in err


# The prompt.


def test_the_prompt_is_printed_and_nothing_is_sent(
    memscope: Call, talks: Path, server: ChatServer, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = memscope(talks, "--prompt")
    assert code == 0 and out.startswith("[system]\n") and "\n[user]\n## Recent Session Traces\n" in out
    assert f"- [repeated_tool_error] {FAILED}" in out
    assert "2 sessions" in err and f"to {server.url}" in err and "characters, about" in err
    document = validated("insights-prompt", memscope(talks, "--prompt", "--json")[1], capsys)
    assert [one["role"] for one in document["messages"]] == ["system", "user"]
    assert (document["cached"], document["left_out"], server.log) == (False, 0, [])
    memscope(talks, "--synthesize")
    asked = len(server.log)
    assert json.loads(memscope(talks, "--prompt", "--json")[1])["cached"] is True
    assert "its answer is kept: nothing is sent" in memscope(talks, "--prompt")[2]
    assert len(server.log) == asked


def test_a_prompt_is_shown_without_a_server_and_as_the_settings_have_it(memscope: Call, talks: Path) -> None:
    code, out, err = memscope(talks, "--prompt", "--no-insight-rules", "--insight-count", "3", "--insight-chars", "500")
    assert code == 0 and "no chat server is set" in err
    assert "Rule-Based" not in out and "3 insights" in out
    code, out, err = memscope(talks, "--prompt", "--compat", "classic", "--format", "csv")
    assert code == 0 and out.startswith("role,content\n")


def test_a_prompt_of_nothing_is_nothing_found(memscope: Call, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    assert memscope(tmp_path / "none", "--prompt")[0] == Exit.NOTHING


# Synthesis.


def test_a_chat_model_is_asked_once_and_its_insights_stand_last(
    memscope: Call, talks: Path, server: ChatServer
) -> None:
    code, out, err = memscope(talks, "--synthesize", "--json")
    document = json.loads(out)
    assert (code, texts(out)) == (0, [FAILED, WORKED, LOOK])
    assert (document["insights"][-1]["model"], document["insights"][-1]["sessions"]) == ("talker", 2)
    assert err.count("are sent to") == 1 and server.url in err and "without credentials" in err
    code, out, err = memscope(talks, "--synthesize", "--kind", "synthesized", "--json")
    assert (code, texts(out), err, len(server.chats())) == (0, [LOOK], "", 1)
    assert "are sent to" in memscope(talks, "--synthesize", "--again")[2]
    assert len(server.chats()) == 2
    assert kept(memscope) == []


def test_a_dead_server_costs_the_synthesis_alone(memscope: Call, talks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMSCOPE_CHAT_URL", "http://127.0.0.1:9/v1")
    code, out, err = memscope(talks, "--synthesize", "--keep", "--json")
    assert (code, texts(out)) == (Exit.ENGINE, [FAILED, WORKED])
    assert json.loads(out)["error"].startswith("http://127.0.0.1:9: no answer")
    assert "2 insights kept" in err and err.splitlines()[-1].startswith("memscope: http://127.0.0.1:9: no answer")
    assert kept(memscope) == [FAILED, WORKED]


@pytest.mark.parametrize("behaviour", ["excuse", "nothing", "401", "html"])
def test_no_answer_is_an_error_and_never_an_insight(
    memscope: Call, talks: Path, server: ChatServer, behaviour: str
) -> None:
    server.behave(behaviour)
    code, out, err = memscope(talks, "--synthesize", "--keep-reply", "--json")
    assert (code, texts(out)) == (Exit.ENGINE, [FAILED, WORKED])
    assert "are sent to" in err


def test_an_answer_that_cannot_be_read_is_shown_and_kept_on_purpose_alone(
    memscope: Call, talks: Path, server: ChatServer
) -> None:
    server.behave("well", words=EXCUSE)
    code, out, err = memscope(talks, "--synthesize", "--keep", "--json")
    document = json.loads(out)
    assert (code, document["reply"], texts(out)) == (Exit.NOTHING, EXCUSE, [FAILED, WORKED])
    assert "no JSON" in document["parse_error"]
    assert "nothing can be made of the chat model's answer" in err and "--keep-reply takes it" in err
    assert f"it says: {EXCUSE}" in memscope(talks, "--synthesize")[2]
    assert kept(memscope) == [FAILED, WORKED]
    code, out, err = memscope(talks, "--synthesize", "--keep-reply", "--keep", "--json")
    document = json.loads(out)
    assert (code, document["parse_error"], document["reply"]) == (0, None, None)
    assert texts(out) == [FAILED, WORKED, EXCUSE] and kept(memscope) == [FAILED, WORKED, EXCUSE]
    assert "nothing can be made" not in err
    assert len(server.chats()) == 2  # an answer of no use is asked for anew, but not where it is wanted as it is


def test_an_answer_without_words_is_never_kept(memscope: Call, talks: Path, server: ChatServer) -> None:
    server.behave("calls")
    for more in ([], ["--compat", "classic"]):
        code, _, err = memscope(talks, "--synthesize", "--keep-reply", "--keep", *more)
        assert (code, kept(memscope)) == (Exit.NOTHING, [FAILED, WORKED])
        assert "the answer is empty" in err and "it says" not in err and "--keep-reply" not in err
        assert "--again asks anew" in err
    assert len(server.chats()) == 2


def test_classic_mode_takes_whatever_a_model_says(memscope: Call, talks: Path, server: ChatServer) -> None:
    server.behave("well", words=EXCUSE)
    code, out, err = memscope(talks, "--synthesize", "--compat", "classic", "--json")
    assert (code, texts(out)[-1]) == (0, EXCUSE) and "as they are" in err
    server.behave("excuse")
    code, out, err = memscope(talks, "--synthesize", "--compat", "classic", "--again", "--json")
    assert (code, texts(out)[-1]) == (0, "Rate limit exceeded")


def test_credentials_of_a_transcript_are_neither_sent_nor_printed(
    memscope: Call, talks: Path, server: ChatServer
) -> None:
    write_talk(talks / "login.json", f"Log in with {SECRET}.", words=f"I take {SECRET}. {'word ' * 150}")
    _, out, err = memscope(talks, "--synthesize", "--json")
    assert len(server.chats()) == 1 and SECRET not in json.dumps([one.body for one in server.log])
    assert SECRET not in out + err + memscope(talks, "--prompt")[1] + memscope(talks)[1]


def test_sessions_that_say_nothing_are_not_sent(memscope: Call, tmp_path: Path, server: ChatServer) -> None:
    (tmp_path / "none").mkdir()
    code, _, err = memscope(tmp_path / "none", "--synthesize")
    assert code == Exit.USAGE and "no session says anything that could be sent" in err
    assert server.log == []


# Keeping.


def test_what_is_kept_is_listed_dropped_and_brought_back(memscope: Call, talks: Path) -> None:
    code, out, _ = memscope("--kept")
    assert (code, out) == (Exit.NOTHING, "")
    code, _, err = memscope(talks, "--keep")
    assert code == 0 and "2 insights kept" in err
    assert "2 said already" in memscope(talks, "--keep")[2]
    code, out, err = memscope("--kept", "--jsonl")
    rows = [json.loads(line) for line in out.splitlines()]
    assert (code, err, [row["text"] for row in rows]) == (0, "", [FAILED, WORKED])
    assert {row["state"] for row in rows} == {"kept"} and all(row["evidence"] for row in rows)
    name = rows[0]["name"]
    assert name[:12] in memscope("--kept")[1]
    code, out, err = memscope("--drop", name[:12])
    assert (code, out) == (0, "") and "1 insight dropped; --undo takes that back" in err
    assert kept(memscope) == [WORKED]
    code, out, err = memscope(talks, "--keep", "--json")
    assert [(one["text"], one["state"]) for one in json.loads(out)["insights"]] == [(WORKED, "kept")]
    assert "0 insights kept, 1 said already" in err and "left out: 1 insight dropped before" in err
    assert "undone: dropping 1 insight" in memscope("--undo")[2]
    assert kept(memscope) == [FAILED, WORKED]
    assert "undone: keeping 2 insights" in memscope("--undo")[2]
    code, _, err = memscope("--undo")
    assert code == Exit.NOTHING and "there is nothing to undo" in err


def test_only_what_is_chosen_is_kept(memscope: Call, talks: Path) -> None:
    memscope(talks, "--keep", "--kind", "successful_sequence")
    assert kept(memscope) == [WORKED]
    code, _, err = memscope("--kept", "--kind", "synthesized")
    assert code == Exit.NOTHING and "none of 1 kept insight is of this kind and confidence" in err


def test_several_are_dropped_at_once_or_none(memscope: Call, talks: Path) -> None:
    memscope(talks, "--keep")
    first, second = (one["name"] for one in json.loads(memscope("--kept", "--json")[1])["insights"])
    code, _, err = memscope("--drop", first, "--drop", "0" * 12)
    assert code == Exit.USAGE and "no insight is kept under a name that begins with '000000000000'" in err
    assert len(kept(memscope)) == 2
    assert memscope("--drop", first[:5])[0] == Exit.USAGE
    assert "2 insights dropped" in memscope("--drop", first, second)[2]
    assert kept(memscope) == []


def test_what_is_found_is_dropped_before_anything_is_kept(memscope: Call, talks: Path) -> None:
    first = json.loads(memscope(talks, "--json")[1])["insights"][0]["name"]
    code, _, err = memscope("--drop", first)
    assert code == Exit.USAGE and "no insight is kept under" in err and "as --kept --json has it" in err
    code, _, err = memscope(talks, "--drop", "0" * 12)
    assert code == Exit.USAGE and "no insight is found under" in err
    assert "1 insight dropped" in memscope(talks, "--drop", first)[2]
    assert "dropped already" in memscope(talks, "--drop", first)[2]
    assert texts(memscope(talks, "--json")[1]) == [WORKED]
    second = json.loads(memscope(talks, "--json")[1])["insights"][0]["name"]
    memscope(talks, "--drop", second)
    code, out, err = memscope(talks, "--keep")
    assert (code, out) == (Exit.NOTHING, "") and "2 insights found, and dropped before" in err


def test_without_a_store_nothing_is_sent_that_was_to_be_kept(memscope: Call, talks: Path, server: ChatServer) -> None:
    code, out, err = memscope(talks, "--synthesize", "--keep", "--no-store")
    assert (code, out, server.log) == (Exit.USAGE, "", []) and "nothing is kept on disk" in err


def test_without_a_store_nothing_is_kept_and_that_is_told(memscope: Call, talks: Path) -> None:
    assert memscope(talks, "--no-store")[0] == 0
    assert memscope("--kept", "--no-store")[0] == Exit.NOTHING
    for args in ([talks, "--keep"], ["--drop", "abcdef"], ["--undo"]):
        code, out, err = memscope(*args, "--no-store")
        assert (code, out) == (Exit.USAGE, "") and "nothing is kept on disk" in err
    assert not data_dir().exists()
    data_dir().mkdir(parents=True)
    (data_dir() / FILE_NAME).write_bytes(b"no database at all " * 100)
    code, out, err = memscope(talks, "--json")
    assert (code, texts(out)) == (0, [FAILED, WORKED]) and "nothing is kept: " in err


def test_a_store_that_fails_to_keep_is_told(memscope: Call, talks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(Journal, "add_all", fail)
    code, _, err = memscope(talks, "--keep", "--json")
    assert code == Exit.USAGE and "the disk is full" in err


# Wrong use, stopping, and hostile words.


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["gone.jsonl"], "there is no such file or folder"),
        (["other.json"], "other.json"),
        (["talks", "--kind", "x"], "--kind"),
        (["talks", "--min-confidence", "2"], "--min-confidence"),
        (["talks", "--min-confidence", "nan"], "--min-confidence"),
        (["talks", "--insight-chars", "3"], "insight_chars"),
        (["talks", "--insight-count", "0"], "insight_count"),
        (["talks", "--input-format", "no-such"], "no-such"),
        (["talks", "--keep-reply"], "--keep-reply without --synthesize"),
        (["talks", "--again"], "--again without --synthesize"),
        (["--kept", "talks"], "--kept and PATH at once"),
        (["--kept", "--undo"], "--kept and --undo at once"),
        (["--undo", "--synthesize"], "--undo and --synthesize at once"),
        (["--undo", "--kind", "synthesized"], "--undo and --kind at once"),
        (["talks", "--drop", "abcdef", "--keep"], "--drop and --keep at once"),
        (["talks", "--prompt", "--keep"], "--prompt and --keep at once"),
        (["talks", "--prompt", "--jsonl"], "--prompt and --jsonl at once"),
        (["talks", "--prompt", "--kind", "synthesized"], "--prompt and --kind at once"),
        (["talks", "--prompt", "--min-confidence", "0.5"], "--prompt and --min-confidence at once"),
        (["talks", "--jsonl", "--json"], "--jsonl and --json at once"),
        (["--kept", "--jsonl", "--format", "csv"], "--jsonl and --format at once"),
        (["talks", "--synthesize"], "no chat server is set"),
    ],
)
def test_wrong_use_says_what_is_wrong(
    memscope: Call, talks: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], said: str
) -> None:
    monkeypatch.chdir(talks.parent)
    Path("other.json").write_text('{"a": 1}')
    code, out, err = memscope(*args)
    assert code == Exit.USAGE and said in err
    assert not out or args == ["talks", "--synthesize"]


def test_stopping_while_a_model_is_asked_prints_what_rules_saw_and_keeps_nothing(
    memscope: Call, talks: Path, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("memscope.actions.synthesis.ask", stopped)
    code, out, _ = memscope(talks, "--synthesize", "--keep", "--json")
    assert code == Exit.INTERRUPTED
    assert json.loads(out)["insights"] == json.loads(memscope(talks, "--json")[1])["insights"] != []
    assert kept(memscope) == []


HOSTILE = "\x1b]0;owned\x07\u202e[bold]\ud800\r\n:smile: x"


def test_hostile_words_do_not_reach_the_terminal(
    memscope: Call, tmp_path: Path, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    folder = tmp_path / "talks\x1b[2J"
    write_talk(folder / "a\u202e\x07.json", HOSTILE, words=HOSTILE + "word " * 150, tools=[HOSTILE, "Edit"])
    (folder / "b\x1b.jsonl").write_text("{broken\x1b[2J\n")
    server.behave("well", words=json.dumps({"insights": [{"text": HOSTILE, "confidence": 0.9}]}))
    printed = [memscope(folder, "--synthesize", "--keep", "--format", form) for form in ("table", "json", "csv")]
    printed += [memscope("--kept", "--format", form) for form in ("table", "json", "csv")]
    printed += [memscope("--kept", "--jsonl"), memscope("--drop", HOSTILE)]
    printed += [memscope(folder, "--prompt"), memscope(folder, "--prompt", "--json")]
    server.behave("well", words=HOSTILE)
    printed += [memscope(folder, "--synthesize", "--again"), memscope(folder, "--synthesize", "--again", "--json")]
    server.behave("error")
    printed += [memscope(folder, "--synthesize", "--again"), memscope(folder / "b\x1b.jsonl")]
    assert [code for code, _, _ in printed] == [*[0] * 7, 2, 0, 0, 1, 1, 3, 2]
    for _, out, err in printed:
        assert not {"\x1b", "\x07", "\u202e", "\ud800", "\r"} & set(out + err)
    assert "[bold]" in printed[0][1] and ":smile:" in printed[0][1]
