"""The Responses pane, announced; its screen is imported when it is first shown."""

from __future__ import annotations

from memscope.tui.pane import Pane, PaneScreen


def _screen() -> PaneScreen:
    from memscope.tui.panes.responses.screen import ResponsesScreen

    return ResponsesScreen()


PANE = Pane(2, "Responses", _screen)
