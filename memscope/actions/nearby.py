"""What to offer where a conversation holds no memories: what was searched, and which memory files are found near it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from memscope.base.errors import SourceError
from memscope.base.settings import Settings
from memscope.conversation.formats import format_named, format_names
from memscope.conversation.homes import Home
from memscope.conversation.memory_files import read_memories
from memscope.conversation.model import Conversation, Message, Skipped, Text, ToolResult
from memscope.conversation.raw import Raw
from memscope.conversation.records import Fact
from memscope.conversation.rules import RULES

NOTE = "today's text, not necessarily that day's"
MOST_FILES = 200  # looked at, in all
_LARGEST = 2**20  # bytes; a memory file that is larger is none
_DEEPEST = 3  # folders below one that is named
_PROJECT = (
    *("CLAUDE.md", "CLAUDE.local.md", "AGENTS.md", "AGENTS.override.md", "GEMINI.md"),
    *(".claude/CLAUDE.md", ".claude/rules", ".claude/agent-memory"),
)
_BESIDE = ("memory", "memories", "MEMORY.md", "USER.md", "CLAUDE.md", "AGENTS.md")

# What each rule looks for, in words. Rules that formats and marks follow come before and after those over text.
_LOOKED_FOR = {
    "explicit": "explicit marks (memory_key, a role or name that begins with memory)",
    "structured": "memories that the format itself marks as such",
    "fenced": "text in fences (<memory ...>, AGENTS.md instructions, MEMORY banners)",
    "tool": "what memory tools returned, and reads of memory files",
    "heading": "bullets under a heading (User Memories:, Relevant memories:)",
    "mark": "marks made by hand",
}
_BEFORE, _AFTER = ("explicit", "structured"), ("mark",)


@dataclass(frozen=True, slots=True)
class Nearby:
    """Memory files in one place. `paths` are what `Opening.memories` takes, `files` how many there are to read, `units`
    how many memories they would be cut into."""

    title: str
    paths: tuple[Path, ...]
    files: int
    units: int
    note: str = NOTE


def searched(conversation: Conversation, settings: Settings | None = None) -> list[str]:
    """What was looked for and how much was found, a line a rule in the order of the rules."""
    found = Counter(memory.rule for message in conversation.messages for memory in message.memories)
    off = settings.rules_off if settings is not None else ()
    patterns = [f"pattern:{name}" for name in settings.patterns] if settings is not None else []
    names = (*_BEFORE, *(rule.name for rule in RULES), *patterns, *_AFTER)
    return [f"{_LOOKED_FOR.get(name, name)}: {'switched off' if name in off else found[name]}" for name in names]


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """How many tool results and user turns there are to score in the place of memories."""

    tools: int
    turns: int


def count_sources(conversation: Conversation) -> SourceCounts:
    """As many as `as_sources` makes memories of, without making them."""
    messages = conversation.messages
    return SourceCounts(sum(map(_tool_results, messages)), sum(map(_is_turn, messages)))


def _is_turn(message: Message) -> bool:
    return message.role == "user" and message.kind == "said" and _has_words(message)


def _has_words(message: Message) -> bool:
    return any(isinstance(part, Text) and _says(part.text) for part in message.parts)


def _tool_results(message: Message) -> int:
    """The results that say something. In a tool's message the texts behind a result go on with it."""
    if message.role == "assistant":
        return 0
    told: list[bool] = []
    for part in message.parts:
        if isinstance(part, ToolResult):
            told.append(_says(part.text))
        elif isinstance(part, Text) and told and message.role == "tool":
            told[-1] = told[-1] or _says(part.text)
    return sum(told)


def _says(text: str) -> bool:
    return bool(text) and not text.isspace()


def nearby_memories(conversation: Conversation) -> list[Nearby]:
    """The memory files in the project's folder, in the agent's home and beside the transcript, where there are any.

    At most `MOST_FILES` files are looked at; what cannot be read is passed over. Nothing is read but Markdown under the
    names that agents give their memories.
    """
    look = _Look()
    found = (look.at(title, paths) for title, paths in _places(conversation))
    return [nearby for nearby in found if nearby is not None]


def _places(conversation: Conversation) -> Iterator[tuple[str, list[Path]]]:
    source = conversation.source
    project = recorded_folder(conversation)
    if source is not None:
        path = source.path.absolute()
        for folder in path.parents[:4]:
            if folder.parent.name == "projects":  # Claude Code: a project's sessions, and its memories with them
                yield "the project's memories", [folder / "memory"]
    if project is not None:
        yield "the project's instructions", [project / name for name in _PROJECT]
    own = format_named(source.format).home if source is not None and source.format in format_names() else None
    homes = [own] if own is not None else _homes()
    yield "the agent's home", [path for home in homes for path in home.memory_paths]
    if source is not None:
        yield "beside the transcript", [path.parent / name for name in _BESIDE]


def _homes() -> list[Home]:
    homes = (format_named(name).home for name in format_names())
    return [home for home in homes if home is not None]


def recorded_folder(conversation: Conversation) -> Path | None:
    """The folder the agent first worked in, as its transcript says; None where it does not, or names no local folder.

    This reads the beginning of the transcript again.
    """
    source = conversation.source
    if source is None or source.format not in format_names():
        return None
    try:
        items = (i for i in format_named(source.format).conversations(Raw(source.path)) if not isinstance(i, Skipped))
        item = next(islice(items, source.item, None), None)
        records = item.records if item is not None else ()
        said = next((r.text for r in records if isinstance(r, Fact) and r.kind == "cwd"), "")
    except SourceError:
        return None
    # A transcript may name any folder: a share on another machine is not to be asked for.
    is_local = not said.startswith(("//", "\\\\")) and "\0" not in said
    return Path(said) if is_local and Path(said).is_absolute() else None


class _Look:
    """Looks at places, each file once and not more than so many in all."""

    def __init__(self) -> None:
        self.left = MOST_FILES
        self.seen: set[str] = set()

    def at(self, title: str, paths: Iterable[Path]) -> Nearby | None:
        """What there is to read at `paths`; None where there is nothing."""
        there: list[Path] = []
        files: list[Path] = []
        for path in paths:
            found = [file for file in self._markdown(path, 0) if self._is_new(file)]
            if found:
                there.append(path)
                files += found
        units = len(read_memories(files).memories) if files else 0
        note = NOTE if self.left > 0 else f"{NOTE}; there are more"
        return Nearby(title, tuple(there), len(files), units, note) if units else None

    def _is_new(self, file: Path) -> bool:
        """Whether a file holds memories that were not counted yet."""
        try:
            real = os.path.realpath(file)
            if real in self.seen or file.stat().st_size > _LARGEST or not read_memories([file]).memories:
                return False
        except (SourceError, OSError, ValueError):
            return False
        self.seen.add(real)
        return True

    def _markdown(self, path: Path, depth: int) -> Iterator[Path]:
        """The Markdown files at and below `path`, sorted, as reading memory files finds them."""
        try:
            is_folder = path.is_dir()
            if self.left <= 0 or not (is_folder or path.is_file()):
                return
            self.left -= 1
            if not is_folder:
                if path.suffix.lower() == ".md":
                    yield path
                return
            with os.scandir(path) as entries:
                names = sorted(entry.name for entry in islice(entries, MOST_FILES) if not entry.name.startswith("."))
        except (OSError, ValueError):
            return
        for name in names if depth < _DEEPEST else ():
            yield from self._markdown(path / name, depth + 1)
