"""The numbers of the first session sampler, to compare with: exactly those, part by part, quirks included.

It reads the first line of a file and the last 8 KB, and looks at the last 30 lines of those, never at the first. What
it makes of them:

- The messages of a file above 8 KB are guessed from its size where the tail holds fewer than 100 lines: a message for
  500 bytes.
- A session failed if one of eight words stands anywhere in those lines, also in another word, whoever wrote it.
- There are eight repositories, found in the arguments of tool calls. The first session in the order of the folder (by
  name here; there, as the file system has it) has a repository's bonus, but those that `since` or `repo` leaves out.
- A date in the file's name counts only if six signs behind it, where there are so many, are a time of day.

Where it stops with a traceback (a line that is JSON but no object, a content that is no text, a file's time beyond all
dates), that line counts for nothing here, and that time as a year ago.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from memscope.sessions.failing_words import WORDS
from memscope.sessions.ranked import Breakdown

TAIL = 8192  # bytes
LINES = 30
MESSAGE = 500  # bytes, for the guess
REPOSITORIES = (
    *("Timmy_Foundation/", "Rockachopa/", "compounding-intelligence", "the-nexus"),
    *("timmy-home", "hermes-agent", "the-beacon", "the-door"),
)


class ClassicSession(NamedTuple):
    """A file as the first sampler scored it. `repos`: in the order of `REPOSITORIES`, without a slash at the end."""

    path: str
    filename: str
    score: int
    parts: Breakdown
    message_count: int
    repos: tuple[str, ...]
    is_failure: bool


class _Read(NamedTuple):
    """What the sampler reads of a file; without `opening`, the words that its last content begins with."""

    messages: int = 0
    calls: int = 0
    opening: str = ""
    is_failure: bool = False
    repos: tuple[str, ...] = ()


def classic_sessions(folder: Path, now: float, *, since: float | None = None, repo: str = "") -> list[ClassicSession]:
    """Every `*.jsonl` right in `folder`, by name, at the time `now`.

    `since`: without those whose name has an earlier date. `repo`: only those that name the repository, or have it in
    their file's name, in whatever case. Times are in seconds since the epoch.
    """
    moment = datetime.fromtimestamp(now, UTC)
    seen: set[str] = set()
    found = []
    for path in sorted(folder.glob("*.jsonl"), key=lambda path: path.name):
        dated = classic_date(path.name)
        if since is not None and dated is not None and dated < datetime.fromtimestamp(since, UTC):
            continue
        read = _read(path)
        wanted = repo.lower()
        if wanted and wanted not in (name.lower() for name in read.repos) and wanted not in path.name.lower():
            continue
        parts = Breakdown(
            recency=_recency(dated or _modified(path, moment), moment),
            length=3 if read.messages > 50 else 2 if read.messages > 20 else 1,
            repo_unique=max((1 if name in seen else 5 for name in read.repos), default=0),
            outcome=3 if read.is_failure else 2 if read.opening.strip() else 1,
            tool_calls=2 if read.calls > 10 else 0,
        )
        seen.update(read.repos)
        found.append(
            ClassicSession(str(path), path.name, sum(parts), parts, read.messages, read.repos, read.is_failure)
        )
    return found


def classic_date(filename: str) -> datetime | None:
    """The date in a file's name, as the first sampler finds it: UTC, and midnight where there is no time."""
    names = Path(filename).stem.split("_")
    for place, name in enumerate(names):
        if len(name) == 8 and name.isdigit():
            behind = names[place + 1] if place + 1 < len(names) and len(names[place + 1]) == 6 else "000000"
            try:
                return datetime.strptime(f"{name}_{behind}", "%Y%m%d_%H%M%S").replace(tzinfo=UTC)
            except ValueError:
                continue
    return None


def _modified(path: Path, now: datetime) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (OSError, ValueError, OverflowError):
        return now - timedelta(days=365)


def _recency(date: datetime, now: datetime) -> int:
    days = (now - date).days
    return 3 if days <= 7 else 2 if days <= 30 else 1


def _read(path: Path) -> _Read:
    """What the sampler reads of a file; of one that cannot be read, nothing."""
    try:
        size = path.stat().st_size
        if not size:
            return _Read()
        with path.open(encoding="utf-8", errors="replace") as file:
            file.readline()
            if size > TAIL:
                file.seek(size - TAIL)
                file.readline()
            lines = [line for line in map(str.strip, file) if line]
    except OSError:
        return _Read()
    messages = len(lines) + 1
    if size > TAIL and messages < 100:
        messages = max(messages, size // MESSAGE)
    calls, opening, is_failure = 0, "", False
    repos: set[str] = set()
    for told in _told(lines[-LINES:]):
        calls += told.calls
        opening = told.opening or opening
        is_failure = is_failure or told.is_failure
        repos.update(told.repos)
    names = tuple(name for name in map(_name, REPOSITORIES) if name in repos)
    return _Read(messages, calls, opening, is_failure, names)


def _told(lines: list[str]) -> Iterator[_Read]:
    """What each line tells; nothing, where it is no JSON, or the sampler would stop at it."""
    for line in lines:
        try:
            yield _of_line(json.loads(line))
        except (ValueError, RecursionError, AttributeError, TypeError):
            continue


def _of_line(message: Any) -> _Read:
    calls = message.get("tool_calls") or ()
    content = message.get("content")
    text = content.lower() if isinstance(content, str) else ""
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict) and part.get("type") == "text":
            text += part.get("text", "").lower()
    named = [call.get("function", {}).get("arguments", "") for call in calls]
    repos = (_name(r) for r in REPOSITORIES if any(isinstance(words, str) and r in words for words in named))
    return _Read(1, len(calls), text[:200], any(word in text for word in WORDS), tuple(repos))


def _name(repository: str) -> str:
    return repository.rstrip("/")
