"""The one tree of errors a person can meet.

Every error says what happened, to what, and what to do about it, and knows the exit code a command ends with. Anything
else that is raised is a bug and may show its traceback; bad input never does.
"""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path


class Exit(IntEnum):
    """What a command ends with."""

    DONE = 0
    NOTHING = 1  # a check failed, or nothing was found where something was asked for
    USAGE = 2  # wrong use or bad input
    ENGINE = 3
    INTERRUPTED = 130


class MemscopeError(Exception):
    """Something a person can act on.

    `what` happened, `where` (a file, a server, a setting; a value as found, not yet cleaned for a screen), and what to
    `do`. `str()` joins them in that order.
    """

    exit_code = Exit.USAGE

    def __init__(self, what: str, *, where: str | Path | None = None, do: str = "") -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.do = do
        super().__init__(what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f" {self.do}" if self.do else ""
        return f"{place}{self.what}{'.' if remedy and not self.what.endswith(('.', '!', '?')) else ''}{remedy}"


class UsageError(MemscopeError):
    """A command was asked for something it does not do."""


class SettingsError(MemscopeError):
    """A setting has a value it cannot have, or no such setting exists."""


class SourceError(MemscopeError):
    """A file cannot be read as what it was given for."""


class StoreError(MemscopeError):
    """The store on disk cannot be opened, read or written."""


class EngineError(MemscopeError):
    """An engine could not score: it cannot be reached, refuses, or answers something that is no score."""

    exit_code = Exit.ENGINE

    def __init__(
        self, what: str, *, where: str | Path | None = None, do: str = "", lasting: bool = False, status: int = 0
    ) -> None:
        """`lasting`: whatever else is asked of the engine would fail for the same reason, as without a valid key.
        `status`: of the HTTP answer, 0 where there was none."""
        super().__init__(what, where=where, do=do)
        self.lasting = lasting
        self.status = status


class Cancelled(MemscopeError):  # noqa: N818 - not a failure: somebody asked for it
    """The work was stopped on request; what had landed is kept."""

    exit_code = Exit.INTERRUPTED

    def __init__(self, what: str = "stopped", *, where: str | Path | None = None, do: str = "") -> None:
        super().__init__(what, where=where, do=do)
