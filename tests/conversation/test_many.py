"""Many files read for what is made of them, whatever they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from memscope.base.errors import Cancelled
from memscope.base.job import Job, Progress
from memscope.conversation import many
from memscope.conversation.many import ReadFile, ToRead, read_file, read_files
from tests.conversation.many_work import mortal, opening

DOING = "reading openings"
OPENING = opening("> ")


def talk(request: str = "Fix the failing tests") -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": request}, {"role": "assistant", "content": "Look."}]}


def file(path: Path, *talks: Any, items: tuple[tuple[int, bool], ...] = ((0, False),), form: str = "") -> ToRead:
    path.write_text("\n".join(json.dumps(one) for one in talks))
    return ToRead(os.fsencode(path), form, items, path.stat().st_size)


def test_the_conversations_that_are_wanted_are_read(tmp_path: Path) -> None:
    three = file(tmp_path / "a.jsonl", talk("one"), talk("two"), talk("three"))
    found = read_file(three._replace(items=((0, False), (2, True), (7, False))), OPENING)
    assert found == ReadFile({0: ["> one"], 2: []})


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    gone = ToRead(os.fsencode(tmp_path / "gone.json"), "", ((0, False),), 9)
    other = file(tmp_path / "other.json", {"a": 1})
    deep = ToRead(os.fsencode(tmp_path / "deep.json"), "claude-code", ((0, False),), 9)
    (tmp_path / "deep.json").write_text("[" * 100_000)
    found = [read_file(one, OPENING) for one in (gone, other, deep, file(tmp_path / "b", talk(), form="no such"))]
    assert [bool(one.error) for one in found] == [True, True, False, True]
    assert found[0].error == "there is no such file"
    assert not any(texts for one in found for texts in one.made.values())
    assert str(tmp_path) not in "".join(one.error for one in found)


def test_whatever_a_format_stumbles_over_is_told(tmp_path: Path) -> None:
    def stumble(*args: Any) -> None:
        raise errors.pop()

    errors: list[Exception] = [RecursionError(), MemoryError(), PermissionError(), KeyError("\x1b]0;x\x07")]
    one = file(tmp_path / "a.json", talk())
    told = [read_file(one, stumble).error for _ in range(4)]
    assert told == [
        *("reading it fails: KeyError: '\\x1b]0;x\\x07'", "no permission to read it"),
        *("there is not enough memory to read it", "the JSON is nested too deeply"),
    ]


def test_files_come_back_in_their_order_in_one_process_or_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [file(tmp_path / f"{n}.json", talk("x" * (n * 7 % 5))) for n in range(12)]
    progress: list[Progress] = []
    alone = read_files(opening, ("> ",), files, Job(progress.append), DOING)
    assert [one.made for one in alone] == [{0: [f"> {'x' * (n * 7 % 5)}"]} for n in range(12)]
    assert (progress[-1].done, progress[-1].total, progress[-1].doing) == (12, 12, DOING)
    monkeypatch.setattr(many, "_WORTH_A_PROCESS", 1)
    monkeypatch.setattr(many, "processors", lambda: 2)
    assert read_files(opening, ("> ",), files, Job(), DOING) == alone
    assert read_files(opening, ("> ",), [], Job(), DOING) == []


def test_a_file_that_kills_its_process_costs_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "_WORTH_A_PROCESS", 1)
    monkeypatch.setattr(many, "processors", lambda: 2)
    monkeypatch.setattr(many, "reader", mortal)
    files = [file(tmp_path / f"{name}.json", talk()) for name in ("a", "deadly", "z")]
    found = read_files(opening, ("> ",), files, Job(), DOING)
    assert [one.error for one in found] == ["", "reading it ended the process that read it", ""]
    assert [len(one.made) for one in found] == [1, 0, 1]


def test_it_stops_when_it_is_told_to(tmp_path: Path) -> None:
    job = Job(lambda progress: job.cancel())
    with pytest.raises(Cancelled):
        read_files(opening, ("",), [file(tmp_path / f"{n}.json", talk()) for n in range(3)], job, DOING)


def test_the_processes_import_little() -> None:
    told = "import sys, memscope.conversation.many, memscope.promotion.texts; print([*sys.modules])"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert not {"numpy", "httpx", "textual", "memscope.sessions.ranking"} & set(eval(done.stdout))
