"""What belongs to the pattern under the cursor: its messages and its draft, one of them or both."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container

from memscope.tui.panes.promotions.draft import Drafted, DraftView, drafted
from memscope.tui.panes.promotions.members import PatternMembers

if TYPE_CHECKING:
    from memscope.base.errors import MemscopeError
    from memscope.reports.promotions import PromotionRow
    from memscope.tui.panes.promotions.screen import PromotionsScreen

_DRAFT = "-draft"  # the class of the one that shows its draft
_GROUP = "promotion shown"


class PatternDetail(Container):
    """The pattern under the cursor of its `pane`."""

    def __init__(self, pane: PromotionsScreen, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._pane = pane
        self._due = False

    def compose(self) -> ComposeResult:
        yield PatternMembers(id="promotion-members")
        yield DraftView(id="promotion-draft")

    @property
    def members(self) -> PatternMembers:
        return self.query_one(PatternMembers)

    @property
    def draft(self) -> DraftView:
        return self.query_one(DraftView)

    # What is shown.

    def due(self) -> None:
        """Once, after the table is painted: a held key goes by many patterns."""
        if not self._due:
            self._due = True
            self.call_after_refresh(self._show)

    def _show(self) -> None:
        self._due = False
        deciding, row = self._pane.deciding, self._pane.row
        pattern = deciding.pattern(row.signature) if deciding is not None and row is not None else None
        is_shown = deciding is not None and deciding.seen is not None and bool(deciding.seen.document.candidates)
        if not is_shown and self.has_focus_within:
            self._pane.table.focus()
        self.display = is_shown
        if deciding is None or deciding.seen is None or row is None or pattern is None:
            self.members.show_none()
            self._pane.workspace.background.drop(_GROUP)
            self.draft.show_draft(None)
            return
        found, said = deciding.seen.found, deciding.said(row.signature)
        unsteady = "not known"
        if not found.complete:
            unsteady = "being looked at …" if self._pane.looking else "not looked at to the end; R looks again"
        self.members.show_pattern(pattern, row, said, lexical=found.lexical, unsteady=unsteady)
        if self.draft.display and (make := self.drafted(row)) is not None:
            self._draft(row, make)

    def _draft(self, row: PromotionRow, make: Callable[[], Drafted]) -> None:
        """Makes the draft, beside the screen: a pattern may have thousands of messages."""

        def done(draft: Drafted) -> None:
            here = self._pane.row
            if self.is_attached and here is not None and here.signature == row.signature:
                self.draft.show_draft(draft)

        self._pane.workspace.background.start(_GROUP, "making the draft", lambda _: make(), done, _ignore)

    def drafted(self, row: PromotionRow) -> Callable[[], Drafted] | None:
        """What makes the draft of a row, in any thread; None where it is of what is not among what was found last."""
        deciding, signature = self._pane.deciding, row.signature
        pattern = deciding.pattern(signature) if deciding is not None else None
        if deciding is None or pattern is None:
            return None
        skill, back = deciding.skill(signature), deciding.back_words(signature)
        return partial(drafted, pattern, deciding.said(signature), skill, self._pane.skills(), back)

    # Which of the two.

    @property
    def _shows_both(self) -> bool:
        return self.members.display and self.draft.display

    def turn(self) -> None:
        """To the other view."""
        if self.draft.has_focus or (self.has_class(_DRAFT) and not self._shows_both):
            self.to_members(focus=self.draft.has_focus or self._shows_both)
        else:
            self.to_draft(focus=self.members.has_focus or self._shows_both)

    def enter(self) -> None:
        """The focus to what is shown."""
        if self.display:
            (self.members if self.members.display else self.draft).focus()

    def to_members(self, *, focus: bool = True) -> None:
        self.remove_class(_DRAFT)
        if focus:
            self.call_after_refresh(self.members.focus)
        self.due()

    def to_draft(self, *, focus: bool = False) -> None:
        self.add_class(_DRAFT)
        if focus:
            self.call_after_refresh(self.draft.focus)
        self.due()


def _ignore(_: MemscopeError) -> None:
    """It tells itself what is wrong with a draft."""
