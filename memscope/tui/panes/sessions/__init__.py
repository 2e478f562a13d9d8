"""The Sessions pane, announced; its screen is imported when it is first shown."""

from __future__ import annotations

from memscope.tui.pane import Pane, PaneScreen


def _screen() -> PaneScreen:
    from memscope.tui.panes.sessions.screen import SessionsScreen

    return SessionsScreen()


PANE = Pane(5, "Sessions", _screen)
