"""The file of a memory: read or refused, never destroyed, and changed by one at a time."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from memscope.base.errors import Cancelled, MemscopeError, SourceError, UsageError
from memscope.lessons import file
from memscope.lessons.document import document_of, memory_of
from memscope.lessons.model import AgentMemory, Episode
from memscope.lessons.recording import recorded
from tests.lessons import classic_memory

NAME = "agent_memory.json"
BAK, LOCK = f"{NAME}.bak", f".{NAME}.lock"


def with_one(memory: AgentMemory, task: str = "triage", mistake: str = "late") -> AgentMemory:
    return recorded(memory, Episode(task, 0.2, 7, "Asked first", (mistake,)), 1e9)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / NAME


def beside(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir())


def refusal(path: Path, do: Callable[[Path], object] = file.read) -> MemscopeError:
    with pytest.raises(MemscopeError) as caught:
        do(path)
    assert caught.value.where == str(path)
    return caught.value


def change(path: Path) -> object:
    return file.changing(path, with_one)


# Reading.


def test_where_there_is_no_file_the_memory_is_fresh_and_none_is_made(tmp_path: Path, path: Path) -> None:
    assert file.read(path) == file.read(tmp_path / "no" / "folder" / NAME) == AgentMemory()
    assert not [*tmp_path.iterdir()]


def test_a_file_that_classic_wrote_is_read_and_written_byte_for_byte(path: Path) -> None:
    theirs = classic_memory.fresh()
    for number in range(120):
        classic_memory.record(theirs, {"task_id": "größe", "score": number / 120, "mistakes": [f"m {number}"]}, 1e9)
    classic_memory.save(theirs, path)
    before = path.read_bytes()

    other = path.with_name("other.json")
    file.save(other, file.read(path))

    assert other.read_bytes() == before


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b'{\n "version": 1,\n "mistakes": [\n', "line 4: this is no JSON (Expecting value)"),
        (b'{"version": 1}\n{"version": 1}', "line 2: this is no JSON (Extra data)"),
        (b"\x00" * 9, "line 1: this is no JSON (Expecting value)"),
        (b'{\n "version": 1,\n "mistakes": ["\xff"]}', "line 3: this is not UTF-8"),
        ('{"version": 1}'.encode("utf-16"), "line 1: this is not UTF-8"),
        (b"[1]", "it holds a list, not the object that an agent's memory is"),
        (b'{"name": "x"}', "it has nothing that an agent's memory has, so it is none"),
        (b'{\n "version":\n 2}', "line 3: its version is 2, and only the number 1 can be read"),
        (
            b'{"a": {"mistakes": 1},\n "version" : 1 , "\\u0062\\"": "}",\n\n\t"mistakes": "m"}',
            "line 4: mistakes is a text, not a list",
        ),
        (
            b'{"version": 1, "score_history": {"a": [1],\n"b": [],\n"c": 3}}',
            "line 3: score_history of c is a number, not a list",
        ),
        (b'{"version": 1,\n"mistakes": ["a"],\n"mistakes": []}', "line 3: an object in it has mistakes twice"),
        (b'{"version": 1,\n"x": ' + b"[" * 250 + b"]" * 250 + b"}", "line 2: the JSON is nested too deeply"),
        (b'{"version": 1, "x": ' + b"[" * 10**5, "line 1: the JSON is nested too deeply"),
        (b'{"version": 1,\n\n"x": ' + b"9" * 5000 + b"}", "line 3: it holds a number too long to read"),
        (
            b'{"version": 1, "total_episodes":\n' + b"9" * 4300 + b"}",
            f"line 2: total_episodes is {'9' * 19}…, and 9,007,199,254,740,991 is the most that is counted",
        ),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_what_is_no_memory_is_refused_and_left_alone(path: Path, data: bytes, what: str) -> None:
    path.write_bytes(data)

    assert refusal(path).what == refusal(path, change).what == what
    assert isinstance(refusal(path), SourceError)
    assert path.read_bytes() == data
    assert beside(path) == [NAME]


WHOLE = json.dumps(document_of(with_one(AgentMemory(3, mistakes=("größe",)))), indent=2, ensure_ascii=False).encode()


@given(
    st.integers(0, len(WHOLE)),
    st.integers(0, 40),
    st.binary(max_size=4) | st.sampled_from([b"{", b"]", b'"', b"9e999"]),
)
def test_a_damaged_file_is_a_memory_or_refused(tmp_path_factory: Any, at: int, length: int, put: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.json"
    data = WHOLE[:at] + put + WHOLE[at + length :]
    path.write_bytes(data)

    try:
        memory = file.read(path)
    except SourceError as error:
        assert error.where == str(path)
    else:
        assert AgentMemory() != memory
    assert path.read_bytes() == data


def test_a_file_that_is_broken_says_what_to_put_in_its_place(path: Path) -> None:
    path.write_text("{")
    assert refusal(path).do == "Repair it, or move it away to begin afresh; it was left as it is."

    path.with_name(BAK).write_text("{}")
    assert refusal(path).do == f"Repair it, or put {NAME}.bak in its place; it was left as it is."


def test_a_mark_at_the_head_of_the_file_is_no_fault(path: Path) -> None:
    path.write_text('\ufeff{"version": 1, "mistakes": ["late"]}', encoding="utf-8")

    assert file.read(path).mistakes == ("late",)


def test_a_folder_a_pipe_and_a_file_in_place_of_a_folder_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "text").write_text("x")
    before = sorted(tmp_path.iterdir())

    for do in (file.read, change, lambda path: file.save(path, AgentMemory())):
        assert refusal(tmp_path, do).what == "this is a folder, not a file"
        assert refusal(tmp_path / "pipe", do).what == "this is a pipe or a device, not a file"
        assert refusal(tmp_path / "text" / NAME, do).what == "Not a directory"
        assert refusal(tmp_path / "a\0b", do).what == "no file has such a name"
        assert refusal(Path("/"), do).what == "this is a folder, not a file"
    assert sorted(tmp_path.iterdir()) == before


def test_a_name_that_leaves_no_room_for_those_beside_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 252)

    assert file.read(path) == AgentMemory()
    assert refusal(path, change).what == "the name is too long"
    assert not path.exists()
    with pytest.raises(SourceError, match="File name too long"):
        file.read(tmp_path / ("n" * 300))


@pytest.mark.parametrize("do", [file.read, change])
def test_a_file_that_may_not_be_read_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch, do: Any) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("memscope.lessons.file.os.open", refuse)

    assert refusal(path, do).what == "no permission to read it"


# Saving.


def test_a_save_makes_the_folders_and_keeps_the_version_before(tmp_path: Path) -> None:
    path = tmp_path / "outputs" / "run 1" / NAME
    first = with_one(AgentMemory())
    file.save(path, first)
    assert beside(path) == [NAME]
    before = path.read_bytes()

    second = with_one(first)
    file.save(path, second)
    file.save(path, second)

    assert file.read(path) == second
    assert beside(path) == [NAME, BAK]
    assert path.with_name(BAK).read_bytes() == before
    assert path.read_text() == json.dumps(document_of(second), indent=2)


def test_the_log_in_the_file_has_the_last_hundred(path: Path) -> None:
    memory = AgentMemory()
    for number in range(130):
        memory = with_one(memory, str(number))

    file.save(path, replace(memory, strange={"episode_log": ("x",)}))

    found = file.read(path)
    assert [one.task_id for one in found.episode_log] == [str(number) for number in range(30, 130)]
    assert (found.total_episodes, len(found.score_history)) == (130, 130)
    assert found.strange == {"episode_log": ("x",)}
    assert file.changing(path, lambda _: memory)[1] == replace(memory, episode_log=memory.episode_log[-100:])


def test_a_link_stays_one_and_a_file_keeps_its_rights(tmp_path: Path, path: Path) -> None:
    real = tmp_path / "data" / "memory.json"
    file.save(real, with_one(AgentMemory()))
    real.chmod(0o640)
    path.symlink_to(real)

    file.changing(path, with_one)

    assert path.is_symlink()
    assert file.read(real).total_episodes == 2
    assert {one.stat().st_mode & 0o777 for one in (real, real.with_name("memory.json.bak"))} == {0o640}
    assert (beside(path), beside(real)) == ([NAME, "data"], [".memory.json.lock", "memory.json", "memory.json.bak"])
    real.write_text("{")
    assert f"put {real}.bak in its place" in refusal(path).do


def test_a_new_file_may_be_read_by_whom_the_umask_lets(path: Path) -> None:
    before = os.umask(0o027)
    try:
        file.changing(path, with_one)
        file.changing(path, with_one)
    finally:
        os.umask(before)

    assert {one.stat().st_mode & 0o777 for one in (path, path.with_name(BAK))} == {0o640}


def test_a_file_that_is_read_only_stays_as_it_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.save(path, with_one(AgentMemory()))
    before = path.read_bytes()
    monkeypatch.setattr("memscope.lessons.file.os.access", lambda *_: False)  # root may write to any

    told = refusal(path, change)

    assert (type(told), told.what) == (UsageError, "this may not be written to")
    assert (path.read_bytes(), beside(path)) == (before, [LOCK, NAME])


def test_a_folder_where_the_version_before_is_kept_is_named(path: Path) -> None:
    file.save(path, with_one(AgentMemory()))
    before = path.read_bytes()
    path.with_name(BAK).mkdir()

    with pytest.raises(UsageError, match="this is a folder, where the version before is to be kept") as caught:
        file.changing(path, with_one)

    assert caught.value.where == str(path.with_name(BAK))
    assert path.read_bytes() == before


@pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_fails_leaves_the_file_as_it_was_and_nothing_beside_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    file.changing(path, with_one)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(call, fail)

    told = refusal(path, change)

    assert told.what == ("the disk is full" if number == errno.ENOSPC else "it cannot be written (Input/output error)")
    assert path.read_bytes() == before
    assert beside(path) == [LOCK, NAME]


# Changing.


def test_a_change_gives_the_memory_before_and_after_as_it_is_in_the_file(path: Path) -> None:
    first = file.changing(path, with_one)
    second = file.changing(path, with_one)

    assert first[0] == AgentMemory()
    assert first[1] == second[0]
    assert second[1] == file.read(path)
    assert second[1].total_episodes == 2
    assert beside(path) == [LOCK, NAME, BAK]


def test_a_file_is_parsed_once_unless_others_have_written_meanwhile(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.changing(path, with_one)
    parsed: list[int] = []
    monkeypatch.setattr("memscope.lessons.file.memory_of", lambda read: parsed.append(1) or memory_of(read))

    file.changing(path, with_one)
    assert len(parsed) == 1

    with FileLock(path.with_name(LOCK)) as held:

        def meanwhile() -> None:
            file.save(path, with_one(file.read(path)))
            held.release()

        assert file.changing(path, with_one, wait=meanwhile)[1].total_episodes == 4


def test_what_a_killed_program_left_is_removed_and_nothing_else(path: Path) -> None:
    ours = [f".{NAME}.0a1b2c3d.tmp", f".{BAK}.deadbeef.tmp"]
    others = [f".{NAME}.old", f".{NAME}.0a1b2c3d", f".{NAME}.0a1b2c3g.tmp", f"x.{NAME}.0a1b2c3d.tmp"]
    for name in (*ours, *others):
        path.with_name(name).touch()
    path.with_name(f".{NAME}.11111111.tmp").mkdir()
    path.with_name(f".{NAME}.22222222.tmp").symlink_to(path)

    file.changing(path, with_one)

    left = {*others, f".{NAME}.11111111.tmp", f".{NAME}.22222222.tmp"}
    assert {*beside(path)} == {LOCK, NAME, *left}


def test_no_change_writes_nothing(path: Path) -> None:
    assert file.changing(path, lambda memory: memory) == (AgentMemory(), AgentMemory())
    assert not path.exists()

    path.write_text('{"version":1}')
    file.changing(path, lambda memory: memory)
    assert path.read_text() == '{"version":1}'
    assert not path.with_name(BAK).exists()


def test_a_change_that_fails_writes_nothing_and_frees_the_file(path: Path) -> None:
    def fail(memory: AgentMemory) -> AgentMemory:
        raise OSError("of somebody else")

    with pytest.raises(OSError, match="of somebody else"):
        file.changing(path, fail)

    assert file.changing(path, with_one, patience=0)[1].total_episodes == 1


def test_who_waits_too_long_is_told_so(tmp_path: Path, path: Path) -> None:
    link = tmp_path / "elsewhere" / "link.json"
    link.parent.mkdir()
    link.symlink_to(path)

    def within(memory: AgentMemory) -> AgentMemory:
        told: list[MemscopeError] = []

        def wait() -> None:
            told.append(refusal(link, lambda path: file.changing(path, with_one, patience=0)))

        other = threading.Thread(target=wait)
        other.start()
        other.join()
        assert isinstance(told[0], UsageError)
        assert told[0].what == "another program has been changing it for 0 seconds"
        return with_one(memory)

    assert file.changing(path, within)[1].total_episodes == 1


def test_who_waits_may_end_that_and_nothing_is_written(path: Path) -> None:
    def stop() -> None:
        raise Cancelled

    with FileLock(path.with_name(LOCK)), pytest.raises(Cancelled):
        file.changing(path, with_one, wait=stop)

    assert not path.exists()


def test_a_folder_that_may_not_be_written_to_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)

    assert refusal(path, change).what == "this may not be written to"


# Several programs at once.

RECORDER = """
import sys
from pathlib import Path
from memscope.lessons import file
from memscope.lessons.model import Episode
from memscope.lessons.recording import recorded

path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for number in range(count):
    episode = Episode(name, 0.5, number, "x" * 200, (f"{name} {number}",))
    file.changing(path, lambda memory: recorded(memory, episode, 1e9), patience=60)
    print(number, flush=True)
"""


def recorder(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RECORDER, str(path), name, str(count)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def start(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_two_programs_that_record_at_once_lose_nothing(path: Path) -> None:
    with recorder(path, "a", 50) as one, recorder(path, "b", 50) as other:
        assert said(one) == said(other) == "ready"
        start(one)
        start(other)
        one.communicate()
        other.communicate()

    memory = file.read(path)
    assert (one.returncode, other.returncode) == (0, 0)
    assert memory.total_episodes == len(memory.episode_log) == 100
    assert {*memory.mistakes} == {f"{name} {number}" for name in "ab" for number in range(50)}
    for name in "ab":
        assert [one.steps for one in memory.episode_log if one.task_id == name] == [*range(50)]
    assert beside(path) == [LOCK, NAME, BAK]


def test_a_program_that_is_killed_while_it_saves_leaves_a_whole_file(path: Path) -> None:
    recorders = [recorder(path, str(number), 10**6) for number in range(3)]
    for turn, process in enumerate(recorders):
        with process:
            assert said(process) == "ready"
            start(process)
            for _ in range(3 + turn):
                done = int(said(process))
            process.send_signal(signal.SIGKILL)
            process.stdout.read() if process.stdout else None

        memory = file.read(path)
        assert memory.score_history[str(turn)][done:]  # what was said to be recorded is there
        assert memory.total_episodes == sum(map(len, memory.score_history.values()))
        assert file.read(path.with_name(BAK)).total_episodes in (
            memory.total_episodes,
            memory.total_episodes - 1,
        )
    assert file.changing(path, with_one)[1].total_episodes == memory.total_episodes + 1
    assert beside(path) == [LOCK, NAME, BAK]
