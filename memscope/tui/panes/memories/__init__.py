"""The Memories pane, announced; its screen is imported when it is first shown."""

from __future__ import annotations

from memscope.tui.pane import Pane, PaneScreen


def _screen() -> PaneScreen:
    from memscope.tui.panes.memories.screen import MemoriesScreen

    return MemoriesScreen()


PANE = Pane(3, "Memories", _screen)
