"""Many conversations, one after another: which there are, and that nothing wrong with one stops the others."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from memscope.actions.batch import Done, Transcript, each, transcripts
from memscope.actions.open import Opened, Opening
from memscope.base.errors import Cancelled, EngineError
from memscope.base.job import Job, Progress
from memscope.base.settings import Settings


def chat(*texts: str) -> dict[str, Any]:
    return {"messages": [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]}


def write(path: Path, *values: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    return path


def found(*paths: Path, **options: Any) -> list[Transcript]:
    return transcripts(paths, Job(), **options)


def titles(files: list[Transcript], job: Job | None = None) -> list[Done[str]]:
    def work(opened: Opened, _job: Job) -> str:
        return opened.conversation.title

    return list(each(files, Opening(Path()), work, job or Job(), settings=Settings(store=False)))


def test_folders_are_searched_in_order_and_files_taken_as_they_are_named(tmp_path: Path) -> None:
    write(tmp_path / "b" / "two.jsonl", chat("two"), chat("three"))
    write(tmp_path / "b" / "a" / "one.json", chat("one"))
    write(tmp_path / "b" / "notes.md", chat("no transcript by its name"))
    write(tmp_path / "b" / ".hidden.json", chat("hidden"))
    write(tmp_path / "b" / ".git" / "x.json", chat("hidden"))
    write(tmp_path / "b" / "node_modules" / "x.json", chat("not ours"))
    named = write(tmp_path / "odd name.txt", chat("named"))

    files = found(named, tmp_path / "b")

    assert [(file.path.name, file.items, file.error) for file in files] == [
        ("odd name.txt", 1, ""),
        ("one.json", 1, ""),
        ("two.jsonl", 2, ""),
    ]


def test_a_file_that_is_reached_twice_is_there_once(tmp_path: Path) -> None:
    one = write(tmp_path / "one.json", chat("one"))
    (tmp_path / "link.json").symlink_to(one)

    assert [file.path.name for file in found(tmp_path, one, one)] == ["link.json"]


def test_what_cannot_be_read_is_told_in_its_place(tmp_path: Path) -> None:
    write(tmp_path / "a.json", chat("one"))
    (tmp_path / "b.json").write_bytes(b"")
    write(tmp_path / "c.json", {"odd": 1})
    (tmp_path / "d.json").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "e.json")
    (tmp_path / "f").symlink_to(tmp_path)
    (tmp_path / "g.jsonl").write_bytes(b"\x1f\x8bcompressed")
    write(tmp_path / "h.json", chat("two"))

    files = found(tmp_path, tmp_path / "missing.json")

    assert [file.items for file in files] == [1, 0, 0, 0, 0, 0, 0, 1, 0]
    for file, words in zip(
        files,
        ("", "is empty", "no transcript", "no such file", "a pipe", "read already", "compressed", "", "no such file"),
        strict=True,
    ):
        assert words in file.error
        assert bool(words) == bool(file.error)
        assert str(tmp_path) not in file.error


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_told_too(tmp_path: Path) -> None:
    write(tmp_path / "a.json", chat("one")).chmod(0)
    write(tmp_path / "b" / "a.json", chat("one"))
    (tmp_path / "b").chmod(0)
    try:
        assert ["permission" in file.error for file in found(tmp_path)] == [True, True]
    finally:
        (tmp_path / "b").chmod(0o700)


def test_a_folder_without_transcripts_says_so(tmp_path: Path) -> None:
    assert found(tmp_path) == [Transcript(tmp_path, error="no transcript is below this folder")]


def test_a_nobody_has_no_home() -> None:
    (file,) = found(Path("~nobody-of-this-name/x.json"))
    assert file.error


def test_names_that_are_no_text_are_read_all_the_same(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"\xff.json")
    write(odd, chat("one"))

    assert [done.result for done in titles(found(tmp_path))] == ["one"]


def test_every_conversation_of_every_file_is_worked_on_once_in_order(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", chat("one"), {"messages": []}, chat("three"))
    write(tmp_path / "b.json", {"odd": 1})
    write(tmp_path / "c.json", chat("four"))

    done = titles(found(tmp_path))

    assert [(one.path.name, one.item, one.result) for one in done] == [
        ("a.jsonl", 0, "one"),
        ("a.jsonl", 1, None),
        ("a.jsonl", 2, "three"),
        ("b.json", 0, None),
        ("c.json", 0, "four"),
    ]
    assert "no message at all" in done[1].error
    assert "no transcript" in done[3].error
    assert done[2].opened is not None
    assert done[2].opened.opening.item == 2


def test_a_file_that_is_gone_meanwhile_is_told(tmp_path: Path) -> None:
    gone = write(tmp_path / "a.json", chat("one"))
    write(tmp_path / "b.json", chat("two"))
    files = found(tmp_path)
    gone.unlink()

    done = titles(files)

    assert [(one.result, one.error) for one in done] == [(None, "there is no such file"), ("two", "")]


def test_work_that_fails_is_told_in_its_place(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", chat("one"), chat("two"))

    def work(opened: Opened, _job: Job) -> str:
        if opened.conversation.title == "one":
            raise EngineError("the server is gone", where="http://x")
        return "fine"

    one, two = each(found(tmp_path), Opening(Path()), work, Job(), settings=Settings(store=False))

    assert (one.result, one.error, two.result) == (None, "http://x: the server is gone", "fine")
    assert one.opened is not None


def test_every_conversation_is_opened_as_is_said(tmp_path: Path) -> None:
    (tmp_path / "CLAUDE.md").write_text("- Use tabs.\n")
    write(tmp_path / "a.json", chat("one", "1"))
    opening = Opening(Path(), memories=(tmp_path / "CLAUDE.md",), sources="turns")

    def work(opened: Opened, _job: Job) -> list[str]:
        return [memory.key for memory in opened.conversation.memories]

    (done,) = each(found(tmp_path / "a.json"), opening, work, Job(), settings=Settings(store=False))

    assert done.result == ["CLAUDE.md#start/1", "turn/1 one"]


def test_the_job_says_how_many_are_done_whatever_the_work_says(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", chat("one"), chat("two"))
    write(tmp_path / "b.json", {"odd": 1})
    files = found(tmp_path)
    seen: list[Progress] = []

    def work(_opened: Opened, job: Job) -> None:
        job.progress(1, 2, "scorings", "embedded")

    list(each(files, Opening(Path()), work, Job(seen.append), settings=Settings(store=False)))

    assert {(progress.total, progress.unit) for progress in seen} == {(3, "conversations")}
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)
    assert seen[-1].done == 3
    assert "one (scorings 1/2)" in [progress.doing for progress in seen]


def test_a_cancelled_job_stops_between_conversations_and_within_the_work(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", chat("one"), chat("two"), chat("three"))
    files, job = found(tmp_path), Job()
    worked: list[str] = []

    def work(opened: Opened, part: Job) -> None:
        worked.append(opened.conversation.title)
        if len(worked) == 2:
            threading.Thread(target=job.cancel).start()
            part.wait(10)

    with pytest.raises(Cancelled):
        list(each(files, Opening(Path()), work, job, settings=Settings(store=False)))
    assert worked == ["one", "two"]
    with pytest.raises(Cancelled):
        transcripts([tmp_path], job)
