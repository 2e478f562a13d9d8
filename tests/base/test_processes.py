"""Work in other processes: all of it is done, whoever dies, and none of them outlives who asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from memscope.base.errors import Cancelled
from memscope.base.job import Job
from memscope.base.processes import processors, spread
from tests.base import processes_work as at_work

ROOT = Path(__file__).parents[2]


def done(begin: Any, arguments: tuple[object, ...], tasks: list[Any], *, processes: int) -> dict[int, Any]:
    found = [
        one for some in spread(begin, arguments, tasks, [1] * len(tasks), Job(), processes=processes) for one in some
    ]
    assert len(found) == len(tasks)
    return dict(found)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")  # one that nobody has asked after yet is dead too
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


def soon(holds: Any) -> bool:
    end = time.monotonic() + 20
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return bool(holds())


@pytest.mark.parametrize("processes", [0, 2])
def test_every_task_has_its_result(processes: int) -> None:
    found = done(at_work.squares, (), list(range(300)), processes=processes)
    assert {number: square for number, (square, _) in found.items()} == {n: n * n for n in range(300)}
    assert ({pid for _, pid in found.values()} == {os.getpid()}) == (not processes)


def test_no_work_is_none() -> None:
    assert done(at_work.squares, (), [], processes=4) == {}
    assert processors() >= 1


def test_a_process_that_dies_costs_its_task_alone() -> None:
    found = done(at_work.mortal, (7,), list(range(20)), processes=1)
    assert found == {number: None if number == 7 else number for number in range(20)}


def test_where_no_process_gets_to_work_this_one_does() -> None:
    assert done(at_work.at_home, (os.getpid(),), [3, 4], processes=1) == {0: 3, 1: 4}
    with pytest.raises(ValueError, match="no work here"):
        done(at_work.refusing, (), [3], processes=1)


@pytest.mark.parametrize("ending", ["cancel", "close"])
def test_what_is_at_work_ends_at_once(tmp_path: Path, ending: str) -> None:
    job, told = Job(), tmp_path / "pid"
    going = spread(at_work.endless, (), [str(told)], [1], job, processes=1)
    assert soon(lambda: next(going) == [] and told.exists())
    if ending == "cancel":
        job.cancel()
        with pytest.raises(Cancelled):
            next(going)
    else:
        going.close()
    assert is_gone(int(told.read_text()))


def test_processes_end_with_who_asked_even_if_killed(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    asking = (
        "import sys; from memscope.base.job import Job; from memscope.base.processes import spread;"
        " from tests.base.processes_work import endless;"
        " list(spread(endless, (), [sys.argv[1]], [1], Job(), processes=1))"
    )
    with subprocess.Popen([sys.executable, "-c", asking, str(told)], cwd=ROOT) as process:
        assert soon(told.exists)
        process.send_signal(signal.SIGKILL)
    assert soon(lambda: is_gone(int(told.read_text())))
