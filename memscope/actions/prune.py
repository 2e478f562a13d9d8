"""Taking pruned memories out of the files they stand in: the diff that would, and what no diff can do.

No file is ever touched: a person looks at the diff and applies it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from memscope.actions.export import write_text
from memscope.actions.memory_decisions import Said, said_of
from memscope.actions.open import Opened
from memscope.base.errors import SourceError, UsageError
from memscope.base.patch import unified_diff
from memscope.conversation.memory_files import Place, digest_of, file_bytes
from memscope.conversation.model import MemoryEntry
from memscope.conversation.provenance import places_of
from memscope.conversation.removal import without_lines
from memscope.reports.prune import DecidedMemory, PruneDocument, Standing
from memscope.store.database import Database

_MARK = "\ufeff"  # a byte-order mark stays with the file, not with its first line
UNKNOWN = "no file is known to hold it"


def prune_document(opened: Opened, database: Database, *, folder: Path | None = None) -> PruneDocument:
    """What was decided and noted of the memories of a conversation, and the diff for those to be pruned.

    The diff's paths are below `folder` (by default the current one), where all files are, else below the folder they
    share. A memory stays out of it, with the reason, where its file is not known, has changed since it was read, or
    cannot be read. Raises `StoreError`.
    """
    decided = {key: said for key, said in said_of(database, opened.conversation).items() if said.verdict or said.note}
    memories = [memory for memory in opened.conversation.memories if memory.key in decided]
    places = {memory.key: _places(opened, memory) for memory in memories}
    files = _Files()
    reasons = {
        memory.key: files.take(places[memory.key]) for memory in memories if decided[memory.key].verdict == "prune"
    }
    return PruneDocument(
        source=str(opened.opening.path),
        folder=str(files.folder(folder) or ""),
        diff=files.diff(folder),
        memories=[
            _row(memory, decided[memory.key], places[memory.key], reasons.get(memory.key, "")) for memory in memories
        ],
    )


def diff_bytes(document: PruneDocument) -> bytes:
    """The diff as it is written to a file: every line of the memory files byte for byte."""
    return document.diff.encode("utf-8", "surrogateescape")


def write_diff(document: PruneDocument, path: Path, *, overwrite: bool = False) -> Path:
    """Writes the diff, and returns where, as `write_text` does; never over a file that it is about."""
    about = [document.source, *(place.path for memory in document.memories for place in memory.files)]
    if os.path.realpath(os.path.expanduser(path)) in map(os.path.realpath, about):  # noqa: PTH111 - the ~ of nobody
        raise UsageError("this file is what the diff is about", where=path, do="Choose another name.")
    return write_text(path, diff_bytes(document), overwrite=overwrite)


class _Files:
    """The files that memories are taken out of, each as it is now, and the lines that go."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._gone: dict[str, set[int]] = {}

    def take(self, places: Iterable[Place]) -> str:
        """Takes a memory out of everywhere it stands, or says why it cannot be."""
        places = list(places)
        if not places:
            return UNKNOWN
        for place in places:
            try:
                data = file_bytes(place.path)
            except SourceError as error:
                return str(error)
            if digest_of(data) != place.digest:
                return f"{place.path} has changed since it was read: open the conversation again"
            self._texts[_real(place)] = data.decode("utf-8", "surrogateescape")
        for place in places:
            self._gone.setdefault(_real(place), set()).update(place.lines)
        return ""

    def folder(self, wanted: Path | None) -> Path | None:
        """The folder that the diff is applied in; None without one."""
        if not self._gone:
            return None
        here = os.path.realpath(wanted) if wanted is not None else _current()
        folders = [os.path.dirname(path) for path in self._gone]  # noqa: PTH120
        shared = os.path.commonpath(folders)
        return Path(here if here and os.path.commonpath([here, shared]) == here else shared)

    def diff(self, wanted: Path | None) -> str:
        folder = self.folder(wanted)
        return "".join(
            unified_diff(Path(path).relative_to(folder or "/").as_posix(), self._texts[path], self._after(path))
            for path in sorted(self._gone)
        )

    def _after(self, path: str) -> str:
        text = self._texts[path]
        rest = without_lines(text.removeprefix(_MARK), self._gone[path])
        return _MARK + rest if rest and text.startswith(_MARK) else rest


def _places(opened: Opened, memory: MemoryEntry) -> tuple[Place, ...]:
    return places_of(opened.conversation, memory.key, memory.texts[-1], opened.places)


def _real(place: Place) -> str:
    """The file itself, for neither program writes through a link."""
    return os.path.realpath(place.path)


def _current() -> str:
    try:
        return os.path.realpath(Path.cwd())
    except OSError:  # it has been removed
        return ""


def _row(memory: MemoryEntry, said: Said, places: Iterable[Place], reason: str) -> DecidedMemory:
    total = (said.about or {}).get("total")
    return DecidedMemory(
        key=memory.key,
        decision=said.verdict or None,
        note=said.note,
        total=float(total) if isinstance(total, int | float) and not isinstance(total, bool) else None,
        text=memory.texts[-1],
        found=f"{', '.join(memory.rules)} in #{memory.first}",
        files=[Standing(path=str(place.path), lines=_runs(place.lines)) for place in places],
        in_diff=said.verdict == "prune" and not reason,
        reason=reason or None,
    )


def _runs(lines: Iterable[int]) -> list[tuple[int, int]]:
    """Line numbers as runs: (first, last)."""
    found = []
    for _, group in groupby(enumerate(lines), lambda pair: pair[1] - pair[0]):
        run = [line for _, line in group]
        found.append((run[0], run[-1]))
    return found
