"""What belongs to the pattern under the cursor: its messages and its draft, one of them or both."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from memscope.tui.panes.promotions.draft import Drafted, DraftView, drafted
from memscope.tui.panes.promotions.members import PatternMembers
from memscope.tui.widgets.two_views import TwoViews

if TYPE_CHECKING:
    from memscope.base.errors import MemscopeError
    from memscope.reports.promotions import PromotionRow
    from memscope.tui.panes.promotions.screen import PromotionsScreen

_GROUP = "promotion shown"


class PatternDetail(TwoViews):
    """The pattern under the cursor of its `pane`."""

    SECOND = "-draft"

    def __init__(self, pane: PromotionsScreen, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._pane = pane

    def compose(self) -> ComposeResult:
        yield PatternMembers(id="promotion-members")
        yield DraftView(id="promotion-draft")

    @property
    def members(self) -> PatternMembers:
        return self.query_one(PatternMembers)

    @property
    def draft(self) -> DraftView:
        return self.query_one(DraftView)

    @property
    def first(self) -> PatternMembers:
        return self.members

    @property
    def second(self) -> DraftView:
        return self.draft

    # What is shown.

    def fill(self) -> None:
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


def _ignore(_: MemscopeError) -> None:
    """It tells itself what is wrong with a draft."""
