"""The heatmap in a small app: what it shows, where the cursor goes, and how little that paints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len
from rich.color import ColorSystem
from textual.app import App, ComposeResult
from textual.geometry import Region

from memscope.attribution.matrix import State
from memscope.reports.grid import Grid
from memscope.tui.widgets.heatmap import Heatmap
from memscope.tui.widgets.legend import Legend
from memscope.tui.widgets.lines import LineScroll
from tests.tui.widgets._grids import grid_of, random_grid, states_grid

SIZE = (80, 24)


class Shown(App[None]):
    """A heatmap with its legend; `told`: where the cursor was said to be."""

    def __init__(self, grid: Grid | None, *, plain: bool = False, **show: Any) -> None:
        super().__init__()
        self.console._color_system = ColorSystem.TRUECOLOR
        self.grid, self.how = grid, show
        self.heatmap = Heatmap(plain=plain)
        self.told: list[tuple[int | None, int | None]] = []
        self.chosen = 0

    def compose(self) -> ComposeResult:
        yield self.heatmap
        yield Legend(self.heatmap)

    def on_mount(self) -> None:
        self.heatmap.show(self.grid, **self.how)
        self.heatmap.focus()

    def on_heatmap_moved(self, event: Heatmap.Moved) -> None:
        self.told.append((event.row, event.column))

    def on_heatmap_chosen(self) -> None:
        self.chosen += 1

    @property
    def lines(self) -> list[str]:
        return ["".join(segment.text for segment in strip) for strip in self.screen._compositor.render_strips()]


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Region | None]]:
    """The regions that heatmaps ask to be painted; None: everything."""
    regions: list[Region | None] = []
    refresh = Heatmap.refresh

    def noted(self: Heatmap, *found: Region, **options: Any) -> Heatmap:
        regions.extend(found or [None])
        return refresh(self, *found, **options)

    monkeypatch.setattr(Heatmap, "refresh", noted)
    return regions


async def test_it_shows_labels_cells_totals_and_the_scale() -> None:
    app = Shown(states_grid())
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.pause()

        assert app.lines[0].split() == ["3", "x", "4", "#1", "#3", "#5", "#7", "total"]
        assert app.lines[2].split()[:5] == ["▸memory", "0", "9.0", "-3.0", "·"]
        assert app.lines[3].split()[2:6] == ["╱", "╱", "12.3", "-30.0"]
        assert app.lines[4].split()[2:] == ["×", "×", "×", "…"]
        assert app.lines[-1].split()[:2] == ["nats", "under"]
        for words in ("+ - round to 0", "× failed", "╱ came later", "10,000x"):
            assert words in app.lines[-1]


async def test_the_legend_names_only_what_is_there() -> None:
    app = Shown(grid_of(np.array([[3.0, 4.0]])))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()

        assert "failed" not in app.lines[-1]
        assert "10,000x" in app.lines[-1]


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (30, 8)])
async def test_every_line_has_the_width_of_the_screen(size: tuple[int, int]) -> None:
    keys = ("短い鍵/日本語の記憶/とても長い名前のメモリ", "e\u0301\u200b\x1b[2Jx", *(f"k{row}" for row in range(60)))
    app = Shown(replace(random_grid(62, 90), keys=keys))
    async with app.run_test(size=size) as pilot:
        await pilot.press("down", "right")

        assert {cell_len(line) for line in app.lines} == {size[0]}
        assert "\x1b" not in "".join(app.lines)


async def test_the_cursor_goes_by_keys_and_says_where_in_the_matrix_it_is() -> None:
    app = Shown(random_grid(40, 50), row_order=np.arange(40)[::-1], column_order=np.arange(50)[::-1])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        found = []
        for keys in (["j"], ["l", "l"], ["G"], ["end"], ["home"], ["g"], ["k"], ["h"], ["pagedown"]):
            await pilot.press(*keys)
            found.append(app.told[-1])

        assert found[:4] == [(38, 49), (38, 47), (0, 47), (0, 0)]
        assert found[4:8] == [(0, 49), (39, 49), (39, 49), (39, 49)]
        assert found[8][0] == 39 - app.heatmap._page


async def test_it_scrolls_to_its_cursor_and_the_labels_stay() -> None:
    app = Shown(random_grid(100, 300))
    async with app.run_test(size=SIZE) as pilot:
        app.heatmap.go(77, 250)
        await pilot.pause()

        assert app.told[-1] == (77, 250)
        assert any(line.startswith("▸memory 77") for line in app.lines)
        assert "#501" in app.lines[0]
        await pilot.press("end")
        assert "#599" in app.lines[0]
        assert app.heatmap.cell == (77, 299)


async def test_a_cursor_key_paints_two_lines_and_the_head() -> None:
    app = Shown(random_grid(500, 300))
    async with app.run_test(size=SIZE) as pilot:
        app.heatmap.go(3, 10)
        await pilot.pause()
        regions: list[Region | None] = []
        refresh = app.heatmap.refresh
        app.heatmap.refresh = lambda *found, **_: regions.extend(found or [None]) or refresh(*found)  # type: ignore

        await pilot.press("down")

        assert {region.y for region in regions if region} == {3 + 2, 4 + 2}
        assert all(region and region.height == 1 and region.width < SIZE[0] // 2 for region in regions)
        regions.clear()
        await pilot.press("right")

        assert {(region.y, region.height) for region in regions if region} == {(0, 2), (4 + 2, 1)}
        assert None not in regions


async def test_landed_rows_are_painted_again_and_no_others(painted: list[Region | None]) -> None:
    app = Shown(random_grid(100, 30))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        grid = random_grid(100, 30)
        grid.noise[[4, 90]] = False
        painted.clear()

        app.heatmap.rows_landed(grid, [4, 90])
        await pilot.pause()

        assert [region.y for region in painted if region] == [4 + 2, 0]
        assert None not in painted
        assert app.lines[4 + 2].count("·") == 0


async def test_rows_do_not_move_when_they_land_and_the_cell_under_the_cursor_is_told_anew() -> None:
    pending = np.full((3, 4), State.PENDING, np.uint8)
    empty = grid_of(np.full((3, 4), np.nan), pending)
    app = Shown(empty, row_order=np.array([2, 0, 1]))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "… pending" in app.lines[-1]
        told = len(app.told)

        app.heatmap.rows_landed(grid_of(np.array([[9.0] * 4, [np.nan] * 4, [2.0] * 4]), pending * 0 + 1), [0, 2])
        await pilot.pause()

        assert app.told[told:] == [(2, 0)]
        assert app.lines[2].split()[1:4] == ["2", "2.0", "2.0"]
        assert app.lines[3].split()[1:4] == ["0", "9.0", "9.0"]


async def test_another_order_or_a_filter_leaves_the_cursor_on_its_cell() -> None:
    grid = random_grid(20, 20)
    app = Shown(grid)
    async with app.run_test(size=SIZE) as pilot:
        app.heatmap.go(7, 9)
        app.heatmap.show(grid, np.arange(20)[::-1], np.arange(20)[::-1])
        await pilot.pause()
        assert app.told[-1] == (7, 9)
        assert app.heatmap.cursor == 12

        app.heatmap.show(grid, np.array([2, 7]))
        await pilot.pause()
        assert app.told[-1] == (7, 9)
        assert app.lines[0].startswith(" 2 of 20")

        app.heatmap.show(grid, np.array([2, 3]))
        await pilot.pause()
        assert app.told[-1] == (3, 9)
        assert not app.heatmap.go(7, 9)


async def test_an_overview_fits_the_screen_and_leads_back_to_the_cell() -> None:
    values = np.zeros((300, 400))
    values[157, 333] = 30.0
    app = Shown(grid_of(values))
    async with app.run_test(size=SIZE) as pilot:
        app.heatmap.overview = True
        await pilot.pause()
        assert app.heatmap.row_count <= SIZE[1]
        assert app.heatmap.max_scroll_x == 0

        drawn = app.heatmap._picture
        assert drawn is not None
        assert drawn.overview is not None
        line, _ = drawn.find(157, 333)
        assert line is not None
        first = int(drawn.overview.rows[line])
        assert first != 157
        assert app.heatmap.go(first, 333)  # the pooled cell that holds it, whose strongest is another
        await pilot.pause()
        assert app.told[-1] == (157, 333)
        await pilot.resize_terminal(120, 36)
        assert app.heatmap.cell == (157, 333)

        app.heatmap.overview = False
        await pilot.pause()
        assert app.heatmap.row_count == 300
        assert app.told[-1] == (157, 333)
        assert any(line.startswith("▸memory 157") for line in app.lines)


async def test_a_click_goes_to_the_cell_and_a_double_click_deeper() -> None:
    app = Shown(random_grid(20, 30))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        placed = app.heatmap._layout(app.heatmap.scrollable_content_region.width)

        await pilot.click(Heatmap, offset=(placed.label + 5 * placed.cell, 2 + 4))
        assert app.told[-1] == (4, 5)
        assert app.chosen == 0
        await pilot.click(Heatmap, offset=(placed.label + 5 * placed.cell, 2 + 4), times=2)
        assert app.chosen == 1
        await pilot.click(Heatmap, offset=(3, 2 + 7))
        assert app.told[-1] == (7, 5)


async def test_in_ascii_nothing_else_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Shown(states_grid(), plain=True)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()

        assert "".join(app.lines).isascii()
        assert "x failed" in app.lines[-1]


async def test_without_colour_every_effect_has_a_sign_and_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Shown(grid_of(np.array([[-1.0, 12.0] * 40])))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()

        assert "-▂ █-▂ █" in app.lines[2]


@pytest.mark.parametrize("columns", [21, 300])
async def test_no_sign_goes_without_a_name_however_little_room_there_is(columns: int) -> None:
    values = np.tile([[3.0, -4.0, 0.1]], (4, columns // 3))
    state = np.full(values.shape, State.OK, np.uint8)
    state[1], state[2], state[3, :9] = State.BEFORE, State.FAILED, State.PENDING
    app = Shown(grid_of(values, state))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()

        assert all(sign in "".join(app.lines[2:-1]) for sign in "+-·╱×…")
        for words in ("+ for", "- against", "· noise", "╱ came later", "× failed", "… pending"):
            assert words in app.lines[-1]


async def test_what_is_clamped_is_no_noise() -> None:
    grid = replace(grid_of(np.array([[3.0, 0.0, 0.0]]), signed=False), noise=np.array([[False, False, True]]))
    app = Shown(grid)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()

        assert app.lines[2].split()[1:5] == ["0", "3.0", "-", "·"]
        assert "- below 0" in app.lines[-1]


async def test_where_all_is_seen_nothing_scrolls() -> None:
    app = Shown(grid_of(np.ones((5, 26))))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()

        assert not app.heatmap.show_horizontal_scrollbar
        assert app.heatmap.max_scroll_x == 0


async def test_another_theme_brings_other_colours() -> None:
    app = Shown(states_grid())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        app.theme = "textual-dark"
        before = app.heatmap.look.palette
        app.theme = "textual-light"
        await pilot.pause()

        assert app.heatmap.look.palette != before


@pytest.mark.parametrize("grid", [None, grid_of(np.zeros((0, 3))), grid_of(np.zeros((3, 0)))], ids=["no", "0x3", "3x0"])
async def test_nothing_to_show_is_no_trouble(grid: Grid | None) -> None:
    app = Shown(grid)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("down", "right", "end", "G", "pagedown")
        app.heatmap.overview = True
        await pilot.pause()

        assert app.told[-1] == (None, None)
        assert app.heatmap.cell is None
        assert not app.heatmap.go(0, 0)


async def test_it_is_a_scroll_of_lines_with_the_keys_of_all() -> None:
    assert issubclass(Heatmap, LineScroll)
