"""What belongs to the rows: the evidence of the one under the cursor, and the prompt of a synthesis; one of them or
both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from memscope.tui.panes.insights.evidence import InsightEvidenceView
from memscope.tui.panes.insights.prompt_view import PromptView
from memscope.tui.widgets.two_views import TwoViews

if TYPE_CHECKING:
    from memscope.tui.panes.insights.screen import InsightsScreen


class InsightDetail(TwoViews):
    """What belongs to the rows of its `pane`."""

    SECOND = "-prompt"

    def __init__(self, pane: InsightsScreen, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._pane = pane

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

    @property
    def first(self) -> InsightEvidenceView:
        return self.evidence

    @property
    def second(self) -> PromptView:
        return self.prompt

    # What is shown.

    def fill(self) -> None:
        pane, synthesizing = self._pane, self._pane.synthesizing
        is_shown = pane.deciding is not None and (bool(pane.deciding.rows) or self.has_class(self.SECOND))
        if not is_shown and self.has_focus_within:
            pane.table.focus()
        self.display = is_shown
        self.evidence.show_insight(pane.row)
        if synthesizing is not None:
            document = synthesizing.prompted.document if synthesizing.prompted is not None else None
            preparing, asking = synthesizing.preparing is not None, synthesizing.asking is not None
            outcome, trouble = synthesizing.outcome, synthesizing.trouble
            self.prompt.tell(document, outcome, trouble, preparing=preparing, asking=asking)
