"""Where a view is written, and in which form. A file that is there is replaced only after a question."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from memscope.actions.export import free_name
from memscope.base.files import shown_path
from memscope.base.text import clean
from memscope.tui.dialogs.choice import Confirm
from memscope.tui.dialogs.dialog import TAKE, Dialog, said
from memscope.tui.widgets.line_input import FileNames, LineInput, expanded
from memscope.tui.widgets.lines import LineScroll
from memscope.tui.widgets.listing import Line, Listing

Answer = tuple[str, str, Path, bool]
"""What is written, its form, the file, and whether one that is there is replaced."""

_WORDS = {
    "json": "everything, for programs",
    "csv": "the table, for a spreadsheet",
    "svg": "a picture of the screen",
    "txt": "the text, to read",
    "md": "the text, as it is",
    "jsonl": "each as JSON on a line, for programs",
    "sft": "lines to fine-tune on, in OpenAI's form",
    "dpo": "preferences against the alternates, in OpenAI's form",
    "trl": "the same preferences, in TRL's form",
}
_ENDINGS = dict.fromkeys(("sft", "dpo", "trl"), "jsonl")


class Export(Dialog[Answer | None]):
    """`forms` are what can be written and in which form; `folder` and `stem` make up a name that is free."""

    BINDINGS: ClassVar[list[BindingType]] = [TAKE]

    def __init__(self, forms: Sequence[tuple[str, str]], folder: Path, stem: str) -> None:
        super().__init__("Write to a file")
        self._forms = list(forms)
        self._folder = folder if folder.is_dir() else expanded("~")  # one may work in a folder that is gone
        self._stem = stem
        self._offered = ""

    def body(self) -> Iterable[Widget]:
        yield Listing([Line((name, form.upper(), _WORDS.get(form, ""))) for name, form in self._forms])
        yield said("file (Tab to change it)", classes="label")
        yield LineInput(suggester=FileNames())
        yield said("", classes="trouble")

    def on_mount(self) -> None:
        self._offer()

    def on_line_scroll_moved(self, _: LineScroll.Moved) -> None:
        self._offer()

    def on_line_scroll_chosen(self, _: LineScroll.Chosen) -> None:
        self.action_deeper()

    def on_input_changed(self, event: LineInput.Changed) -> None:
        self._say("" if event.value == self._offered else self._trouble(event.value) or "")

    @property
    def _chosen(self) -> tuple[str, str]:
        return self._forms[self.query_one(Listing).cursor]

    def _offer(self) -> None:
        """A free name for the form under the cursor; what a person typed only gets the form's ending."""
        name, form = self._chosen
        field = self.query_one(LineInput)
        if field.value == self._offered:
            stem = self._stem if name in ("", "picture") or name in self._stem else f"{self._stem}-{name}"
            self._offered = _offered(free_name(self._folder, stem, f".{_ENDINGS.get(form, form)}"))
            field.value = self._offered
        else:
            typed = Path(field.value)
            if typed.suffix in {f".{_ENDINGS.get(other, other)}" for _, other in self._forms}:
                field.value = str(typed.with_suffix(f".{_ENDINGS.get(form, form)}"))

    def action_deeper(self) -> None:
        typed = self.query_one(LineInput).value.strip()
        trouble = self._trouble(typed)
        self._say(trouble or "")
        if trouble:
            return
        path = expanded(typed)
        name, form = self._chosen
        if not os.path.lexists(path):
            self.dismiss((name, form, path, False))
            return

        def replace(sure: bool | None) -> None:
            if sure:
                self.dismiss((name, form, path, True))

        self.app.push_screen(Confirm(f"{path.name} is there already", "Replace it", "Keep it"), replace)

    @staticmethod
    def _trouble(typed: str) -> str | None:
        """Why a file of this name cannot be written, as far as can be seen."""
        if not typed.strip():
            return "Type the name of a file."
        path = expanded(typed.strip())
        try:
            if path.is_dir():
                return "This is a folder; add a name."
            if not path.is_absolute() and _working_folder() is None:
                return "The working folder is gone; type a whole path."
            if not path.parent.is_dir():
                return f"There is no folder {path.parent}."
        except (OSError, ValueError):
            return "No file can have this name."
        return None

    def _say(self, words: str) -> None:
        self.query_one(".trouble", Static).update(Content(clean(words)))


def _working_folder() -> Path | None:
    try:
        return Path.cwd()
    except OSError:
        return None


def _offered(path: Path) -> str:
    """A path as short as a person would type it."""
    return shown_path(path) if _working_folder() is None else os.path.relpath(path)
