"""A real pseudo-terminal with memscope in it: keys in, every byte out, and the screen that the bytes make."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pyte

PATIENCE = 20.0  # seconds
NAMED = {"Esc": "\x1b", "Enter": "\r", "Tab": "\t", "Space": " ", "^U": "\x15"}


class Terminal:
    """`python -m memscope ARGS` on a terminal of its own. `raw`: every byte it wrote."""

    def __init__(
        self,
        *args: str | Path,
        columns: int = 100,
        rows: int = 30,
        env: Mapping[str, str] | None = None,
        script: Path | None = None,
    ) -> None:
        """`script`: a Python file that is run instead."""
        self.raw, self._drawn = b"", 0
        self.code: int | None = None
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        foreign = ("TEXTUAL", "COLUMNS", "LINES")
        surroundings = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        surroundings |= {
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "TEXTUAL_ANIMATIONS": "none",
            **(env or {}),
        }
        self.pid, self.handle = pty.fork()
        if self.pid == 0:  # pragma: no cover - the child
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # also where the tests run under nohup
            what = [str(script)] if script else ["-m", "memscope", *map(str, args)]
            os.execve(sys.executable, [sys.executable, *what], surroundings)
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        """As a person does who drags the window."""
        fcntl.ioctl(self.handle, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._draw()
        self.screen.resize(rows, columns)

    def send(self, keys: str) -> None:
        os.write(self.handle, keys.encode())

    def read(self, seconds: float = 0.05) -> None:
        """Takes in what is written within so many seconds."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if not select.select([self.handle], [], [], left)[0]:
                self._reap()
                return
            try:
                data = os.read(self.handle, 1 << 16)
            except OSError:  # the child has closed its side
                data = b""
            if not data:
                self._reap()
                return
            self.raw += data

    def quiet(self, seconds: float = 0.15) -> str:
        """Reads until nothing is written for so long; the screen then."""
        until, seen = time.monotonic() + PATIENCE, -1
        while seen != len(self.raw) and self.code is None and time.monotonic() < until:
            seen = len(self.raw)
            self.read(seconds)
        return self.text

    def type(self, keys: str) -> str:
        """Keys with spaces between them, each when the one before has had its effect; the screen then."""
        for key in keys.split():
            self.send(NAMED.get(key, key))
            self.quiet()
        return self.text

    @property
    def text(self) -> str:
        """The screen as text."""
        self._draw()
        return "\n".join(self.screen.display)

    def _draw(self) -> None:
        """Brings the screen up to date; pyte is slow, so only when somebody looks."""
        data, self._drawn = self.raw[self._drawn :], len(self.raw)
        # pyte does not know these private forms and would print them
        self._stream.feed(re.sub(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1bP.*?\x1b\\", b"", data))

    def wait(self, found: str | Callable[[str], bool], patience: float = PATIENCE) -> str:
        """Reads until the screen shows something; the screen then."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            self.read()
            if found in self.text if isinstance(found, str) else found(self.text):
                return self.text
            if self.code is not None:
                break
        raise AssertionError(f"{found!r} was not shown (exit code {self.code}):\n{self.text}")

    def end(self, patience: float = PATIENCE) -> int:
        """Waits for the process to end by itself; its exit code."""
        until = time.monotonic() + patience
        while self.code is None and time.monotonic() < until:
            self.read()
            self._reap()
        assert self.code is not None, f"it still runs:\n{self.text}"
        return self.code

    def close(self) -> None:
        """Ends it, whatever it does."""
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.code = -9
        os.close(self.handle)

    def _reap(self) -> None:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
