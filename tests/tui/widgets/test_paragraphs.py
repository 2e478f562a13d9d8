"""Texts to read: wrapped to the width there is, also when a scrollbar takes of it."""

from __future__ import annotations

from textual.app import App, ComposeResult

from memscope.tui.widgets.paragraphs import Paragraph, Paragraphs

LONG = "nine abcd " * 200  # without a scrollbar a row takes 39 cells, which is all there is


class Shown(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.lines = Paragraphs()

    def compose(self) -> ComposeResult:
        yield self.lines


def read(lines: Paragraphs) -> list[str]:
    width = lines.scrollable_content_region.width
    return [lines.draw_row(row, width).text.rstrip() for row in range(lines.row_count)]


async def test_nothing_stands_behind_a_scrollbar_that_has_come() -> None:
    app = Shown()
    async with app.run_test(size=(41, 10)) as pilot:
        app.lines.show([Paragraph("short")])
        await pilot.pause()
        assert not app.lines.show_vertical_scrollbar
        app.lines.show([Paragraph(LONG)])
        await pilot.pause()
        assert app.lines.show_vertical_scrollbar
        rows = read(app.lines)
        assert " ".join(rows).split() == LONG.split()
        assert max(map(len, rows)) <= app.lines.scrollable_content_region.width == 38


async def test_what_follows_a_lead_begins_where_the_text_does() -> None:
    app = Shown()
    async with app.run_test(size=(22, 10)) as pilot:
        app.lines.show([Paragraph("one two three four five six", lead="  - "), Paragraph("")])
        await pilot.pause()
        assert read(app.lines) == ["  - one two three", "    four five six", ""]
