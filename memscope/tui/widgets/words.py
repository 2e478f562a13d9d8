"""Words that are told again and again while numbers land: painted only when they changed, and never laid out anew."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from memscope.base.text import clean_line


class Words(Static):
    """One text, wrapped or cut as its style says, in the room its style gives it."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__("", markup=False, id=id, classes=classes)
        self.told = ""

    def tell(self, words: str) -> None:
        """Shows other words, whatever they hold."""
        said = clean_line(words)
        if said != self.told:
            self.told = said
            self.update(Content(said), layout=False)
