"""Memory files from disk: most transcripts do not hold the memories that their agent was given.

Coding agents put CLAUDE.md and the like into a system prompt that they do not store. Reading such files gives today's
text, which need not be that day's; whoever shows it says so.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from memscope.base.errors import SourceError
from memscope.base.text import preview
from memscope.conversation.keys import made_up_key
from memscope.conversation.model import Conversation, Memory, Message
from memscope.conversation.units import ENTRY_MARK, Split, lines_of, split_entries, split_units
from memscope.conversation.unreadable import shown, unreadable, why

LARGEST_FILE = 16 * 2**20  # bytes
MOST_FILES = 5000  # in all: a folder that holds more is no folder of memories
RULE = "file"
_PASSED_FOLDERS = frozenset({"node_modules", "__pycache__", "venv"})
_BROKEN = "broken"  # no field of front matter that is read
_FIELD = re.compile(r"(name|description):[ \t]*(.*)$")
_INDEX = re.compile(r"[-*+] \[[^\[\]]{0,300}\]\(([^()\s]{1,300})\)")

_Record = TypeVar("_Record")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a memory stands on disk: the lines of a file, from 1, ascending, as it was when it was read.

    They need not be one run: lines of an index can stand between them. `digest`: of the file's bytes then.
    """

    path: Path
    lines: tuple[int, ...]
    digest: str


Places = Mapping[tuple[str, str], tuple[Place, ...]]
"""The places of memories by key and text, blank ends left out: one that a file repeats stands in several."""


@dataclass(frozen=True, slots=True)
class MemoryFiles:
    """The memories of some files, in the order of the files; `notes` say what was passed over, and why."""

    memories: tuple[Memory, ...]
    notes: tuple[str, ...] = ()
    places: Places = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _File:
    """A file as read. `label` is the end of its path that no other file shares: what its keys begin with."""

    path: Path
    text: str
    digest: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a file, and the number of the line that each line of it is there."""

    text: str
    lines: Sequence[int]


def read_memories(paths: Sequence[Path], *, split: Split | None = None) -> MemoryFiles:
    """The memories in `paths`: files, and every `.md` file below folders, sorted, hidden ones left out.

    A file that lines of `§` part holds a memory in each entry; one with front matter is a memory as a whole, under its
    `name`; any other is split into units, under `file#heading/n`. `split` decides instead, but for `§`. Raises
    `SourceError` for a path that is missing or cannot be read as text; the same within a folder is a note.
    """
    notes: list[str] = []
    files = _labelled(_distinct(_read_all(paths, notes), notes))
    names = Counter(_name(file) for file in files)
    read = {os.path.realpath(file.path) for file in files}
    memories: list[Memory] = []
    places: dict[tuple[str, str], tuple[Place, ...]] = {}
    for file in files:
        # Two files of one name are two memories, not one that changed.
        name = _name(file) if names[_name(file)] == 1 else file.label
        found = list(_memories(file, name, split, read, notes))
        if not found:
            notes.append(f"{file.path}: it holds no memory")
        for memory, lines in found:
            memories.append(memory)
            which = (memory.key, memory.text.strip())
            places[which] = (*places.get(which, ()), Place(file.path, tuple(lines), file.digest))
    return MemoryFiles(tuple(memories), tuple(notes), places)


def add_memories(conversation: Conversation, memories: Sequence[Memory]) -> Conversation:
    """`conversation` with `memories` behind the text of its leading system message, which is made where there is none.

    What stands there as a memory already, before the first response and in the same words, is not put in twice.
    """
    opening = conversation.messages[: conversation.responses[0]] if conversation.responses else conversation.messages
    there = {memory.text.strip() for message in opening for memory in message.memories}
    missing = [memory for memory in memories if memory.text.strip() not in there]
    return conversation.with_messages(with_system_memories(conversation.messages, missing)) if missing else conversation


def with_system_memories(
    records: Sequence[_Record], memories: Sequence[Memory], line: int = 0
) -> list[_Record | Message]:
    """`records` with `memories` behind the text of the leading system message.

    Without one, or when it is a memory itself, a system message is put in front, as of `line`.
    """
    first = next((i for i, record in enumerate(records) if isinstance(record, Message)), None)
    head = None if first is None else records[first]
    if first is not None and isinstance(head, Message) and head.role == "system" and not head.is_memory:
        return [*records[:first], replace(head, parts=(*head.parts, *memories)), *records[first + 1 :]]
    return [Message("system", tuple(memories), line=line), *records]


def _read_all(paths: Iterable[Path], notes: list[str]) -> Iterator[_File]:
    """The files that are named, and those of the folders; what is odd in a folder becomes a note."""
    count = 0
    for named in paths:
        path, is_folder = _place(named)
        for file in _markdown_below(path, notes) if is_folder else [path]:
            count += 1
            if count > MOST_FILES:
                raise SourceError(f"there are more than {MOST_FILES} files", where=path, do="Name a smaller folder.")
            try:
                yield _File(file, *_read(file))
            except SourceError as error:
                if not is_folder:
                    raise
                notes.append(f"{file}: passed over, {error.what}")


def _place(named: Path) -> tuple[Path, bool]:
    """The path that a person named, and whether it is a folder."""
    try:
        path = named.expanduser()
        return path, path.is_dir()
    except RuntimeError as error:
        what, do = "there is no home folder of that name", "Write the path out."
        raise SourceError(what, where=shown(named), do=do) from error
    except OSError as error:
        raise unreadable(error, named) from error


def _markdown_below(folder: Path, notes: list[str]) -> Iterator[Path]:
    """The Markdown files below `folder`, a folder's own before those of its folders; each folder is entered once."""
    entered: set[Path] = set()

    def walk(place: Path) -> Iterator[Path]:
        if place.resolve() in entered:
            notes.append(f"{place}: passed over, a link to a folder that is read already")
            return
        entered.add(place.resolve())
        inside = sorted(p for p in place.iterdir() if not p.name.startswith("."))
        folders = [p for p in inside if p.is_dir()]
        yield from (p for p in inside if p.suffix.lower() == ".md" and p not in folders)
        for below in folders:
            if below.name in _PASSED_FOLDERS:
                continue
            try:
                yield from walk(below)
            except OSError as error:
                notes.append(f"{below}: passed over, {why(error)}")

    try:
        yield from walk(folder)
    except OSError as error:
        raise unreadable(error, folder) from error


def file_bytes(path: Path) -> bytes:
    """What a file holds; `SourceError` when it cannot be read, is no file, or is too large to be one of memories."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise SourceError("this is neither a file nor a folder", where=path, do="Write it to a file first.")
        if status.st_size > LARGEST_FILE:
            what = f"the file is larger than {LARGEST_FILE >> 20} MiB"
            raise SourceError(what, where=path, do="Name the files that hold memories.")
        return path.read_bytes()
    except OSError as error:
        raise unreadable(error, path) from error


def digest_of(data: bytes) -> str:
    """What tells whether a file is still as it was."""
    return hashlib.sha256(data).hexdigest()


def _read(path: Path) -> tuple[str, str]:
    """The text of a file, byte for byte but for a byte-order mark, and its digest; `SourceError` when it is no text
    file."""
    data = file_bytes(path)
    if b"\0" in data:
        raise SourceError("this is a binary file, not text", where=path, do="Memory files are text, UTF-8.")
    try:
        return data.decode("utf-8-sig"), digest_of(data)
    except UnicodeDecodeError as error:
        raise SourceError(f"the text is not UTF-8 (byte {error.start})", where=path, do="Save it as UTF-8.") from error


def _distinct(files: Iterable[_File], notes: list[str]) -> list[_File]:
    """Each file once: AGENTS.md is often a link to CLAUDE.md, and a folder may be named beside a file in it."""
    seen: dict[str, Path] = {}
    kept: list[_File] = []
    for file in files:
        real = os.path.realpath(file.path)
        if real in seen:
            notes.append(f"{file.path}: passed over, the same file as {seen[real]}")
        elif not file.text.strip():
            notes.append(f"{file.path}: passed over, the file is empty")
        else:
            seen[real] = file.path
            kept.append(file)
    return kept


def _labelled(files: list[_File]) -> list[_File]:
    """The files with the shortest ends of their paths that tell them apart, from the name up."""
    ends = Counter(end for file in files for end in _ends(file.path))
    return [
        replace(file, label=next((end for end in _ends(file.path) if ends[end] == 1), file.path.as_posix()))
        for file in files
    ]


def _ends(path: Path) -> list[str]:
    parts = [part for part in path.absolute().parts if part != path.anchor]
    return ["/".join(parts[-length:]) for length in range(1, len(parts) + 1)]


def _name(file: _File) -> str:
    """What front matter calls the file, else its stem: the key of a file that is one memory."""
    return front_matter(file.text)[0].get("name") or file.path.stem


def _memories(
    file: _File, name: str, split: Split | None, read: set[str], notes: list[str]
) -> Iterator[tuple[Memory, Sequence[int]]]:
    """The memories of a file, each with the lines that are it."""
    lines = lines_of(file.text)
    if any(line.text.strip() == ENTRY_MARK for line in lines):
        starts = [line.start for line in lines]
        for start, end in split_entries(file.text):
            entry = file.text[start:end]
            those = range(bisect_left(starts, start) + 1, bisect_left(starts, end) + 1)
            yield Memory(made_up_key(entry), entry, RULE), those
        return
    fields, body = front_matter(file.text)
    if _BROKEN in fields:
        notes.append(f"{file.path}: the name in its front matter, {fields[_BROKEN]!r}, cannot be read; called {name!r}")
    everything, described = range(1, len(lines) + 1), bool(fields) and not body.strip()
    if described:
        key, part = name, _Part(fields.get("description", ""), everything)
    elif fields:
        key, part = name, _Part(body, everything[-len(lines_of(body)) :])
    else:
        key, part = file.label, _without_index(file, read, notes)
    if split == "file" or (fields and split is None):
        if part.text.strip():
            yield Memory(key, part.text, RULE), everything if fields else part.lines
        return
    at = 0
    for unit in split_units(part.text, split):
        own, at = part.lines[at : at + len(lines_of(unit.text))], at + len(lines_of(unit.text))
        if _says_something(unit.text):
            yield Memory(f"{key}#{unit.name}", unit.text, RULE), everything if described else own


def _says_something(text: str) -> bool:
    return any(not line.is_blank and not line.is_heading for line in lines_of(text))


def front_matter(text: str) -> tuple[dict[str, str], str]:
    """The `name` and `description` of a file's front matter, and its body; no fields when it has no front matter.

    Only these two lines of the YAML are understood. Front matter without them says `{"": ""}`, for it is there. A name
    that is no text on one line is under `_BROKEN`.
    """
    lines = lines_of(text)
    if not lines or lines[0].text.rstrip() != "---":
        return {}, text
    end = next((i for i, line in enumerate(lines[1:], 1) if line.text.rstrip() in ("---", "...")), None)
    if end is None:
        return {}, text
    found = {"": ""}
    for line in lines[1:end]:
        field = _FIELD.match(line.text)
        if field:
            value = _scalar(field[2])
            name = _BROKEN if value is None and field[1] == "name" else field[1]
            found[name] = preview(field[2], 40) if value is None else value
    return found, text[lines[end].end :].lstrip("\r\n")


def _scalar(text: str) -> str | None:
    """A YAML scalar on one line: its quotes taken off, `\\"` and `''` inside them undone. None for anything else."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if text[:1] in tuple("[{\"'&*!%@`"):  # a list, a quote that stays open, ...
        return None
    return "" if text in ("|", ">", "|-", ">-", "~", "null") else text


def _without_index(file: _File, read: set[str], notes: list[str]) -> _Part:
    """The text of a MEMORY.md without the lines that only point to a file that is read itself."""
    lines = lines_of(file.text)
    kept = list(range(1, len(lines) + 1))
    if file.path.name == "MEMORY.md":
        links = ((n, None if line.code else _INDEX.match(line.text)) for n, line in enumerate(lines, 1))
        passed = {n for n, link in links if link and os.path.realpath(file.path.parent / link[1]) in read}
        kept = [n for n in kept if n not in passed]
        if passed:
            one = len(passed) == 1
            count = "a line of the index points to a file that is" if one else "index lines point to files that are"
            notes.append(f"{file.path}: passed over, {'' if one else f'{len(passed)} '}{count} read")
    return _Part("".join(file.text[lines[n - 1].start : lines[n - 1].end] for n in kept), kept)
