"""The scan: what the sessions below some folders are, each file read once, and again only when it has changed.

Nothing that is wrong with a file or a folder stops it: it is told in its place. What was found is kept as it comes, so
that a scan which is cut off, however, goes on where it was.

What an agent keeps beside its sessions is no concern of anybody's: in its own folders, files of whole JSON that are no
sessions are counted, and not listed. In a folder that a person names, a file that looks like a transcript by its name
and is none is told, with the reason; databases of something else are not.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memscope import __version__
from memscope.actions.walk import AGAIN, DATABASES, NOTHING, SUFFIXES, Found, Passed, walk
from memscope.base.collecting import lasting
from memscope.base.errors import StoreError
from memscope.base.job import Job
from memscope.base.processes import processors, spread
from memscope.base.settings import Settings
from memscope.conversation.formats import format_named, format_names
from memscope.conversation.homes import Home
from memscope.conversation.write_ahead import log_state
from memscope.sessions.facts import VERSION, ScannedFile, Stamp
from memscope.sessions.kept import Reading, decoded, encoded
from memscope.sessions.reading import Read, read_file, reader
from memscope.sessions.repositories import Patterns
from memscope.store.sessions import KeptFile, KeptSessions

if TYPE_CHECKING:
    from memscope.store.database import Database

Landed = Callable[[Sequence[ScannedFile]], object]

_SUFFIXES = (*SUFFIXES, DATABASES[0])
_BESIDE = Passed(frozenset({"tool-results", "memory"}), ("sessions.json", "request_dump_"))  # an agent's sessions
_LARGE = 4 * 2**20  # bytes of a file that is read before all others, so that no process has it alone in the end
_WORTH_A_PROCESS = 4 * 2**20  # bytes to read, for each of them
_BESIDE_BYTES = 4096  # what a file costs besides, as if it were bytes
_MOST_AT_ONCE, _OFTEN = 500, 0.5  # files, and seconds, until what was read is kept
_SOON = 0.1  # seconds until it is handed on
_ENDED: Read = (encoded(Reading("", (), "reading it ended the process that read it")), False)
_UNIT = "files"


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan came to: the `files` in the order of the folders, a folder's sorted.

    `read`: how many were read, of `bytes_read` in all; `kept`: how many are as they were; `gone`: how many that were
    there before are not any more. `left_out`: files in an agent's own folders, and databases, that are of something
    else than sessions. `trouble`: why not all was kept, "" where it was.
    """

    files: tuple[ScannedFile, ...]
    read: int
    kept: int
    gone: int
    bytes_read: int
    seconds: float
    left_out: int = 0
    trouble: str = ""


def session_folders(settings: Settings) -> list[Path]:
    """Where agents keep their sessions, folders and files, those that exist; then the folders that the setting names,
    whether they exist or not."""
    known = [folder for home in _homes() for folder in home.session_folders]
    there = [folder for folder in known if os.path.lexists(folder)]
    return list(dict.fromkeys(map(_place, [*there, *map(Path, settings.session_folders)])))


def scan(
    folders: Sequence[Path],
    settings: Settings,
    database: Database | None,
    job: Job,
    landed: Landed = lambda files: None,
    *,
    input_format: str = "",
) -> Scan:
    """Scans the files at and below `folders`, with all processors where there is much to read.

    `landed` is told, in this thread, of files as they are known: first of all that the store has, as the last scan left
    them, before any file is looked at; then of others as they are read. Without a `database` all are read and nothing
    is kept; where the store fails, the same from there on. Raises `Cancelled`: what was read by then has landed, and is
    kept. Raises `SettingsError` for a repository pattern that is none, `UsageError` for such an `input_format`.
    """
    began = time.monotonic()
    reader(settings.repositories, input_format)  # or every process would stumble over them
    work = _Scan(folders, database, _reading(settings, input_format), job, landed)
    work.recall()
    work.look()
    work.read(settings.repositories, input_format)
    work.forget()
    return work.result(time.monotonic() - began)


class _Scan:
    """A scan on its way. `files` by path, in the order of the folders: None while they are not read."""

    def __init__(
        self, folders: Sequence[Path], database: Database | None, reading: bytes, job: Job, landed: Landed
    ) -> None:
        self.folders = [*map(_place, folders)]
        self.listing = _Listing(self.folders)
        self.store = KeptSessions(database, reading) if database is not None else None
        self.job, self.landed = job, landed
        self.trouble = ""
        self.files: dict[str, ScannedFile | None] = {}
        self.known: dict[str, tuple[Stamp, ScannedFile | None]] = {}  # None: it is not listed
        self.stale: set[str] = set()  # what the store has, and has not been found to be so still
        self.missed: set[str] = set()  # of that, what has not been come to
        self.unread: list[tuple[str, Stamp]] = []
        self.to_land: list[ScannedFile] = []
        self.to_keep: list[KeptFile] = []
        self.landed_at = self.kept_at = 0.0
        self.kept = self.read_files = self.read_bytes = self.left_out = 0

    def recall(self) -> None:
        """What the store has lands."""
        with lasting():
            self._stored(self._recall)
            self.missed = set(self.stale)
            self.to_land = [file for _, file in self.known.values() if file is not None]
            self._land()

    def _recall(self, store: KeptSessions) -> None:
        for folder in self.folders:
            for path, size, modified, log, found in store.below(str(folder)):
                self.stale.add(path)
                reading = decoded(found)
                if reading is not None:
                    stamp = Stamp(size, modified, log)
                    self.known[path] = stamp, self._scanned(path, stamp, reading)

    def look(self) -> None:
        """Finds the files."""
        seen: set[str] = set()
        for folder in self.folders:
            for found in walk(folder, _SUFFIXES, self.listing.passed(folder), self.job.check):
                if not len(seen) % 500:
                    self.job.check()
                    self.job.progress(len(seen), None, _UNIT, "looking for sessions")
                self.missed.discard(found.path)
                if found.real not in seen:
                    seen.add(found.real)
                    self._see(found)
        self._land()

    def _see(self, found: Found) -> None:
        path, _, status, error = found
        if status is None or not stat.S_ISREG(status.st_mode) or not status.st_size:
            self._add(path, _odd(path, status, error))
            if status is None and error != AGAIN:
                self._keep_below(path)
            return
        stamp = status.st_size, status.st_mtime_ns, log_state(path) if path.lower().endswith(DATABASES) else ""
        known = self.known.get(path)
        if known is None or known[0] != stamp:
            self.files[path] = None
            self.unread.append((path, Stamp(*stamp)))
            return
        self.stale.discard(path)
        self.kept += 1
        self._list(path, known[1])

    def _keep_below(self, path: str) -> None:
        """A folder that is there and cannot be looked into may hold what it held."""
        if self.stale and os.path.lexists(path):
            folder = os.path.join(path, "")  # noqa: PTH118 - a name of any bytes
            held = {path for path in self.stale if path.startswith(folder)}
            self.stale -= held
            self.missed -= held

    def _scanned(self, path: str, stamp: Stamp, reading: Reading) -> ScannedFile | None:
        """A file that was read, as it is listed; None where it is no concern of anybody's."""
        form, sessions, error, is_other = reading
        return None if is_other and not self.listing.has(path) else ScannedFile(path, stamp, form, sessions, error)

    def _list(self, path: str, file: ScannedFile | None) -> None:
        if file is not None:
            self.files[path] = file
        else:
            self.files.pop(path, None)
            self.left_out += 1

    def _add(self, path: str, file: ScannedFile | None) -> None:
        """What a file holds is known now, and was not."""
        self._list(path, file)
        if file is not None:
            self.to_land.append(file)

    def read(self, repositories: Sequence[str], input_format: str) -> None:
        """Reads what is not known: large files, the largest first, then the others, the newest first."""
        unread = self.unread
        unread.sort(key=lambda file: (-file[1].size if file[1].size >= _LARGE else 0, -file[1].modified))
        weights = [stamp.size + _BESIDE_BYTES for _, stamp in unread]
        paths = [os.fsencode(path) for path, _ in unread]
        processes = min(processors(), sum(weights) // _WORTH_A_PROCESS)
        began = self.landed_at = self.kept_at = time.monotonic()
        results = spread(reader, (repositories, input_format), paths, weights, self.job, processes=processes)
        try:
            with closing(results):
                for batch in results:
                    self._take([(*unread[number], *(result or _ENDED)) for number, result in batch])
                    at = time.monotonic()
                    rate = self.read_bytes / max(at - began, 0.001) / 1e6
                    self.job.progress(self.read_files, len(unread), _UNIT, f"reading sessions, {rate:.0f} MB/s")
                    if at - self.landed_at >= _SOON:
                        self._land()
                    if at - self.kept_at >= _OFTEN or len(self.to_keep) >= _MOST_AT_ONCE:
                        self._keep()
        finally:
            self._keep()
            self._land()

    def _take(self, batch: Sequence[tuple[str, Stamp, str, bool]]) -> None:
        """Files were read: each with its reading, and whether that lasts."""
        for path, stamp, text, is_lasting in batch:
            self.read_files += 1
            self.read_bytes += stamp.size
            if is_lasting:
                self.stale.discard(path)
                self.to_keep.append(KeptFile(path, *stamp, text))
            reading = decoded(text) or Reading("", (), "what was found in it cannot be kept")
            self._add(path, self._scanned(path, stamp, reading))

    def _land(self) -> None:
        if self.to_land:
            self.landed(self.to_land)
            self.to_land = []
        self.landed_at = time.monotonic()

    def _keep(self) -> None:
        if self.to_keep:
            self._stored(lambda store: store.keep(self.to_keep))
            self.to_keep = []
        self.kept_at = time.monotonic()

    def forget(self) -> None:
        """Lets go of what the store has of files that are gone, or are not what they were."""
        if self.stale:
            self._stored(lambda store: store.forget(self.stale))

    def _stored(self, work: Callable[[KeptSessions], None]) -> None:
        """Does something with the store, while there is one that works."""
        if self.store is not None:
            try:
                work(self.store)
            except StoreError as error:
                self.store, self.trouble = None, str(error)

    def result(self, seconds: float) -> Scan:
        files = tuple(file for file in self.files.values() if file is not None)
        gone = len(self.missed)
        return Scan(
            *(files, self.read_files, self.kept, gone, self.read_bytes, seconds),
            left_out=self.left_out,
            trouble=self.trouble,
        )


class _Listing:
    """Which files below some folders, as `_place` has them, are told of that are no sessions: see the module."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._named = {str(folder) for folder in folders}
        own = {_place(folder) for home in _homes() for folder in home.session_folders}
        self._own = tuple(os.path.join(folder, "") for folder in own)  # noqa: PTH118

    def passed(self, folder: Path) -> Passed:
        """What is passed over below a folder that is scanned."""
        return _BESIDE if os.path.join(folder, "").startswith(self._own) else NOTHING  # noqa: PTH118

    def has(self, path: str) -> bool:
        """Whether a file of something else than sessions is listed."""
        return path in self._named or not (path.lower().endswith(DATABASES) or path.startswith(self._own))


def _homes() -> Iterator[Home]:
    """The homes of all agents whose formats are read."""
    homes = [home for name in format_names() if (home := format_named(name).home) is not None]
    while homes:
        yield (home := homes.pop(0))
        homes.extend(home.others)


def _odd(path: str, status: os.stat_result | None, error: str) -> ScannedFile:
    """What the system will not say of a file, or what is none, or empty: told, and not kept."""
    if status is None:
        return ScannedFile(path, Stamp(0, 0), "", (), error)
    reading, _ = read_file(path, Patterns())
    return ScannedFile(path, Stamp(status.st_size, status.st_mtime_ns), reading.format, (), reading.error)


def _reading(settings: Settings, input_format: str) -> bytes:
    """A digest of how files are read: what was read otherwise is read again."""
    told = repr((VERSION, __version__, settings.repositories, input_format))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()[:16]


def inside(folder: Path) -> str:
    """How the paths begin of all that a scan finds below a folder."""
    return os.path.join(_place(folder), "")  # noqa: PTH118 - a name of any bytes


def _place(folder: Path) -> Path:
    """A folder by a path that means the same everywhere."""
    try:
        return folder.expanduser().absolute()
    except RuntimeError:  # the ~ of somebody who does not exist
        return folder.absolute()
