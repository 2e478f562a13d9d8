"""What a person decides in a pane, on its way to the disk: read, kept and undone in the order of the keys.

What is shown is what is on disk. Where something cannot be kept, nothing that was asked for behind it is tried: it was
asked for by somebody who took it for done, and an undo among it would take back something else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from textual.timer import Timer

from memscope.base.errors import MemscopeError, StoreError
from memscope.base.files import shown_path
from memscope.base.job import Job
from memscope.base.text import counted
from memscope.tui.pane import PaneScreen

if TYPE_CHECKING:
    from memscope.store.database import Database
    from memscope.tui.background import Task
    from memscope.tui.widgets.table import Table
    from memscope.tui.workspace import Workspace

LOOKS = 1.0  # seconds between two looks for decisions made elsewhere

Item = TypeVar("Item")
"""What is decided on: the message of a response, the key of a memory."""
Found = TypeVar("Found")
"""What was decided, as it is read."""
Result = TypeVar("Result")


class _Read(NamedTuple, Generic[Found]):
    """What the journal told, and the number of its latest entry then."""

    latest: int
    found: Found


@dataclass(frozen=True, slots=True, eq=False)
class _Step(Generic[Item]):
    """Something on its way to the disk: a `verdict` on `items`, or what is "" for that. `lost`: what is to be said
    where it fails."""

    items: tuple[Item, ...]
    verdict: str
    lost: str
    is_undo: bool = False


class _Line:
    """Steps of which none is tried behind one that failed."""

    broken = False


class Deciding(ABC, Generic[Item, Found]):
    """The decisions of one kind on one conversation.

    `changed` is called when something was read anew, and `failed` with what could not be read or kept: with the items
    of the first step that was not kept, if any. `ready`: it was read once. `trouble`: why it cannot be read.
    """

    def __init__(
        self,
        space: Workspace,
        group: str,
        changed: Callable[[], object],
        failed: Callable[[MemscopeError, Sequence[Item]], object],
    ) -> None:
        """`group`: of work in the background, for reading."""
        self.ready = False
        self.trouble: MemscopeError | None = None
        self._space, self._group = space, group
        self._changed, self._failed = changed, failed
        self._latest = -1
        self._task: Task | None = None
        self._steps: list[_Step[Item]] = []
        self._first: _Step[Item] | None = None
        self._line = _Line()
        self._held: list[Callable[[], object]] = []

    # What it is about.

    @abstractmethod
    def latest(self, database: Database) -> int:
        """A number that grows with every entry; in a thread."""

    @abstractmethod
    def look(self, database: Database | None) -> Found:
        """Everything that was decided; nothing without a store; in a thread."""

    @abstractmethod
    def take(self, found: Found) -> None:
        """What was read becomes what is known."""

    # What is known.

    def read(self) -> None:
        """Reads what was decided, here or by somebody else, unless nothing has come to it since; beside the screen."""
        database, known = self._space.kept.database, self._latest
        under_way = self._task is not None and self._space.background.task(self._group) is self._task
        if under_way or (database is None and self.ready):
            return

        def work(_job: Job) -> _Read[Found] | None:
            if database is None:
                return _Read(0, self.look(None))
            return self._look(database) if self.latest(database) != known else None

        def done(read: _Read[Found] | None) -> None:
            self.trouble = None
            self._take(read)
            self._go_on()

        def failed(error: MemscopeError) -> None:
            if self.trouble is None:  # once, not at every look
                self.trouble = error
                self._failed(error, ())
                self._changed()

        self._task = self._space.background.start(self._group, "reading decisions", work, done, failed)

    def read_anew(self) -> None:
        """Reads it although nothing may have come to it: for what no entry of the journal tells of."""
        self._latest, self._task, self.trouble = -1, None, None
        self.ready = self.ready and self._space.kept.database is not None  # without a store it is read but once
        self.read()

    def coming(self, item: Item) -> str:
        """The verdict on it that is on its way to the disk, the last one; "" where none is."""
        return next((step.verdict for step in reversed(self._steps) if step.verdict and item in step.items), "")

    def then(self, action: Callable[[], object]) -> None:
        """Does it once decisions were read, and every undo that was asked for is done: until then nobody knows what it
        is about."""
        if self.ready and not self._held and not any(step.is_undo for step in self._steps):
            action()
        elif self.ready or self.trouble is None:
            self._held.append(action)
        else:
            self._failed(self.trouble, ())

    # What changes.

    def _keep(
        self,
        items: Sequence[Item],
        verdict: str,
        lost: str,
        work: Callable[[Database], object],
        done: Callable[[], object],
    ) -> bool:
        """Keeps something by `work`, in a thread; `done` is called once it is on disk. False where that cannot be."""
        return self._go(_Step(tuple(items), verdict, lost), work, lambda _: done())

    def _undo(self, work: Callable[[Database], Result], done: Callable[[Result], object]) -> None:
        """The same for an undo, which `work` makes and tells of."""
        self.then(lambda: self._go(_Step((), "", "nothing was undone", is_undo=True), work, done))

    def _go(self, step: _Step[Item], work: Callable[[Database], Result], done: Callable[[Result], object]) -> bool:
        line = self._line
        try:
            database = self._space.kept.needed_for("decisions")
        except MemscopeError as error:
            self._failed(error, ())
            return False

        def kept(_job: Job) -> tuple[Result, _Read[Found] | None] | None:
            if line.broken:
                return None
            try:
                result = work(database)
            except MemscopeError:
                line.broken = True
                raise
            try:
                return result, self._look(database)
            except StoreError:  # it is kept all the same, and read later
                return result, None

        def ended(outcome: tuple[Result, _Read[Found] | None] | None) -> None:
            if outcome is not None:
                self._steps.remove(step)
                result, read = outcome
                self._take(read)
                done(result)
                self._go_on()

        def failed(error: MemscopeError) -> None:
            later = len(self._steps) - 1 + len(self._held)
            self._steps.clear()
            self._held.clear()
            self._line = _Line()
            self._changed()
            self._failed(_lost(step.lost, later, error), step.items)

        self._steps.append(step)
        self._space.background.enqueue("keeping a decision", kept, ended, failed)
        return True

    def late(self) -> int:
        """How many steps are on their way to the disk, where the first has been since this was asked last; else 0."""
        before, self._first = self._first, self._steps[0] if self._steps else None
        return len(self._steps) if self._first is not None and self._first is before else 0

    def _look(self, database: Database) -> _Read[Found]:
        latest = self.latest(database)  # first: what comes meanwhile is read again
        return _Read(latest, self.look(database))

    def _take(self, read: _Read[Found] | None) -> None:
        """What was read may come after what was read later."""
        if read is None or read.latest < self._latest:
            return
        self._latest = read.latest
        self.take(read.found)
        self.ready = True
        self._changed()

    def _go_on(self) -> None:
        """Does what was held, as far as that leads: an undo among it holds the rest."""
        held, self._held = self._held, []
        for action in held:
            self.then(action)


class DecidingScreen(PaneScreen):
    """A pane in which something is decided; it looks for what another console, or a command, has decided meanwhile."""

    deciding: Deciding[Any, Any] | None = None

    def __init__(self) -> None:
        super().__init__()
        self._looks: Timer | None = None

    def on_mount(self) -> None:
        self._looks = self.set_interval(LOOKS, self._look)

    def on_screen_resume(self) -> None:
        if self._looks is not None:
            self._looks.resume()

    def on_screen_suspend(self) -> None:
        if self._looks is not None:
            self._looks.pause()

    def _look(self) -> None:
        if self.deciding is not None:
            self.deciding.read()
            if late := self.deciding.late():
                self.console.say(f"{counted(late, 'decision')} not on disk yet: the store is busy", "warning")


def back_to(table: Table[Any], items: Sequence[Hashable]) -> None:
    """The cursor to the first of what was not decided; what was marked for that is marked again."""
    if items:
        table.select(items[0])
    if len(items) > 1:
        table.mark(items)


def _lost(what: str, later: int, error: MemscopeError) -> MemscopeError:
    behind = f", nor {counted(later, 'later step')}" if later else ""
    where = f", {shown_path(Path(error.where))}" if error.where else ""
    return StoreError(f"{what}{behind}: {error.what}{where}", do=error.do)
