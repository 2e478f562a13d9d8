"""The Promotions pane, announced; its screen is imported when it is first shown."""

from __future__ import annotations

from memscope.tui.pane import Pane, PaneScreen


def _screen() -> PaneScreen:
    from memscope.tui.panes.promotions.screen import PromotionsScreen

    return PromotionsScreen()


PANE = Pane(6, "Promotions", _screen)
