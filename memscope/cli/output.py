"""What goes out: data on standard output, everything else on standard error, and nothing that was not cleaned."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from memscope.base.job import Job, Progress
from memscope.base.text import clean, clean_line, json_text

if TYPE_CHECKING:
    import rich.console
    from pydantic import BaseModel
    from rich.text import Text

    from memscope.reports.view import Column, View

_FILE_WIDTH = 120  # cells of a table in a file

Form = Literal["table", "json", "csv"]
Doc = TypeVar("Doc", bound="BaseModel")
Row = TypeVar("Row")


class Console:
    """Prints one command's results in a `form`; `asked`: a person asked for it."""

    def __init__(self, form: Form = "table", *, asked: bool = False) -> None:
        self.form: Form = form
        self.asked = asked

    @property
    def interactive(self) -> bool:
        """Whether a console can open: a person is at a terminal that can draw, and did not ask for a form."""
        return (
            not self.asked
            and sys.stdin.isatty()
            and sys.stdout.isatty()
            and os.environ.get("TERM", "") not in ("", "dumb")
        )

    def document(self, view: View[Doc, Row], document: Doc) -> None:
        """The document in the form asked for; as a table, its rows alone."""
        if self.form == "json":
            self.json(document.model_dump(mode="json", by_alias=True))
        elif self.form == "csv":
            from memscope.reports.csv import csv_text

            sys.stdout.write(csv_text(view, document))
        elif view.rows(document):
            self.table(view.columns(document), view.rows(document))

    def json(self, value: Any) -> None:
        """One JSON document: indented for a person at a terminal, on one line for a program."""
        sys.stdout.write(json_text(value, indent=2 if sys.stdout.isatty() else None) + "\n")

    def lines(self, lines: Iterable[str]) -> None:
        """Lines for a program, as they are."""
        for line in lines:
            sys.stdout.write(f"{line}\n")

    def table(self, columns: Sequence[Column[Row]], rows: Sequence[Row]) -> None:
        """A table as wide as the screen allows: the columns of highest rank give way first."""
        from memscope.cli.tables import fitted

        console = self.screen()
        console.print(fitted(columns, rows, console.width))

    def text(self, *lines: str | Text) -> None:
        """Lines for a person, below or above a table."""
        console = self.screen()
        for line in lines:
            console.print(
                clean(line) if isinstance(line, str) else line,
                markup=False,
                highlight=False,
                emoji=False,
                soft_wrap=isinstance(line, str),
            )

    def bytes(self, data: bytes) -> None:
        """Bytes as they are for a program; for a person at a terminal, cleaned."""
        if sys.stdout.isatty():
            sys.stdout.write(clean(data.decode("utf-8", "surrogateescape")))
            return
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def heading(self, text: str) -> None:
        """Lines above a table; programs are not given them."""
        if self.form == "table":
            self.text(*text.split("\n"), "")

    def note(self, text: str) -> None:
        """A line on standard error: what happened beside the data."""
        sys.stderr.write(f"memscope: {clean_line(text)}\n")

    def confirm(self, question: str) -> bool | None:
        """Whether a person at the terminal says yes; None where nobody is there to be asked."""
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        sys.stderr.write(f"memscope: {clean_line(question)} [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().casefold() in ("y", "yes")

    @staticmethod
    def screen() -> rich.console.Console:
        from rich.console import Console

        class Screen(Console):
            def on_broken_pipe(self) -> None:
                raise  # noqa: PLE0704 - rich would end the process as one that failed

        return Screen(width=_width(), highlight=False, markup=False, emoji=False)

    @contextmanager
    def job(self) -> Iterator[Job]:
        """A job whose progress is shown on standard error: a bar for a person, else a line now and then."""
        if not sys.stderr.isatty():
            yield Job(_Lines(self))
            return
        from rich.console import Console as Screen
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        words = TextColumn("{task.description}", markup=False)
        with Bar(words, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Screen(stderr=True)) as bar:
            task = bar.add_task("", visible=False)

            def show(progress: Progress) -> None:
                said = clean_line(": ".join(filter(None, (progress.doing, progress.unit))))
                bar.update(task, completed=progress.done, total=progress.total, description=said, visible=True)

            try:
                yield Job(show)
            finally:
                bar.remove_task(task)


def _width() -> int | None:
    """The width to print at: None where the screen tells itself; through a pager, that of the person's terminal."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS"):
        return None
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _FILE_WIDTH
    except (OSError, ValueError):
        return _FILE_WIDTH


class _Lines:
    """Progress for a log: a line every `EVERY` seconds, none for what is done sooner."""

    EVERY = 15.0

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        if time.monotonic() - self._last >= self.EVERY:
            self._last = time.monotonic()
            of = "" if progress.total is None else f" of {progress.total}"
            self._console.note(f"{progress.doing}: {progress.done}{of} {progress.unit}")
