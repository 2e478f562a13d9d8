"""Every setting, its value, where that came from and what it is for; changing one for the session, or in the file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from memscope.base.errors import SettingsError
from memscope.base.settings import (
    Resolved,
    Settings,
    as_text,
    changed,
    config_path,
    from_text,
    resolve,
    save,
    with_values,
)
from memscope.base.text import clean
from memscope.reports.config import CONFIG, config_document
from memscope.tui.checks import check_settings
from memscope.tui.dialogs.dialog import Dialog, said
from memscope.tui.dialogs.prompt import Prompt
from memscope.tui.keys import key
from memscope.tui.widgets.lines import LineScroll
from memscope.tui.widgets.listing import Line, Listing


class SettingsDialog(Dialog[Resolved | None]):
    """The answer is the settings as they are when the dialog is closed; None when nothing was changed.

    A change passes the checks of every other place, and those the console makes when it opens. It holds for the
    session; only `w` writes it to the file.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        key("dialog.edit", "enter", "deeper", "Change", "Change the value for this session"),
        key("dialog.write", "w", "write", "Write", "Write the value to the settings file"),
    ]

    def __init__(self, resolved: Resolved) -> None:
        super().__init__("Settings", classes="-whole")
        self._before = self._resolved = resolved
        self._names = list(Settings.model_fields)

    def body(self) -> Iterable[Widget]:
        yield Listing(self._lines(), wide=1)
        yield said("", id="about")
        yield said("", classes="trouble")

    def on_mount(self) -> None:
        self._look()

    def _lines(self) -> list[Line]:
        document = config_document(self._resolved)
        name, value, origin, _ = CONFIG.columns(document)
        return [Line((name.text(row), value.text(row), origin.text(row))) for row in CONFIG.rows(document)]

    @property
    def _here(self) -> str:
        return self._names[self.query_one(Listing).cursor]

    def _look(self) -> None:
        """What the setting under the cursor is for, its whole value and origin."""
        name = self._here
        row = next(row for row in config_document(self._resolved).settings if row.name == name)
        value = as_text(row.value) or "–"
        about = f"{name}: {row.description}\n{value}\nfrom {row.origin}; the file is {config_path()}"
        self.query_one("#about", Static).update(Content(clean(about)))

    def _say(self, words: str, *, trouble: bool = False) -> None:
        place = self.query_one(".trouble", Static)
        place.set_class(not trouble, "-fine")
        place.update(Content(clean(words)))

    def on_line_scroll_moved(self, _: LineScroll.Moved) -> None:
        self._say("")
        self._look()

    def on_line_scroll_chosen(self, _: LineScroll.Chosen) -> None:
        self.action_deeper()

    def action_deeper(self) -> None:
        name = self._here
        field = Settings.model_fields[name]
        default = as_text(field.default)
        hint = f"{field.description}. Empty: {default or 'unset'}"

        def check(text: str) -> str | None:
            try:
                self._with(name, text)
            except SettingsError as error:
                return str(error)
            return None

        def take(text: str | None) -> None:
            if text is not None:
                self._resolved = self._with(name, text)
                self._refresh()
                self._say("for this session; w writes it to the file")

        self.app.push_screen(Prompt(name, as_text(getattr(self._resolved.settings, name)), hint, check), take)

    def _with(self, name: str, text: str) -> Resolved:
        """The settings with what a person typed for one. Raises `SettingsError`."""
        found = changed(self._resolved, name, from_text(name, text))
        check_settings(found.settings, self.app.available_themes)
        return found

    def action_write(self) -> None:
        """Writes the value under the cursor, and says when something would beat it the next time."""
        name = self._here
        value = getattr(self._resolved.settings, name)
        try:
            # The value alone: another that cannot be must not keep this one from being written.
            check_settings(with_values(Settings(), **{name: value}), self.app.available_themes)
            path = save(name, value)
            after = resolve()
        except SettingsError as error:
            self._say(str(error), trouble=True)
            return
        origin = after.origins[name]
        self._resolved = Resolved(self._resolved.settings, {**self._resolved.origins, name: origin})
        self._refresh()
        beaten = getattr(after.settings, name) != value
        self._say(f"written to {path}" + (f"; but {origin} beats it the next time" if beaten else ""))

    def _refresh(self) -> None:
        self.query_one(Listing).show(self._lines())
        self._look()

    def action_close(self) -> None:
        self.dismiss(None if self._resolved == self._before else self._resolved)
