"""What few colours and ASCII ask of the screen, besides what each widget draws by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual.scrollbar import ScrollBar, ScrollBarRender

from memscope.tui import look as looking
from memscope.tui.app import MemscopeApp
from memscope.tui.look import PlainBars, plain_key
from memscope.tui.widgets.lines import LineScroll
from tests.tui.apps import console, demo, screen_text, settled


@pytest.fixture(autouse=True)
def bars() -> Iterator[None]:
    """They are the toolkit's, for all that runs."""
    yield
    ScrollBar.renderer = ScrollBarRender


def cursor_is_reversed(app: MemscopeApp) -> bool:
    lines = app.focused
    assert isinstance(lines, LineScroll)
    return bool(lines.get_component_rich_style("lines--cursor").reverse)


@pytest.mark.parametrize(("depth", "reverse"), [("256", False), ("16", True), ("none", True)])
async def test_the_cursor_is_seen_with_few_colours(depth: str, reverse: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "depth", lambda _: depth)
    app = console(demo())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.go("memories")
        await settled(pilot)
        assert cursor_is_reversed(app) is reverse


async def test_the_cursor_is_seen_with_themes_of_the_terminals_own_colours() -> None:
    app = console(demo())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.go("memories")
        await settled(pilot)
        for theme, reverse in (("ansi-dark", True), ("textual-dark", False), ("ansi-light", True)):
            app.theme = theme
            await pilot.pause()
            assert cursor_is_reversed(app) is reverse


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
@pytest.mark.parametrize("pane", ["responses", "memories", "fine-tune"])
async def test_frames_dividers_and_scrollbars_in_ascii(pane: str, size: tuple[int, int]) -> None:
    app = console(demo(), glyphs="ascii")
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        app.go(pane)
        await settled(pilot)
        drawn = set("─│┌╭╮╰╯▁▂▃▄▅▆▇█⏎↑↓←→")
        assert not drawn & set(screen_text(app))
        assert ScrollBar.renderer is PlainBars
        await pilot.press("E")
        await settled(pilot)
        assert not drawn & set(screen_text(app))
        await pilot.press("escape", "question_mark")
        await pilot.pause()
        assert not drawn & set(screen_text(app))
        await pilot.press("escape")
        app.use(app.workspace.settings.model_copy(update={"glyphs": "auto"}))
        await settled(pilot)
        assert drawn & set(screen_text(app))
        assert ScrollBar.renderer is ScrollBarRender


def test_a_key_in_ascii() -> None:
    assert [plain_key(shown) for shown in ("⏎", "^z", "shift+↑")] == ["enter", "^z", "shift+up"]
