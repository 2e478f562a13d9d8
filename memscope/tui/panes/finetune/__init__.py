"""The Fine-tune pane, announced; its screen is imported when it is first shown."""

from __future__ import annotations

from memscope.tui.pane import Pane, PaneScreen


def _screen() -> PaneScreen:
    from memscope.tui.panes.finetune.screen import FinetuneScreen

    return FinetuneScreen()


PANE = Pane(4, "Fine-tune", _screen)
