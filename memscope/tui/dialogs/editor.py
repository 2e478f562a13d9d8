"""Changing a text of many lines: saved by a button, F2 or ctrl+s; Esc leaves it, and asks where it was changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from rich.text import Text
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static, TextArea

from memscope.base.text import clean
from memscope.tui.dialogs.choice import Confirm
from memscope.tui.dialogs.dialog import Dialog, said
from memscope.tui.keys import key

_TAB, _NO_PICTURE = "\t", "\N{SYMBOL FOR SUBSTITUTE FORM TWO}"


class CleanTextArea(TextArea):
    """A text that is edited as it is, and shown with a sign in place of each character that could act on a terminal."""

    DEFAULT_CSS = """
    CleanTextArea, CleanTextArea:focus { border: none; padding: 0 1; height: 1fr; background: $surface-lighten-1; }
    """

    HELP = "Every key types. Tab goes on to the buttons, Enter there does what they say; F2 and ctrl+s save at once."

    def __init__(self, text: str) -> None:
        super().__init__(text, soft_wrap=True, tab_behavior="focus", show_line_numbers=False)
        self.cursor_blink = False

    def get_line(self, line_index: int) -> Text:
        """The same number of characters, whatever they are: the cursor counts them."""
        line = self.document.get_line(line_index)
        return Text("".join(map(_shown, line)) if clean(line) != line else line, end="", no_wrap=True)


class Editor(Dialog[str | None]):
    """The answer is the text that was saved; None: it was closed. `own` is what the button beside Save puts back, whose
    words are `put_back`. `check` says what is wrong with a text, None when nothing is. `at_top`: the cursor begins
    there, not at the end."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("dialog.save", "f2,ctrl+s", "save", "Save", "Keep the text as it is now"),
    ]

    DEFAULT_CSS = """
    Editor .buttons { height: 1; padding: 0 1; margin-top: 1; }
    Editor Button { margin-right: 2; background: $panel; }
    Editor Button:focus { text-style: bold reverse; }
    """

    def __init__(
        self,
        title: str,
        text: str,
        own: str,
        hint: str,
        check: Callable[[str], str | None],
        *,
        put_back: str = "Its own words",
        at_top: bool = False,
    ) -> None:
        super().__init__(title, classes="-whole")
        self._text, self._own, self._hint, self._check = text, own, hint, check
        self._put_back, self._at_top = put_back, at_top
        self._before = self._first = ""

    def body(self) -> Iterable[Widget]:
        yield said(self._hint)
        yield CleanTextArea(self._text)
        yield said("", classes="trouble")
        yield Horizontal(
            Button("Save", id="save", compact=True),
            Button(self._put_back, id="own", compact=True),
            Button("Cancel", id="close", compact=True),
            classes="buttons",
        )

    @property
    def area(self) -> CleanTextArea:
        return self.query_one(CleanTextArea)

    def on_mount(self) -> None:
        self._begin()
        self._first = self.area.text

    def _load(self, text: str) -> None:
        self._text = text
        self.area.load_text(text)
        self._begin()

    def _begin(self) -> None:
        """With the cursor where one would go on."""
        self._before = self.area.text
        self.area.focus()
        self.area.move_cursor((0, 0) if self._at_top else self.area.document.end)

    def on_text_area_changed(self) -> None:
        self._say("")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "save":
            self.action_save()
        elif event.button.id == "own":
            self._load(self._own)
        else:
            self.action_close()

    def action_save(self) -> None:
        # What nobody has touched stays to the letter; the editor itself ends all lines alike.
        text = self._text if self.area.text == self._before else self.area.text
        trouble = self._check(text)
        self._say(trouble or "")
        if trouble is None:
            self.dismiss(text)

    def action_close(self) -> None:
        """What was changed is not dropped unasked."""
        if self.area.text == self._first:
            self.dismiss(None)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.dismiss(None)

        self.app.push_screen(Confirm("Drop what was changed?", "Drop it", "Go on changing it"), answered)

    def _say(self, words: str) -> None:
        self.query_one(".trouble", Static).update(Content(clean(words)))


def _shown(character: str) -> str:
    """One character for another: a control picture, or a sign for what has none."""
    if character == _TAB:
        return character
    sign = clean(character)
    return sign if len(sign) == 1 else _NO_PICTURE
