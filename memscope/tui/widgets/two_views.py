"""What belongs to the row under a cursor, in two views: both of them where there is room, else one."""

from __future__ import annotations

from typing import ClassVar

from textual.containers import Container
from textual.widget import Widget


class TwoViews(Container):
    """Shows the first view; the second too, or in its place where the style sheet has no room for both, with the class
    `SECOND`."""

    SECOND: ClassVar[str]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._due = False

    @property
    def first(self) -> Widget:
        raise NotImplementedError

    @property
    def second(self) -> Widget:
        raise NotImplementedError

    def fill(self) -> None:
        """Shows what is under the cursor now."""
        raise NotImplementedError

    def due(self) -> None:
        """It is filled once, after the table is painted: a held key goes by many rows."""
        if not self._due:
            self._due = True
            self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        self._due = False
        self.fill()

    @property
    def _shows_both(self) -> bool:
        return self.first.display and self.second.display

    def turn(self) -> None:
        """To the other view."""
        if self.second.has_focus or (self.has_class(self.SECOND) and not self._shows_both):
            self.to_first(focus=self.second.has_focus or self._shows_both)
        else:
            self.to_second(focus=self.first.has_focus or self._shows_both)

    def enter(self) -> None:
        """The focus to what is shown."""
        if self.display:
            (self.first if self.first.display else self.second).focus()

    def to_first(self, *, focus: bool = False) -> None:
        self.remove_class(self.SECOND)
        if focus:
            self.call_after_refresh(self.first.focus)
        self.due()

    def to_second(self, *, focus: bool = False) -> None:
        self.add_class(self.SECOND)
        if focus:
            self.call_after_refresh(self.second.focus)
        self.due()
