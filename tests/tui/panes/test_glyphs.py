"""The setting of glyphs reaches every widget of every pane, also when it is changed while the pane is shown."""

from __future__ import annotations

import pytest

from memscope.tui.pane import PaneScreen, Signed
from tests.tui.apps import console, demo, settled


@pytest.mark.parametrize("pane", ["start", "matrix", "responses", "memories", "fine-tune"])
async def test_signs_follow_the_settings(pane: str) -> None:
    app = console(demo() if pane != "start" else None)
    async with app.run_test(size=(120, 36)) as pilot:
        await settled(pilot)
        if pane != "start":
            app.go(pane)
            await settled(pilot)
        screen = app.screen
        assert isinstance(screen, PaneScreen)
        drawn = [widget for widget in screen.query("*") if isinstance(widget, Signed)]
        assert drawn
        for glyphs in ("ascii", "auto"):
            app.use(app.workspace.settings.model_copy(update={"glyphs": glyphs}))
            await settled(pilot)
            assert {widget.plain for widget in drawn} == {glyphs == "ascii"}
            assert screen.signs.noise == ("." if glyphs == "ascii" else "·")
