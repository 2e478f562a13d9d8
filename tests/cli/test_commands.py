"""The command line as a person meets it: what goes to which stream, in which form, with which exit code."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from memscope.__main__ import run
from memscope.base.plugins import member, member_names
from memscope.cli import commands

DEMO = str(resources.files("memscope.data") / "demo.json")
LEAN = {
    "messages": [
        {"role": "system", "content": "You help."},
        {"role": "user", "memory_key": "port", "content": "The staging server listens on port 7741."},
        {"role": "user", "content": "Which port?"},
        {"role": "assistant", "content": "The staging server listens on port 7741."},
        {"role": "user", "memory_key": "late", "content": "This came later."},
    ]
}
Printed = tuple[int, str, str]


@pytest.fixture
def memscope(capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """Runs a command line; its exit code, standard output and standard error."""

    def call(*args: str | Path) -> Printed:
        code = run([str(arg) for arg in args])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


@pytest.fixture
def lean(tmp_path: Path) -> Path:
    path = tmp_path / "lean.json"
    path.write_text(json.dumps(LEAN))
    return path


def test_the_demo_finds_what_was_planted_in_it(memscope) -> None:
    code, out, err = memscope("demo", "--json")
    document = json.loads(out)
    assert (code, err, document["reason"]) == (0, "", None)
    assert (len(document["memories"]), len(document["responses"])) == (12, 21)
    top = {row["message"]: row["top"] for row in document["responses"]}
    assert top[23] == "project/web-uses-pnpm"
    assert top[29] == "project/test-commands"
    assert top[44] == "session/customer-acme"
    totals = {row["key"]: row["total"] for row in document["memories"]}
    assert totals["user/dark-theme"] < 2
    assert totals["session/reminder-incident"] > 50
    doubled = next(row for row in document["responses"] if row["message"] == 4)
    assert doubled["gap"] > 30  # two memories say the same: each alone could go


def test_the_demo_as_a_table_explains_its_strongest_cells(memscope) -> None:
    code, out, _ = memscope("demo")
    assert code == 0
    assert "#23 leans on project/web-uses-pnpm" in out
    assert "12 memories x 21 responses, 15 scorings" in out
    assert "#4: 56.3 of 117 nats come from what several memories share" in out
    assert "under one nat everywhere: user/dark-theme, user/stand-up, project/old-ci" in out


def test_a_second_run_takes_every_scoring_from_disk_and_prints_the_same(memscope) -> None:
    first, second = (json.loads(memscope("demo", "--json")[1]) for _ in range(2))
    assert (first["cost"]["scorings"], second["cost"]["scorings"], second["cost"]["from_store"]) == (15, 0, 15)
    del first["cost"], second["cost"]
    assert first == second


def test_no_store_keeps_nothing(memscope) -> None:
    for _ in range(2):
        assert json.loads(memscope("demo", "--json", "--no-store")[1])["cost"]["from_store"] == 0


def test_a_file_alone_is_opened_as_a_matrix(memscope, lean: Path) -> None:
    assert memscope(lean, "--json", "--no-store")[1][:40] == memscope("matrix", lean, "--json", "--no-store")[1][:40]


def test_matrix_json_says_which_cells_come_before(memscope, lean: Path) -> None:
    document = json.loads(memscope("matrix", lean, "--json")[1])
    assert document["states"] == [["ok"], ["before"]]
    assert document["effects"][0][0] > 10
    assert document["effects"][1] == [0.0]
    assert document["cost"]["scorings"] == 3  # what comes after the last response is not scored


def test_csv_has_a_row_a_memory_and_a_column_a_response(memscope, lean: Path) -> None:
    rows = list(csv.reader(io.StringIO(memscope("matrix", lean, "--format", "csv")[1])))
    assert [row[0] for row in rows] == ["memory", "port", "late"]
    assert rows[0][1] == "#3"
    assert float(rows[1][1]) == json.loads(memscope("matrix", lean, "--json")[1])["effects"][0][0]


def test_csv_is_inert_in_a_spreadsheet(memscope, tmp_path: Path) -> None:
    path = tmp_path / "formula.json"
    path.write_text(
        json.dumps({"messages": [{"role": "user", "memory_key": "=1+1", "content": "x"}, *LEAN["messages"]]})
    )
    rows = list(csv.reader(io.StringIO(memscope("memories", path, "--format", "csv")[1])))
    assert rows[1][0] == "'=1+1"


def test_responses_and_memories_are_the_lists_of_the_matrix(memscope) -> None:
    whole = json.loads(memscope("matrix", DEMO, "--json")[1])
    responses, memories = (json.loads(memscope(name, DEMO, "--json")[1]) for name in ("responses", "memories"))
    assert (responses["schema"], memories["schema"]) == ("memscope/responses@1", "memscope/memories@1")
    assert responses["responses"] == whole["responses"]
    assert memories["memories"] == whole["memories"]


def test_one_response_names_its_memories_and_its_words(memscope) -> None:
    code, out, _ = memscope("responses", DEMO, "--message", "23", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["important"][0]["key"] == "project/web-uses-pnpm"
    assert document["important"][0]["share"] == pytest.approx(0.99, abs=0.02)
    hottest = max(document["heat"], key=lambda span: span["effect"])
    assert document["text"][hottest["start"] : hottest["end"]] == "frozen"


def test_why_ranks_the_memories_for_some_words(memscope) -> None:
    document = json.loads(memscope("why", DEMO, "--message", "48", "--text", "make test-fast", "--json")[1])
    assert document["important"][0]["key"] == "project/test-commands"
    whole = json.loads(memscope("why", DEMO, "--message", "48", "--json")[1])
    assert whole["important"][0]["key"] == "session/customer-acme"
    start = document["selection"]["start"]
    span = json.loads(memscope("why", DEMO, "--message", "48", "--span", f"{start}:{start + 14}", "--json")[1])
    assert span["important"] == document["important"]


def test_why_scores_nothing_after_the_response(memscope, tmp_path: Path) -> None:
    longer = {"messages": [*LEAN["messages"], {"role": "assistant", "content": "Port 7741, as I said."}]}
    (tmp_path / "longer.json").write_text(json.dumps(longer))
    (tmp_path / "shorter.json").write_text(json.dumps({"messages": LEAN["messages"][:4]}))
    why = [memscope("why", tmp_path / f"{name}.json", "--message", "3", "--json")[1] for name in ("longer", "shorter")]
    assert why[0] == why[1]


def test_a_message_that_is_no_response_has_an_empty_list(memscope) -> None:
    code, out, _ = memscope("responses", DEMO, "--message", "3", "--json")
    assert (code, json.loads(out)["important"]) == (0, [])


def test_convert_prints_what_is_read_back_the_same(memscope, lean: Path, tmp_path: Path) -> None:
    first = memscope("convert", lean)[1]
    (tmp_path / "again.json").write_text(first)
    assert memscope("convert", tmp_path / "again.json")[1] == first


def test_memory_files_join_the_system_message_and_count_in_convert_too(memscope, lean: Path, tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text(f"---\nname: fact-{name}\n---\nThe fact of {name} is long enough to be a unit.\n")
    spread = memscope("convert", lean, "--memories", tmp_path / "a.md", tmp_path / "b.md")
    repeated = memscope("convert", "--memories", tmp_path / "a.md", "--memories", tmp_path / "b.md", lean)
    assert spread == repeated
    assert memscope("convert", "--memories", tmp_path / "a.md", tmp_path / "b.md", lean) == spread
    keys = [part.get("memory_key") for part in json.loads(spread[1])["messages"][0]["content"]]
    assert keys == [None, "fact-a.md", "fact-b.md"]


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        ("", 2, "the file is empty"),
        ("hello", 2, "holds no JSON"),
        ('{"a": 1}', 2, "not claude-code:"),
        ('{"messages": []}', 2, "no message at all"),
        ('{"messages": [{"role": "user", "content": "x", "memory_key": "k"}]}', 1, "has no response"),
        (
            '{"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}',
            1,
            "--memories PATH",
        ),
    ],
)
def test_input_without_a_matrix_says_why(memscope, tmp_path: Path, content: str, code: int, words: str) -> None:
    (tmp_path / "f.json").write_text(content)
    found, out, err = memscope("matrix", tmp_path / "f.json")
    assert found == code
    assert words in out + err
    assert "Traceback" not in err


def test_no_matrix_is_still_a_document(memscope, tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text('{"messages": [{"role": "assistant", "content": "y"}]}')
    code, out, _ = memscope("matrix", tmp_path / "f.json", "--json")
    assert (code, json.loads(out)["reason"]) == (1, "no memory was found in the conversation")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["nosuch"], "nosuch"),
        (["matrix"], "FILE"),
        (["matrix", "nosuch.json"], "no such file"),
        (["matrix", DEMO, "--engine", "nope"], "score-api, sglang"),
        (["matrix", DEMO, "--engine", "score-api"], "--base-url"),
        (["matrix", DEMO, "--engine", "score-api", "--base-url", "http://me:pw@host"], "MEMSCOPE_API_KEY"),
        (["matrix", DEMO, "--workers", "0"], "--workers"),
        (["matrix", DEMO, "--workers"], "--workers"),
        (["matrix", DEMO, "--memories"], "--memories"),
        (["matrix", DEMO, "--threshold", "-1"], "threshold"),
        (["matrix", DEMO, "--item", "-1"], "--item"),
        (["matrix", DEMO, "--api-key", "swordfish"], "MEMSCOPE_API_KEY"),
        (["matrix", DEMO, "--item", "3"], "item 3"),
        (["matrix", DEMO, "--window", "3"], "window 3"),
        (["matrix", DEMO, "--input-format", "nope"], "claude-code"),
        (["matrix", DEMO, "--memories", "nosuch.md"], "nosuch.md"),
        (["responses", DEMO, "--message", "4", "--memory", "money"], "project/money-in-cents"),
        (["why", DEMO, "--message", "999"], "#0 to #48"),
        (["why", DEMO, "--message", "4", "--text", "zebra"], "zebra"),
        (["why", DEMO, "--message", "4", "--span", "9"], "A:B"),
        (["why", DEMO, "--message", "4", "--span", "0:99999"], "0:"),
        (["schema", "nope"], "matrix"),
    ],
)
def test_wrong_use_says_what_to_do(memscope, args: list[str], words: str) -> None:
    code, out, err = memscope(*args)
    assert (code, out) == (2, "")
    assert words in err
    assert "swordfish" not in err
    assert "me:pw" not in err


HOSTILE = "\x1b]0;PWN\x07\x1b[2J\u202eevil\u200b\x00\x9b31m\ud800\U000e0041 [/] [@click=app.quit] \x7f"

UNSAFE = frozenset(HOSTILE) - frozenset(map(chr, range(32, 127)))


def test_hostile_text_never_reaches_the_terminal(memscope, tmp_path: Path) -> None:
    fact = f"the {HOSTILE} key is swordfish in the safe"
    path = tmp_path / f"evil{HOSTILE[:7]}.json"
    path.write_text(
        json.dumps(
            {
                "title": HOSTILE,
                "messages": [
                    {"role": "system", "content": [{"type": "text", "text": fact, "memory_key": HOSTILE}, "You help."]},
                    {"role": "user", "content": HOSTILE},
                    {"role": "assistant", "content": fact, "tool_calls": [{"function": {"name": HOSTILE}}]},
                ],
            }
        )
    )
    lines = [["matrix"], ["memories"], ["responses"], ["responses", "--message", "2"], ["convert"]]
    lines += [
        ["why", "--message", "2", "--text", "swordfish"],
        ["responses", "--message", "2", "--memory", "x" + HOSTILE],
    ]
    for name, *rest in lines:
        for form in ("table", "csv", "json"):
            _, out, err = memscope(name, path, *rest, "--format", form)
            unsafe = {char for char in out + err if char in UNSAFE or ord(char) < 32}
            assert unsafe <= {"\n"}, (name, form)
    document = json.loads(memscope("convert", path)[1])
    assert document["messages"][1]["content"] == HOSTILE  # JSON loses nothing


def test_a_broken_place_for_the_store_is_an_error_that_names_it(
    memscope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("x")
    monkeypatch.setenv("MEMSCOPE_DATA_DIR", str(tmp_path / "taken"))
    code, _, err = memscope("demo")
    assert code == 2
    assert str(tmp_path / "taken") in err
    assert "MEMSCOPE_DATA_DIR" in err


def test_config_tells_where_each_value_came_from(memscope, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMSCOPE_THRESHOLD", "0.5")
    monkeypatch.setenv("MEMSCOPE_API_KEY", "swordfish")
    code, out, err = memscope("config", "--json", "--workers", "3")
    rows = {row["name"]: row for row in json.loads(out)["settings"]}
    assert code == 0
    assert (rows["threshold"]["value"], rows["threshold"]["origin"]) == (0.5, "environment MEMSCOPE_THRESHOLD")
    assert (rows["workers"]["value"], rows["workers"]["origin"]) == (3, "flag --workers")
    assert rows["engine"]["origin"] == "default"
    assert json.loads(out)["api_key"] == "MEMSCOPE_API_KEY"
    assert "swordfish" not in out + err


@pytest.mark.parametrize("name", ["matrix", "memories", "native", "response", "responses", "config"])
def test_every_document_has_a_schema(memscope, name: str) -> None:
    schema = json.loads(memscope("schema", name)[1])
    assert schema["properties"]["schema"]["const"] == f"memscope/{name}@1"


@pytest.mark.parametrize("name", member_names(commands))
def test_every_command_has_help_with_examples(memscope, name: str) -> None:
    command = member(commands, name, "COMMAND")
    assert command.name == name
    code, out, _ = memscope(name, "--help")
    assert code == 0
    assert "Examples:" in out
    assert all(f"  {example.split('   #')[0].rstrip()}" in out for example in command.examples)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(memscope, shell: str) -> None:
    code, out, _ = memscope("completion", shell)
    assert code == 0
    assert "_MEMSCOPE_COMPLETE" in out


def test_completion_completes_commands_and_engines() -> None:
    def complete(line: str) -> str:
        environment = {"_MEMSCOPE_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
        return subprocess.run(
            [sys.executable, "-m", "memscope"], env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert "plain,matrix" in complete("memscope mat")
    assert "plain,score-api" in complete("memscope matrix x.json --engine sc")


def test_python_dash_m_works_and_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    line = f"{sys.executable} -m memscope demo --json --no-store | head -c 1"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("{", "")


@pytest.mark.parametrize(
    "args", [["demo", "--no-console"], ["demo", "--json"], ["schema", "sessions"], ["sessions", "--help"]]
)
def test_a_pipe_that_nobody_reads_from_is_no_failure(args: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "memscope", *args], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_version() -> None:
    done = subprocess.run([sys.executable, "-m", "memscope", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("memscope 0.")


def test_user_turns_and_tool_results_as_sources(memscope, lean: Path) -> None:
    code, out, _ = memscope("memories", lean, "--sources", "turns", "--json")
    assert code == 0
    assert [row["key"] for row in json.loads(out)["memories"]] == ["port", "turn/2 which-port", "late"]
    code, out, _ = memscope("convert", lean, "--sources", "tools")
    assert [m.get("memory_key") for m in json.loads(out)["messages"]] == [None, "port", None, None, "late"]
    code, _, err = memscope("memories", lean, "--sources", "words")
    assert code == 2
    assert "--sources" in err


@pytest.mark.parametrize("args", [[], ["--no-console"]], ids=["no terminal", "no console"])
def test_a_file_and_the_demo_print_tables_without_a_terminal(memscope, lean: Path, args: list[str]) -> None:
    code, out, err = memscope(lean, *args)
    assert (code, err) == (0, "")
    assert "#3 leans on port" in out
    assert out.splitlines()[:5] == memscope("matrix", lean)[1].splitlines()[:5]
    code, out, err = memscope("demo", *args)
    assert (code, err) == (0, "")
    assert "#23 leans on project/web-uses-pnpm" in out
    assert "\x1b" not in out


def test_alone_and_without_a_terminal_it_prints_its_help(memscope) -> None:
    assert memscope() == memscope("--help")
    code, out, err = memscope()
    assert (code, err) == (0, "")
    assert "memscope FILE" in out
    assert "matrix" in out


@pytest.mark.parametrize("args", [["open"], ["open", "--no-console"], ["open", "--json"]])
def test_opening_no_file_without_a_terminal_is_wrong_use(memscope, args: list[str]) -> None:
    code, out, err = memscope(*args)
    assert (code, out) == (2, "")
    assert "which transcript?" in err
    assert "FILE" in err


def test_on_a_terminal_a_file_the_demo_and_nothing_open_the_console(
    memscope, lean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def open_console(_resolved, opening, folder=None):  # type: ignore[no-untyped-def]
        opened.append(opening.path.name if opening is not None else folder and folder.name)
        return 0

    monkeypatch.setattr("memscope.tui.start.open_console", open_console)
    monkeypatch.setattr("memscope.cli.output.Console.interactive", True)
    for args in ([], ["open"], [lean], ["open", lean], [lean.parent], ["demo"]):
        assert memscope(*args) == (0, "", "")
    assert opened == [None, None, "lean.json", "lean.json", lean.parent.name, "demo.json"]
    code, out, _ = memscope(lean, "--no-console")
    assert (code, opened[6:]) == (0, [])
    assert "port" in out
