"""`memscope sessions` as a person meets it."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from memscope.__main__ import run
from memscope.base.clock import set_clock
from memscope.base.settings import data_dir
from memscope.sessions.query_fields import FIELDS
from memscope.store.database import FILE_NAME
from tests.cli.conftest import Call
from tests.sessions.rows import NOW


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    set_clock(lambda: NOW)
    yield
    set_clock(None)


@pytest.fixture
def memscope(printed: Call) -> Call:
    return partial(printed, "sessions")


def said(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def ran(command: str, result: str) -> list[dict[str, Any]]:
    call = {"id": "1", "type": "function", "function": {"name": "bash", "arguments": json.dumps({"command": command})}}
    return [said("assistant", "", tool_calls=[call]), said("tool", result, tool_call_id="1")]


MEMORY = said("user", "Indent with tabs.", memory_key="tabs")
MENDED = [MEMORY, said("user", "Mend the parser"), *ran("cd x", "ok"), said("assistant", "Done.")]
FAILED = [said("user", "Build it all"), said("assistant", "Traceback: the build failed for good.")]
CHAT = [said("user", "Say hello"), said("assistant", "Hello.")]


def write(path: Path, messages: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(message) + "\n" for message in messages))
    return path


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """Three sessions of different days, and a file that is none."""
    folder = tmp_path / "stored"
    write(folder / "old_20250101_080000_a.jsonl", CHAT)
    write(folder / "mended_20260430_080000_b.jsonl", MENDED)
    write(folder / "deep" / "failed_20260415_080000_c.jsonl", FAILED)
    (folder / "broken.jsonl").write_text("{\n")
    return folder


def names(out: str) -> list[str]:
    return [row["filename"] for row in json.loads(out)]


def test_a_folder_is_ranked_as_a_table(memscope: Call, stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = memscope(stored)

    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0] == "3 sessions in 3 files, 1 with memories, 1 failed; 1 file could not be read"
    assert [word for word in lines[2].split() if word in ("score", "memories", "date", "outcome", "title")] == [
        "score",
        "memories",
        "date",
        "outcome",
        "title",
    ]
    rows = lines[4:8]
    assert ["Mend the parser" in rows[0], "Build it all" in rows[1], "Say hello" in rows[2]] == [True] * 3
    assert "error" in rows[3]
    assert all(len(line) <= 80 for line in lines[:8])
    assert lines[9].startswith(f"{stored / 'broken.jsonl'}: this file holds no JSON")
    assert lines[9].endswith(")")


def test_on_a_narrow_screen_the_score_stays(memscope: Call, stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    lines = memscope(stored)[1].splitlines()

    assert [line.split()[0] for line in lines[4:8]] == ["6", "6", "4", "–"]


def test_a_wide_table_has_the_parts_and_what_their_letters_mean(
    memscope: Call, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "220")
    _, out, _ = memscope(stored)

    assert "R L U O T" in out
    assert "3 1 0 2 0" in out
    assert "R recency, L length, U first of its repository, O outcome, T tool calls" in out


def test_a_session_alone_says_what_its_score_rests_on(memscope: Call, stored: Path) -> None:
    _, out, _ = memscope(stored, "--count", "1")

    assert "recency 3      1 day ago, by the name of its file" in out
    assert "and 3 more" in out


def test_files_without_a_session_are_listed_with_their_reasons_in_whole(
    memscope: Call, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    (stored / "long.jsonl").write_bytes(b"\x00\x01\xff" * 400)
    code, out, err = memscope(stored, "--filter", "error=yes")

    assert (code, err) == (0, "")
    assert {line.split(": ", 1)[0] for line in out.splitlines()[2:]} == {
        str(stored / "broken.jsonl"),
        str(stored / "long.jsonl"),
    }
    assert "this is a binary file, not a transcript\n" in out
    code, out, err = memscope(stored, "--filter", "error=yes", "--count", "1")
    assert (err, "and 1 more" in out) == ("", True)


def test_json_is_a_bare_list(memscope: Call, stored: Path) -> None:
    code, out, err = memscope(stored, "--format", "json")
    rows = json.loads(out)

    assert code == 0
    assert (rows[0]["filename"], rows[0]["score"], rows[0]["memories"]) == ("mended_20260430_080000_b.jsonl", 6, 1)
    assert rows[0]["breakdown"] == {"recency": 3, "length": 1, "repo_unique": 0, "outcome": 2, "tool_calls": 0}
    assert (rows[1]["is_failure"], rows[3]["score"]) == (True, None)
    assert "1 file could not be read:" in err
    assert str(stored / "broken.jsonl") in err
    assert memscope(stored, "--json")[1] == out


def test_csv_has_a_row_a_session(memscope: Call, stored: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(memscope(stored, "--format", "csv")[1])))

    assert [row["score"] for row in rows] == ["6", "6", "4", ""]
    assert [row["title"] for row in rows][:3] == ["Mend the parser", "Build it all", "Say hello"]


def test_paths_are_printed_a_line_each_without_those_that_hold_nothing(memscope: Call, stored: Path) -> None:
    _, out, _ = memscope(stored, "--format", "paths")

    assert [Path(line).name[:5] for line in out.splitlines()] == ["mende", "faile", "old_2"]
    assert memscope(stored, "--format", "paths", "--filter", "error=yes")[:2] == (0, f"{stored / 'broken.jsonl'}\n")


def test_a_name_that_is_not_utf8_comes_out_as_its_bytes(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    folder = os.fsencode(tmp_path)
    with open(folder + b"/\xff.jsonl", "w") as file:  # noqa: PTH123
        file.write("".join(json.dumps(message) + "\n" for message in CHAT))

    assert run(["sessions", str(tmp_path), "--format", "paths"]) == 0
    assert capsysbinary.readouterr().out == folder + b"/\xff.jsonl\n"
    assert run(["sessions", str(tmp_path), "--json"]) == 0
    assert os.fsencode(json.loads(capsysbinary.readouterr().out)[0]["path"]) == folder + b"/\xff.jsonl"


def test_a_name_with_a_newline_is_not_printed_as_two_paths(memscope: Call, tmp_path: Path) -> None:
    write(tmp_path / "s" / "one\ntwo.jsonl", CHAT)

    code, out, err = memscope(tmp_path / "s", "--format", "paths")

    assert (code, out) == (0, "")
    assert "newline" in err
    assert names(memscope(tmp_path / "s", "--json")[1]) == ["one\ntwo.jsonl"]


@pytest.mark.parametrize(
    ("args", "found"),
    [
        (["--count", "1"], ["mended"]),
        (["--top-percent", "1"], ["mended"]),
        (["--top-percent", "67", "--count", "1"], ["mended", "failed"]),
        (["--top-percent", "100", "--count", "1"], ["mended", "failed", "old", "broken"]),
        (["--top-percent", "99"], ["mended", "failed"]),
        (["--top-percent", "50", "--filter", "error=yes"], ["broken"]),
        (["--since", "2026-04-15", "--filter", "error=no"], ["mended", "failed"]),
        (["--since", "2026-04-16", "--filter", "error=no"], ["mended"]),
        (["--since", "30d", "--filter", "error=no"], ["mended", "failed"]),
        (["--min-score", "5"], ["mended", "failed"]),
        (["--repo", "OLD_2025"], ["old"]),
        (["--filter", "memories>0"], ["mended"]),
        (["--filter", "outcome=failure build"], ["failed"]),
        (["--filter", "error=no -build", "--count", "1"], ["mended"]),
    ],
)
def test_what_is_asked_for_has_to_hold(memscope: Call, stored: Path, args: list[str], found: list[str]) -> None:
    code, out, _ = memscope(stored, "--json", *args)

    assert code == 0
    assert [name.partition("_")[0].removesuffix(".jsonl") for name in names(out)] == found


def test_repositories_are_first_among_all_that_is_there_whatever_is_listed(memscope: Call, tmp_path: Path) -> None:
    for day in ("20260401", "20260429"):
        write(
            tmp_path / "s" / f"a_{day}_080000_x.jsonl",
            [*CHAT, *ran(f"git clone https://github.com/jdx/mise {day}", "ok")],
        )

    (later,) = json.loads(memscope(tmp_path / "s", "--json", "--since", "2026-04-20", "--repo", "MISE")[1])

    assert (later["repos"], later["breakdown"]["repo_unique"]) == (["mise"], 1)
    assert later["evidence"]["repo_unique"]["words"].endswith("a_20260401_080000_x.jsonl")


def test_the_same_session_in_two_files_counts_once_unless_copies_are_asked_for(memscope: Call, tmp_path: Path) -> None:
    messages = [said("user", "Say hello", id="u1", timestamp=1), said("assistant", "Hello.", id="a1", timestamp=2)]
    for name in ("one.json", "two.json"):
        (tmp_path / "s").mkdir(exist_ok=True)
        (tmp_path / "s" / name).write_text(json.dumps({"session_id": "0199", "messages": messages}))

    once = json.loads(memscope(tmp_path / "s", "--json")[1])
    twice = json.loads(memscope(tmp_path / "s", "--json", "--copies")[1])

    assert (len(once), len(twice)) == (1, 2)
    assert [copy["path"] for copy in once[0]["copies"]] == [twice[1]["path"]]
    assert twice[1]["copy_of"] == {"path": once[0]["path"], "item": 0}


def test_output_is_json_whatever_the_format(memscope: Call, stored: Path, tmp_path: Path) -> None:
    target = tmp_path / "best.json"

    for form in ("table", "json", "csv", "paths"):
        code, out, err = memscope(stored, "--format", form, "--output", target)

        assert (code, out) == (0, "")
        assert f"3 sessions and 1 file without one written to {target}" in err
        assert len(json.loads(target.read_text())) == 4  # and it is replaced again
    assert json.loads(memscope(stored, "--output", "-")[1]) == json.loads(target.read_text())


def test_output_replaces_nothing_but_such_a_list(memscope: Call, stored: Path) -> None:
    database = stored / "state.db"
    with closing(sqlite3.connect(database)) as made:
        made.execute("CREATE TABLE other (x)")
    settings = stored / "settings.json"
    settings.write_text('[{"path": "/a"}]')
    (stored / "link.json").symlink_to(settings)

    for target in (stored / "old_20250101_080000_a.jsonl", stored / "broken.jsonl", database, settings):
        before = target.read_bytes()
        for args in ([], ["--compat", "classic"]):
            code, _, err = memscope(stored, "--output", target, *args)
            assert code == 2
            assert "this is no list of sessions" in err
        assert target.read_bytes() == before
    assert memscope(stored, "--output", stored / "link.json")[0] == 2
    assert memscope(stored, "--output", stored)[0] == 2
    (stored / "empty").touch()
    assert memscope(stored, "--output", stored / "empty")[0] == 0


def test_a_store_that_cannot_be_used_does_not_stop_the_ranking(memscope: Call, stored: Path) -> None:
    data_dir().mkdir(parents=True)
    (data_dir() / FILE_NAME).write_bytes(b"no store at all" * 1_000)

    code, out, err = memscope(stored, "--json")

    assert (code, len(names(out))) == (0, 4)
    assert "read again next time" in err
    assert "the store is damaged" in err


def test_a_missing_folder_is_named_and_wrong_use(memscope: Call, stored: Path, tmp_path: Path) -> None:
    for args in ([tmp_path / "gone"], [stored, tmp_path / "gone"], [tmp_path / "gone", "--compat", "classic"]):
        code, out, err = memscope(*args)
        assert (code, out) == (2, "")
        assert f"{tmp_path / 'gone'}: there is no such file or folder" in err


def test_a_file_is_ranked_too(memscope: Call, stored: Path) -> None:
    assert names(memscope(stored / "old_20250101_080000_a.jsonl", "--json")[1]) == ["old_20250101_080000_a.jsonl"]


def test_nothing_found_says_so(memscope: Call, stored: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert memscope(tmp_path / "empty", "--json") == (1, "[]\n", f"memscope: no session in {tmp_path / 'empty'}\n")
    code, out, err = memscope(stored, "--filter", "score>15 error=no")
    assert (code, out) == (1, "")
    assert "no session is as asked for" in err


def test_without_a_folder_those_of_the_agents_are_ranked(
    memscope: Call, stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "HERMES_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "nobody"))
    code, out, err = memscope()
    assert (code, out) == (1, "")
    assert "looked for:" in err
    assert "~/projects" in err

    write(tmp_path / "nobody" / "sessions" / "20260430_080000_0a1b2c3d.jsonl", CHAT)
    assert names(memscope("--json")[1]) == ["20260430_080000_0a1b2c3d.jsonl"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--count", "0"], "--count"),
        (["--count", "-1"], "--count"),
        (["--top-percent", "0"], "--top-percent"),
        (["--top-percent", "101"], "--top-percent"),
        (["--top-percent", "nan"], "--top-percent"),
        (["--min-score", "-1"], "--min-score"),
        (["--since", "yesterweek"], "--since cannot be 'yesterweek'"),
        (["--since", "2026-02-30"], "--since"),
        (["--format", "xml"], "xml"),
        (["--input-format", "nope"], "claude-code"),
        (["--compat", "classic", "--format", "csv"], "csv"),
        (["--compat", "classic", "--filter", "x"], "--filter"),
        (["--compat", "classic", "--copies"], "--copies"),
        (["--compat", "classic", "."], "one folder"),
        (["--output", ""], "the path is empty"),
    ],
)
def test_wrong_use_says_what_to_do(memscope: Call, stored: Path, args: list[str], words: str) -> None:
    code, out, err = memscope(stored, *args)
    assert (code, out) == (2, "")
    assert words in err


def test_a_wrong_filter_is_pointed_at(memscope: Call, stored: Path) -> None:
    code, out, err = memscope(stored, "--filter", "\x1b x scroe>=12")

    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "memscope: ␛ x scroe>=12",
        "memscope:     ^^^^^",
        "memscope: there is no field 'scroe'. Did you mean score?",
    ]


def test_a_wrong_filter_is_pointed_at_within_a_line_however_long_it_is(memscope: Call, stored: Path) -> None:
    _, _, err = memscope(stored, "--filter", f"{'word ' * 40}scroe>1")
    told = err.splitlines()
    assert told[0] == f"memscope: … {('word ' * 40)[-40:]}scroe>1"
    assert told[1].index("^") == told[0].index("scroe")


def test_words_that_nothing_holds_are_told(memscope: Call, stored: Path) -> None:
    code, _, err = memscope(stored, "--filter", "scores 12 messages<0")
    assert code == 1
    assert "no session is as asked for; words looked for: 'scores', '12'" in err


def test_hostile_titles_reach_no_terminal(memscope: Call, tmp_path: Path) -> None:
    hostile = "\x1b]0;PWN\x07 \u202e [/] [@click=app.quit]"
    write(tmp_path / "s" / "x\x1b[2J.jsonl", [said("user", hostile), said("assistant", "error: " + hostile)])

    for form in ("table", "csv", "json"):
        _, out, err = memscope(tmp_path / "s", "--format", form)
        assert {char for char in out + err if ord(char) < 32 or char == "\u202e"} <= {"\n"}


def test_the_list_has_a_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "sessions"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["type"] == "array"
    assert "score" in schema["$defs"]["SessionRow"]["properties"]


# Classic mode


def test_classic_prints_what_the_first_sampler_did(memscope: Call, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    write(folder / "b_20260430_080000.jsonl", [*CHAT, said("assistant", "an ERROR")])
    write(folder / "a_20260430_080000.jsonl", CHAT)
    write(folder / "c_20250101.jsonl", [*CHAT, *ran("cd the-door", "x")])
    write(folder / "deep" / "d.jsonl", CHAT)

    assert memscope(folder, "--compat", "classic") == (
        0,
        "SCORE  MSGS REPOS                     FILE\n"
        "    9     4 the-door                  c_20250101.jsonl\n"
        "    7     3 -                         b_20260430_080000.jsonl FAIL\n"
        "    6     2 -                         a_20260430_080000.jsonl\n",
        "",
    )
    (row,) = json.loads(memscope(folder, "--compat", "classic", "--json", "--count", "1", "--min-score", "9")[1])
    assert row == {
        "path": str(folder / "c_20250101.jsonl"),
        "filename": "c_20250101.jsonl",
        "score": 9,
        "breakdown": {"recency": 1, "length": 1, "repo_unique": 5, "outcome": 2, "tool_calls": 0},
        "message_count": 4,
        "repos": ["the-door"],
        "is_failure": False,
    }
    assert memscope(
        folder, "--compat", "classic", "--format", "paths", "--since", "2026-04-30", "--top-percent", "1"
    ) == (
        0,
        f"{folder / 'b_20260430_080000.jsonl'}\n",
        "",
    )
    assert memscope(folder, "--compat", "classic", "--repo", "nope") == (
        1,
        "SCORE  MSGS REPOS                     FILE\n",
        "memscope: no session is as asked for\n",
    )


def test_classic_writes_its_json(memscope: Call, stored: Path, tmp_path: Path) -> None:
    code, out, err = memscope(stored, "--compat", "classic", "--output", tmp_path / "out.json")

    assert (code, out) == (0, "")
    assert "3 sessions written" in err
    assert [row["filename"][:3] for row in json.loads((tmp_path / "out.json").read_text())] == ["men", "bro", "old"]


def test_classic_asks_for_a_folder_where_there_is_none(
    memscope: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERMES_HOME", str(tmp_path / "nobody"))

    code, out, err = memscope("--compat", "classic")

    assert (code, out) == (2, "")
    assert "Name a folder." in err


# Help


def test_the_help_names_every_field_of_the_filter(memscope: Call) -> None:
    words = memscope("--help")[1].replace(",", " ").replace(".", " ").split()

    assert FIELDS.keys() <= set(words)
