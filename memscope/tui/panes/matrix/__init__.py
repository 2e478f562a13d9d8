"""The Matrix pane, announced; its screen is imported when it is first shown."""

from __future__ import annotations

from memscope.tui.pane import Pane, PaneScreen


def _screen() -> PaneScreen:
    from memscope.tui.panes.matrix.screen import MatrixScreen

    return MatrixScreen()


PANE = Pane(1, "Matrix", _screen)
