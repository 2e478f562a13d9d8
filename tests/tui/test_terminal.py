"""The console in a real pseudo-terminal: that it opens, obeys, survives what terminals do, and leaves them clean."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from memscope.base.settings import data_dir
from memscope.store.database import Database
from tests.tui.hostile import foreign, hostile_file
from tests.tui.terminal import Terminal

ALTERNATE, NORMAL = b"\x1b[?1049h", b"\x1b[?1049l"


@pytest.fixture
def demo() -> Iterator[Terminal]:
    with Terminal("demo") as terminal:
        terminal.wait("15 scorings")
        terminal.quiet(0.4)  # the words of the first cell come a moment later
        yield terminal


def test_the_demo_opens_scores_obeys_and_leaves_the_terminal_clean(demo: Terminal) -> None:
    assert "project/web-uses-pnpm" in demo.text
    demo.send("3")
    demo.wait("net")
    demo.send("q")
    assert demo.end() == 0
    assert demo.raw.count(ALTERNATE) == demo.raw.count(NORMAL) == 1
    for mode in (b"\x1b[?1000", b"\x1b[?1006", b"\x1b[?2004", b"\x1b[?25"):  # mouse, its form, paste, cursor
        last = demo.raw.rindex(mode)
        assert demo.raw[last : last + 9].startswith(mode + (b"h" if mode.endswith(b"25") else b"l")), mode


def test_a_terminal_made_tiny_and_large_again_shows_the_same(demo: Terminal) -> None:
    before = demo.text
    demo.resize(20, 5)
    demo.quiet()
    assert demo.code is None
    demo.type("j 2 3 1 k")
    demo.resize(100, 30)
    demo.wait(lambda text: text == before)


def test_stop_and_go_on(demo: Terminal) -> None:
    os.kill(demo.pid, signal.SIGTSTP)
    demo.quiet()
    os.kill(demo.pid, signal.SIGCONT)
    demo.wait("project/web-uses-pnpm")
    demo.send("q")
    assert demo.end() == 0


def test_a_killed_terminal_ends_it(demo: Terminal) -> None:
    os.kill(demo.pid, signal.SIGHUP)
    assert demo.end() != 0


def test_a_hostile_conversation_says_nothing_to_the_terminal(tmp_path: Path) -> None:
    with Terminal(hostile_file(tmp_path), columns=120, rows=36) as terminal:
        terminal.wait("scorings")
        terminal.type("j l y l i Esc / p Esc v Esc Enter j j Tab j Tab l Space l Esc")
        terminal.type("2 y Tab y Tab y Esc Z y j j z j y j Space j m Esc / [ Enter n Esc w")
        terminal.type("3 y j s / k Esc Enter 1 ? Esc : evil Esc E Esc , Esc e Esc")
        terminal.type("4 - - - - - - - y w evil Enter c x Esc k Enter Tab j Tab j Tab Tab y Esc")
        terminal.type("a z u b b b b Space A v t Esc e Esc")
        assert terminal.code is None
        assert foreign(terminal.raw) == ""
        terminal.send("q")
        assert terminal.end() == 0
        assert foreign(terminal.raw) == ""


def test_recent_conversations_with_hostile_names_say_nothing_to_the_terminal(tmp_path: Path) -> None:
    with Terminal(hostile_file(tmp_path)) as terminal:
        terminal.wait("scorings")
        terminal.send("q")
        terminal.end()
    with Terminal() as terminal:
        terminal.wait("evil")
        terminal.type("j k Esc")
        terminal.send("q")
        assert terminal.end() == 0
        assert foreign(terminal.raw) == ""


@pytest.mark.parametrize("text", ["{", "hello"])
def test_a_file_that_is_no_transcript_is_told_on_the_command_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "no.json"
    path.write_text(text)
    with Terminal(path) as terminal:
        assert terminal.end() == 2
        assert ALTERNATE not in terminal.raw


def test_two_consoles_on_one_store_get_along(tmp_path: Path, demo: Terminal) -> None:
    with Terminal("demo") as other:
        other.wait("15 from disk")
        demo.type("t ^U 5 Enter")
        other.type("t ^U 7 Enter")
        for terminal in (demo, other):
            terminal.send("q")
            assert terminal.end() == 0


def test_a_file_that_vanishes_while_it_is_open_is_no_loss(tmp_path: Path) -> None:
    path = tmp_path / "gone.json"
    path.write_text(json.dumps(json.loads((Path(__file__).parents[2] / "memscope/data/demo.json").read_text())))
    with Terminal(path) as terminal:
        terminal.wait("scorings")
        path.unlink()
        terminal.type("2 j Enter 1")
        terminal.wait("project/web-uses-pnpm")
        terminal.send("q")
        assert terminal.end() == 0


def test_being_ended_leaves_the_terminal_clean(demo: Terminal) -> None:
    os.kill(demo.pid, signal.SIGTERM)
    assert demo.end() == 0
    assert demo.raw.count(NORMAL) == 1
    assert demo.raw.rindex(b"\x1b[?1000l") > demo.raw.rindex(b"\x1b[?1000h")


def tower(folder: Path, floors: int = 6) -> Path:
    """A conversation file in which every response says a code that only a memory knows."""
    codes = [f"floor {n} has the code {7919 * (n + 1) % 100_003:05d}x{n}" for n in range(floors)]
    memory = "<memories>\n" + "\n".join(f"- {code}" for code in codes) + "\n</memories>"
    said = [{"role": "system", "content": f"You help.\n{memory}"}]
    for n, code in enumerate(codes):
        said += [
            {"role": "user", "content": f"Which has {n}?"},
            {"role": "assistant", "content": f"It is that {code}."},
        ]
    path = folder / "tower.json"
    path.write_text(json.dumps({"messages": said}))
    return path


def verdicts() -> list[str]:
    """The decisions on disk, in order."""
    database = Database(data_dir())
    try:
        rows = database.read(
            "SELECT CAST(verdict AS TEXT) FROM journal WHERE kind = CAST('triage' AS BLOB) ORDER BY id"
        )
    finally:
        database.close()
    return [str(verdict) for (verdict,) in rows]


def test_a_decision_that_is_shown_survives_a_kill(tmp_path: Path) -> None:
    path = tower(tmp_path)
    with Terminal(path) as terminal:
        terminal.wait("scorings")
        terminal.send("4")
        terminal.wait("6 undecided")
        terminal.send("aar")
        terminal.wait("1 rejected")
        os.kill(terminal.pid, signal.SIGKILL)
        assert terminal.end() == -signal.SIGKILL
    assert verdicts() == ["accept", "accept", "reject"]
    with Terminal(path) as terminal:
        terminal.wait("3 undecided  2 accepted  1 rejected")
        terminal.send("u")
        terminal.wait("4 undecided  2 accepted  0 rejected")
        terminal.send("uuzq")
        assert terminal.end() == 0
    assert verdicts() == ["accept", "accept", "reject", "undo", "undo", "undo", "skip"]


def test_keys_that_a_quit_follows_at_once_are_kept(tmp_path: Path) -> None:
    with Terminal(tower(tmp_path)) as terminal:
        terminal.wait("scorings")
        terminal.send("4")
        terminal.wait("6 undecided")
        terminal.send("aazrq")
        assert terminal.end() == 0
    assert verdicts() == ["accept", "accept", "skip", "reject"]
