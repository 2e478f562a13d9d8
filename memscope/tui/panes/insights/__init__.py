"""The Insights pane, announced; its screen is imported when it is first shown."""

from __future__ import annotations

from memscope.tui.pane import Pane, PaneScreen


def _screen() -> PaneScreen:
    from memscope.tui.panes.insights.screen import InsightsScreen

    return InsightsScreen()


PANE = Pane(8, "Insights", _screen)
