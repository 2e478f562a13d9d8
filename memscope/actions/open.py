"""Opening a conversation: a file, its memories by the rules and by hand, and memory files from disk."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from memscope.actions.marks import kept_marks
from memscope.base.errors import SettingsError, SourceError, StoreError
from memscope.base.settings import Settings
from memscope.conversation.load import Watch, load, load_each
from memscope.conversation.marks import Mark, with_marks
from memscope.conversation.memory_files import MemoryFiles, Places, add_memories, read_memories
from memscope.conversation.model import Conversation
from memscope.conversation.native import sha256
from memscope.conversation.rules import Pattern, find_memories
from memscope.conversation.sources import as_sources
from memscope.conversation.units import Split

if TYPE_CHECKING:
    from memscope.store.database import Database

Sources = Literal["memories", "tools", "turns"]


@dataclass(frozen=True, slots=True)
class Opening:
    """What is to be opened, and how; the same opens the same again.

    `window`: None is the last. `memories` are files and folders whose text is put into the system message, cut into
    units as fine as `split`. `sources`: "tools" and "turns" make each tool result or user turn a memory too.
    """

    path: Path
    input_format: str = ""
    item: int = 0
    window: int | None = None
    memories: tuple[Path, ...] = ()
    split: Split | None = None
    sources: Sources = "memories"


@dataclass(frozen=True)
class Opened:
    """A conversation as every command and the console see it (`conversation`), and what marking its lines needs.

    `loaded` is it as its format tells it, `marked` has all its memories, but no sources other than memories. `places`:
    where the memories of the memory files stand in those.
    """

    opening: Opening
    loaded: Conversation
    marked: Conversation
    conversation: Conversation
    places: Places = field(default_factory=dict)

    @cached_property
    def subject(self) -> str:
        """What the marks are kept under: the loaded conversation's hash, its item and its window."""
        return marks_subject(self.loaded)

    @property
    def in_front(self) -> int:
        """How many messages memories from disk have put before those of `loaded`."""
        return len(self.marked.messages) - len(self.loaded.messages)

    def again(self, settings: Settings, database: Database | None) -> Opened:
        """The same with the marks as they are now, without reading the transcript anew. Errors as `opened`."""
        return _completed(self.opening, self.loaded, settings, _kept_marks(self.loaded, settings, database))


def open_conversation(opening: Opening, settings: Settings, *, marks: bool = True) -> Conversation:
    """The conversation as every command and the console see it, so that `#I` is the same everywhere.

    `marks` takes those that a person made in the console; a store that cannot be opened is a note. Raises
    `SourceError`, `UsageError`, `SettingsError`.
    """
    return opened(opening, settings, marks=marks).conversation


def opened(
    opening: Opening,
    settings: Settings,
    database: Database | None = None,
    *,
    marks: bool = True,
    watch: Watch | None = None,
) -> Opened:
    """The same, with what marking needs. `database`: a store that is open already is asked for the marks. `watch`: as
    in `load`."""
    form, item, window = opening.input_format, opening.item, opening.window
    loaded = load(opening.path, input_format=form, item=item, window=window, watch=watch)
    found = _kept_marks(loaded, settings, database) if marks else _Marks()
    return _completed(opening, loaded, settings, found)


def opened_each(
    opening: Opening,
    items: int,
    settings: Settings,
    database: Database | None = None,
    wanted: Container[int] | None = None,
) -> Iterator[Opened | SourceError]:
    """Every conversation of a file that holds so many `items`, or those `wanted` by their numbers, one after another in
    one pass over the file, each in its last window; in place of one that holds no message, why. What `opening` says of
    item and window does not count. Raises `SourceError` for a file that is no transcript, and as `opened`."""
    for loaded in load_each(opening.path, items, input_format=opening.input_format, wanted=wanted):
        if isinstance(loaded, SourceError):
            yield loaded
            continue
        source = loaded.source
        its = replace(opening, item=source.item, window=source.window) if source is not None else opening
        yield _completed(its, loaded, settings, _kept_marks(loaded, settings, database))


def demo_opening() -> Opening:
    """The bundled conversation."""
    return Opening(Path(str(resources.files("memscope.data") / "demo.json")))


def is_demo(opening: Opening) -> bool:
    """Whether it is the bundled conversation that is opened."""
    return opening.path == demo_opening().path


def marks_subject(loaded: Conversation) -> str:
    """What the marks of a conversation, as its format tells it, are kept under."""
    source = loaded.source
    return f"{sha256(loaded)}/{source.item if source else 0}/{source.window if source else 0}"


@dataclass(frozen=True, slots=True)
class _Marks:
    """The marks to make, and what went wrong with finding them."""

    marks: Sequence[Mark] = ()
    notes: tuple[str, ...] = ()


def _kept_marks(loaded: Conversation, settings: Settings, database: Database | None) -> _Marks:
    try:
        return _Marks(kept_marks(lambda: marks_subject(loaded), settings, database))
    except (StoreError, SettingsError) as error:
        return _Marks(notes=(f"marks made by hand are left out: {error}",))


def _completed(opening: Opening, loaded: Conversation, settings: Settings, found: _Marks) -> Opened:
    """All that is done to a loaded conversation, in order: marks say of a message of it what no rule has found."""
    patterns = [Pattern(name, regex) for name, regex in settings.patterns.items()]
    conversation = find_memories(loaded, off=settings.rules_off, patterns=patterns)
    files = read_memories(opening.memories, split=opening.split) if opening.memories else MemoryFiles(())
    if opening.memories:
        conversation = replace(add_memories(conversation, files.memories), notes=conversation.notes + files.notes)
    in_front = len(conversation.messages) - len(loaded.messages)
    marked = with_marks(conversation, [replace(mark, message=mark.message + in_front) for mark in found.marks])
    marked = replace(marked, notes=marked.notes + found.notes, thinking=settings.thinking)
    conversation = marked if opening.sources == "memories" else as_sources(marked, opening.sources)
    return Opened(opening, loaded, marked, conversation, files.places)
