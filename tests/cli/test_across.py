"""`memscope memories` over several conversations: three small ones, really scored, one memory being needed in one."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from memscope.__main__ import run

PORT, TEA = "The staging server listens on port 7741.", "The kettle is on the third floor beside the printer."
ASKED = {
    "one": [("Which port?", "The staging server listens on port 7741.")],
    "two": [("Hello?", "Good morning, what can I do for you today?")],
    "three": [("What is two and two?", "Two and two make four.")],
}
EVIL = "tea\x1b]0;PWNED\x07\ud800"


@pytest.fixture
def memscope(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command line; its exit code, standard output and standard error."""

    def call(*args: str | Path) -> tuple[int, str, str]:
        code = run([str(arg) for arg in args])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def write(folder: Path, name: str, *turns: tuple[str, str], tea: str = TEA, key: str = "tea") -> Path:
    """A conversation with two memories that was over an hour ago."""
    said = [{"role": "user", "memory_key": k, "content": text} for k, text in (("port", PORT), (key, tea))]
    for asked, answer in turns:
        said += [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"title": name, "messages": said}))
    hour_ago = time.time() - 3600
    os.utime(path, (hour_ago, hour_ago))
    return path


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    folder = tmp_path / "talks"
    folder.mkdir()
    for name, turns in ASKED.items():
        write(folder, name, *turns)
    return folder


def rows(printed: tuple[int, str, str]) -> dict[str, dict[str, Any]]:
    document = json.loads(printed[1])
    assert document["schema"] == "memscope/memories-across@1"
    return {row["key"]: row for row in document["memories"]}


def test_every_scored_conversation_counts_from_then_on(memscope: Any, talks: Path) -> None:
    singles = [json.loads(memscope("memories", talks / f"{name}.json", "--json")[1]) for name in ASKED]
    code, out, err = printed = memscope("memories", "--all", "--threshold", "1", "--json")
    found = rows(printed)
    assert (code, err, json.loads(out)["conversations"]) == (0, "", 3)
    port, tea = found["port"], found["tea"]
    assert (port["seen"], port["needed"], port["unused"], port["against_in"], port["unknown"]) == (3, 1, 2, 0, 0)
    assert (tea["seen"], tea["needed"], tea["unused"], tea["unused_last"]) == (3, 0, 3, 3)
    for key, row in found.items():
        alone = [memory for single in singles for memory in single["memories"] if memory["key"] == key]
        assert row["total"] == sum(memory["total"] for memory in alone)
        assert row["net"] == sum(memory["net"] for memory in alone)
        assert row["against"] == sum(memory["against"] for memory in alone)
        assert row["chars"] == sum(memory["chars"] for memory in alone)
        assert row["tokens"] > 0
    assert port["last_needed"] < port["last_seen"]


def test_a_run_again_counts_once_and_a_longer_conversation_replaces(memscope: Any, talks: Path) -> None:
    for _ in range(2):
        memscope("matrix", talks / "one.json", "--json")
    before = rows(memscope("memories", "--all", "--threshold", "1", "--json"))["port"]
    write(talks, "one", *ASKED["one"], *ASKED["one"])
    memscope("why", talks / "one.json", "--message", "3")  # one response is no run
    assert rows(memscope("memories", "--all", "--threshold", "1", "--json"))["port"] == before
    memscope("responses", talks / "one.json")
    after = rows(memscope("memories", "--all", "--threshold", "1", "--json"))["port"]
    assert (before["seen"], after["seen"], after["needed"]) == (1, 1, 1)
    assert after["total"] > before["total"]


def test_those_that_were_never_scored_are_named_and_score_scores_them(memscope: Any, talks: Path) -> None:
    memscope("memories", talks / "one.json")
    code, out, err = memscope("memories", talks, "--json")
    assert (code, [row["why"] for row in json.loads(out)["unscored"]]) == (0, ["never scored"] * 2)
    assert "2 conversations without a run of what is there now; --score scores them first:" in err
    assert "two.json: never scored" in err
    code, out, err = memscope("memories", talks, "--score", "--json")
    assert (code, json.loads(out)["unscored"], json.loads(out)["conversations"]) == (0, [], 3)
    assert "2 conversations scored" in err
    assert memscope("memories", talks, "--score")[2] == ""
    later = time.time() + 60
    os.utime(talks / "two.json", (later, later))
    assert "two.json: changed since it was scored" in memscope("memories", talks)[2]


def test_memory_files_are_put_in_where_they_are_given(memscope: Any, talks: Path, tmp_path: Path) -> None:
    (tmp_path / "CLAUDE.md").write_text("- Indent with tabs, never with spaces.\n")
    found = rows(memscope("memories", talks, "--score", "--json", "--memories", tmp_path / "CLAUDE.md"))
    assert sorted(row["seen"] for row in found.values()) == [3, 3, 3]
    (one, *_) = json.loads(memscope("memories", "--all", "--seen", "port", "--json")[1])["sightings"]
    assert one["memories"] == [str(tmp_path / "CLAUDE.md")]


def test_orders_and_the_filter(memscope: Any, talks: Path) -> None:
    memscope("memories", talks, "--score")

    def keys(*args: str) -> list[str]:
        return [row["key"] for row in json.loads(memscope("memories", "--all", *args, "--json")[1])["memories"]]

    assert keys("--threshold", "1") == ["tea", "port"]
    assert keys("--threshold", "1", "--sort", "needed") == ["port", "tea"]
    assert keys("--threshold", "1", "--unused-for", "3") == ["tea"]
    code, out, err = memscope("memories", "--all", "--threshold", "1", "--unused-for", "4", "--json")
    assert (code, json.loads(out)["memories"]) == (1, [])
    assert "no memory was unused in the last 4 conversations or more" in err


def test_table_csv_and_json_say_the_same_and_versions_are_told(memscope: Any, talks: Path) -> None:
    write(talks, "four", *ASKED["two"], tea="The kettle is gone.")
    memscope("memories", talks, "--score")
    found = list(csv.DictReader(io.StringIO(memscope("memories", "--all", "--format", "csv")[1])))
    assert sorted(row["version"] for row in found if row["memory"] == "tea") == ["1 of 2", "2 of 2"]
    assert [row["version"] for row in found if row["memory"] == "port"] == ["1 of 1"]
    code, out, _ = memscope("memories", "--all")
    assert code == 0
    assert out.startswith("4 conversations · embedded")
    assert "1 of 2" in out


def test_where_a_memory_was_seen_is_listed(memscope: Any, talks: Path) -> None:
    memscope("memories", talks, "--score")
    document = json.loads(memscope("memories", "--all", "--seen", "port", "--threshold", "1", "--json")[1])
    were = {row["title"]: row["was"] for row in document["sightings"]}
    assert were == {"one": "needed", "two": "unused", "three": "unused"}
    code, out, err = memscope("memories", talks, "--seen", "nosuch")
    assert (code, out) == (1, "")
    assert "no memory 'nosuch'" in err


def test_hostile_names_reach_no_terminal_and_json_loses_nothing(memscope: Any, talks: Path) -> None:
    write(talks, "evil", *ASKED["one"], key=EVIL, tea=f"words {EVIL}")
    _, out, err = memscope("memories", talks, "--score")
    assert "\x1b]" not in out + err
    assert "␛]0;PWNED␇" in out
    _, out, _ = memscope("memories", "--all", "--json")
    assert "\x1b" not in out
    assert EVIL in {row["key"] for row in json.loads(out)["memories"]}
    assert "\x1b]" not in memscope("memories", "--all", "--seen", EVIL)[1]


def test_runs_that_are_not_of_memories_or_clamped_are_not_counted(memscope: Any, talks: Path) -> None:
    memscope("memories", talks / "one.json", "--sources", "turns")
    memscope("memories", talks / "one.json", "--no-store")
    memscope("demo", "--json")
    code, out, err = memscope("memories", "--all")
    assert (code, out) == (1, "0 conversations · effects above 0.01 nats\n\n")
    assert "no conversation was scored yet" in err


def test_a_file_that_is_gone_is_still_counted(memscope: Any, talks: Path) -> None:
    path = talks / "one.json"
    memscope("memories", path)
    path.unlink()
    assert rows(memscope("memories", path, "--sort", "unused", "--json"))["port"]["seen"] == 1


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "Give a FILE, several, a folder, or --all"),
        (["--all", "TALKS"], "Give PATHs, or --all and none"),
        (["--all", "--score"], "--score scores the conversations at PATHs"),
        (["TALKS", "--item", "1"], "are for one FILE"),
        (["TALKS", "--sources", "tools"], "are for one FILE"),
        (["TALKS", "--no-store"], "Leave --no-store away"),
        (["TALKS", "--score", "--compat", "classic"], "Leave --compat away"),
        (["TALKS", "nosuch.json"], "nosuch.json"),
        (["--all", "--unused-for", "0"], "--unused-for"),
    ],
)
def test_what_cannot_be_asked_is_told(memscope: Any, talks: Path, args: list[str], said: str) -> None:
    code, out, err = memscope("memories", *[str(talks) if arg == "TALKS" else arg for arg in args])
    assert (code, out) == (2, "")
    assert said in err


def test_files_behind_a_list_of_memory_files_are_still_found(memscope: Any, talks: Path, tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text(f"- Memory of {name}.\n")
    code, out, _ = memscope(
        "memories", "--json", "--memories", tmp_path / "a.md", tmp_path / "b.md", talks / "one.json"
    )
    assert (code, len(json.loads(out)["memories"])) == (0, 4)
