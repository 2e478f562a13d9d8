"""The Lessons pane, announced; its screen is imported when it is first shown."""

from __future__ import annotations

from memscope.tui.pane import Pane, PaneScreen


def _screen() -> PaneScreen:
    from memscope.tui.panes.lessons.screen import LessonsScreen

    return LessonsScreen()


PANE = Pane(7, "Lessons", _screen)
