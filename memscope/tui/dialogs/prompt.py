"""Asking for one line: a threshold, a file's name, a memory's key."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual.content import Content
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Static

from memscope.base.text import clean
from memscope.tui.dialogs.dialog import Dialog, said
from memscope.tui.widgets.line_input import LineInput


def _anything(_: str) -> str | None:
    return None


class Prompt(Dialog[str | None]):
    """One line of input. `check` says what is wrong with it, None when nothing is; Enter takes only what is right."""

    def __init__(
        self,
        title: str,
        value: str = "",
        hint: str = "",
        check: Callable[[str], str | None] = _anything,
        *,
        suggester: Suggester | None = None,
    ) -> None:
        """`value` stands there to begin with, selected, so that typing replaces it."""
        super().__init__(title)
        self._value = value
        self._hint = hint
        self._check = check
        self._suggester = suggester

    def body(self) -> Iterable[Widget]:
        if self._hint:
            yield said(self._hint)
        yield LineInput(self._value, suggester=self._suggester)
        yield said("", classes="trouble")

    def on_input_changed(self, event: LineInput.Changed) -> None:
        self._say(self._check(event.value))

    def action_deeper(self) -> None:
        value = self.query_one(LineInput).value
        trouble = self._check(value)
        self._say(trouble)
        if trouble is None:
            self.dismiss(value)

    def _say(self, trouble: str | None) -> None:
        self.query_one(".trouble", Static).update(Content(clean(trouble or "")))
