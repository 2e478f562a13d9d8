"""What a scan keeps of a session: enough to rank, filter and show it, without ever reading its file again."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

VERSION = 1  # of what is found and how; a scan of another version is made again
_EXIT_CODE = re.compile(r"^exit code -?\d+(?:: |$)")
LAST_SECOND = 253_402_300_799  # of the year 9999; no time before 1970 or behind this is one

FailureKind = Literal["error", "exit_code", "interrupted", "words"]
"""What a failure was told by: a result or event marked as an error, an exit code, a turn that was broken off; or, where
a session has no such structure at all, by a word."""


class Evidence(NamedTuple):
    """Where something was found: `message` is an index into the messages of the context `window`, as loading has them;
    `line` counts from 1 in the file, 0 where there is none. `text`: the words that decided, on one line, cut."""

    window: int
    message: int
    line: int
    text: str

    @property
    def quote(self) -> str:
        """What of the words stands in the session itself; an exit code is said before them."""
        return _EXIT_CODE.sub("", self.text)


class Failure(NamedTuple):
    """Why a session counts as one that failed."""

    kind: FailureKind
    evidence: Evidence


class Repository(NamedTuple):
    """A repository that was worked on, by its name alone (`mise`, of jdx/mise), and where the session says so."""

    name: str
    evidence: Evidence


class Facts(NamedTuple):
    """What one conversation of a file tells, all its context windows together.

    `session`: the agent's own name for it; `parent`: that of the session whose sub-agent it is. `print`: a digest of
    how it begins, where that can be no accident (its messages have ids or times): what resumed it begins alike.
    `request`: the opening words of the first request. `messages`, `responses`, `tool_calls` are counted over the whole
    file, system messages that open every window once. `memories`: different keys, by the structured and the fenced
    rules; `memory`: where the first of them is. `began`, `ended`: the first and the last message's time, in seconds
    since the epoch. `failure`: the last that was found. `has_content`: whether anything is said in it. `malformed`:
    lines that were passed over as broken, and `skipped` all that was passed over, those among them.
    """

    item: int
    title: str
    request: str
    session: str
    parent: str
    print: str
    is_subagent: bool
    messages: int
    responses: int
    tool_calls: int
    memories: int
    memory: Evidence | None
    windows: int
    began: float | None
    ended: float | None
    repositories: tuple[Repository, ...]
    failure: Failure | None
    has_content: bool
    malformed: int
    skipped: int


class Stamp(NamedTuple):
    """What a file looked like when it was read: as long as that is so, it need not be read again. `modified` in
    nanoseconds since the epoch. `log`: size and time of the write-ahead log of a database, "" where there is none."""

    size: int
    modified: int
    log: str = ""


class ScannedFile(NamedTuple):
    """A file as a scan left it: its conversations in their order, or why it holds none (`error`). `path` is a text, as
    `os.fsdecode` has it, for there are thousands. `format`: "" where it was not recognised."""

    path: str
    stamp: Stamp
    format: str
    sessions: tuple[Facts, ...]
    error: str = ""
