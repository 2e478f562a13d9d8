"""The diff that takes pruned memories out of their files: shown, and written to a file on request."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from memscope.actions.export import free_name
from memscope.actions.prune import prune_document, write_diff
from memscope.base.errors import UsageError
from memscope.base.job import Job
from memscope.base.text import counted
from memscope.reports.prune import PruneDocument, removal_lines
from memscope.tui.dialogs.dialog import Dialog, said
from memscope.tui.keys import key
from memscope.tui.widgets.paragraphs import Look, Paragraph, Paragraphs

if TYPE_CHECKING:
    from memscope.tui.app import MemscopeApp

_GROUP = "prune"
_LOOKS: dict[str, Look] = {"---": "title", "+++": "title", "@@ ": "note"}


def show_prune(console: MemscopeApp) -> None:
    """Shows what was decided to be pruned as a diff; the files are read beside the screen."""
    space = console.workspace
    found = space.opened
    if found is None:
        return
    try:
        database = space.kept.needed_for("decisions")
    except UsageError as error:
        console.tell_error(error)
        return

    def shown(document: PruneDocument) -> None:
        if any(memory.decision == "prune" for memory in document.memories):
            console.push_screen(PruneDialog(console, document))
        else:
            console.say("nothing is to be pruned; d decides that of a memory")

    space.background.start(
        _GROUP, "reading the memory files", lambda _: prune_document(found, database), shown, console.tell_error
    )


class PruneDialog(Dialog[None]):
    """A diff as it would be written, and what is to be removed by hand."""

    HELP = "The diff takes the memories out of their files. Nothing is changed until you apply it yourself."

    BINDINGS: ClassVar[list[BindingType]] = [
        key("dialog.write_diff", "e", "write", "Write", "Write the diff to a file")
    ]

    def __init__(self, console: MemscopeApp, document: PruneDocument) -> None:
        rows = [memory for memory in document.memories if memory.decision == "prune"]
        super().__init__(f"To be pruned: {counted(len(rows), 'memory', 'memories')}", classes="-whole")
        self._memscope, self._document = console, document

    def body(self) -> Iterable[Widget]:
        document = self._document
        if document.diff:
            yield said(f"e writes it; then patch -p1, or git apply, in {document.folder}")
        yield Paragraphs(id="prune-diff")

    def on_mount(self) -> None:
        shown = self.query_one(Paragraphs)
        shown.show([*_lines(self._document), *(Paragraph(line) for line in removal_lines(self._document))])
        shown.focus()

    def action_write(self) -> None:
        document, console = self._document, self._memscope
        if not document.diff:
            console.say("there is no diff: these memories stand in no file that is known")
            return
        ask_where(console, document)


def ask_where(console: MemscopeApp, document: PruneDocument) -> None:
    """Asks for a file and writes the diff to it, never over another."""
    from memscope.tui.dialogs.prompt import Prompt

    def chosen(name: str | None) -> None:
        if name is None:
            return

        def write(_job: Job) -> Path:
            return write_diff(document, Path(name.strip()))

        console.workspace.background.start(
            _GROUP, "writing the diff", write, lambda path: console.say(f"written: {path}"), console.tell_error
        )

    hint = f"The paths in it are below {document.folder}."
    free = free_name(Path(), "prune", ".patch")
    console.push_screen(Prompt("Write the diff to", str(free), hint, _no_name), chosen)


def _no_name(text: str) -> str | None:
    return None if text.strip() else "a file needs a name"


def _lines(document: PruneDocument) -> list[Paragraph]:
    found = []
    for line in document.diff.removesuffix("\n").split("\n") if document.diff else ():
        look = _LOOKS.get(line[:3], "warning" if line.startswith("-") else "text")
        found.append(Paragraph(line, look))
    return found
