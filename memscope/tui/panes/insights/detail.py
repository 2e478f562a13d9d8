"""What belongs to the rows: the evidence of the one under the cursor, and the prompt of a synthesis; one of them or
both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container

from memscope.tui.panes.insights.evidence import InsightEvidenceView
from memscope.tui.panes.insights.prompt_view import PromptView

if TYPE_CHECKING:
    from memscope.tui.panes.insights.screen import InsightsScreen

_PROMPT = "-prompt"  # the class of the one that shows the prompt


class InsightDetail(Container):
    """What belongs to the rows of its `pane`."""

    def __init__(self, pane: InsightsScreen, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._pane = pane
        self._due = False

    def compose(self) -> ComposeResult:
        yield InsightEvidenceView(id="insight-evidence")
        yield PromptView(id="insight-prompt")

    @property
    def evidence(self) -> InsightEvidenceView:
        return self.query_one(InsightEvidenceView)

    @property
    def prompt(self) -> PromptView:
        return self.query_one(PromptView)

    @property
    def shows_prompt(self) -> bool:
        return bool(self.display and self.prompt.display)

    # What is shown.

    def due(self) -> None:
        """Once, after the table is painted: a held key goes by many rows."""
        if not self._due:
            self._due = True
            self.call_after_refresh(self._show)

    def _show(self) -> None:
        self._due = False
        pane, synthesizing = self._pane, self._pane.synthesizing
        is_shown = pane.deciding is not None and (bool(pane.deciding.rows) or self.has_class(_PROMPT))
        if not is_shown and self.has_focus_within:
            pane.table.focus()
        self.display = is_shown
        self.evidence.show_insight(pane.row)
        if synthesizing is not None:
            document = synthesizing.prompted.document if synthesizing.prompted is not None else None
            preparing, asking = synthesizing.preparing is not None, synthesizing.asking is not None
            outcome, trouble = synthesizing.outcome, synthesizing.trouble
            self.prompt.tell(document, outcome, trouble, preparing=preparing, asking=asking)

    # Which of the two.

    @property
    def _shows_both(self) -> bool:
        return self.evidence.display and self.prompt.display

    def turn(self) -> None:
        """To the other view."""
        if self.prompt.has_focus or (self.has_class(_PROMPT) and not self._shows_both):
            self.to_evidence(focus=self.prompt.has_focus or self._shows_both)
        else:
            self.to_prompt(focus=self.evidence.has_focus or self._shows_both)

    def enter(self) -> None:
        """The focus to what is shown."""
        if self.display:
            (self.evidence if self.evidence.display else self.prompt).focus()

    def to_evidence(self, *, focus: bool = False) -> None:
        self.remove_class(_PROMPT)
        if focus:
            self.call_after_refresh(self.evidence.focus)
        self.due()

    def to_prompt(self, *, focus: bool = False) -> None:
        self.add_class(_PROMPT)
        if focus:
            self.call_after_refresh(self.prompt.focus)
        self.due()
