"""A difference in words: everything of both texts is there, and what only one has is told from the rest."""

from __future__ import annotations

from rich.style import Style
from textual.app import App, ComposeResult

from memscope.reports.alternate import word_diff
from memscope.tui.widgets.diff_text import DiffText
from memscope.tui.widgets.paragraphs import Paragraph

OLD, NEW = "Indent with tabs, always.\nEvery file.", "Indent with four spaces.\nEvery file of it."


class Shown(App[None]):
    def __init__(self, *, plain: bool = False) -> None:
        super().__init__()
        self.diff = DiffText(plain=plain)

    def compose(self) -> ComposeResult:
        yield self.diff


def lines(app: Shown) -> list[list[tuple[str, Style | None]]]:
    found = []
    for y in range(app.size.height):
        strip = app.diff.render_line(y)
        found.append([(segment.text, segment.style) for segment in strip])
    return found


def texts(app: Shown) -> str:
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines(app)).rstrip()


async def test_what_is_removed_is_struck_and_what_is_added_underlined() -> None:
    app = Shown()
    async with app.run_test(size=(40, 12)) as pilot:
        app.diff.show_diff([Paragraph("heading", "title")], word_diff(OLD, NEW))
        await pilot.pause()
        pieces = [piece for line in lines(app)[1:] for piece in line]
        removed = "".join(text for text, style in pieces if style and style.strike)
        added = "".join(text for text, style in pieces if style and style.underline)
        same = "".join(text for text, style in pieces if style and not style.strike and not style.underline)
        assert "tabs" in removed and "always" in removed
        assert "four spaces" in added and "of it" in added
        assert "Indent with" in same and "Every file" in same
        assert texts(app).startswith("heading\n")


async def test_signs_tell_them_apart_in_ascii() -> None:
    app = Shown(plain=True)
    async with app.run_test(size=(60, 12)) as pilot:
        app.diff.show_diff([], word_diff("tabs", "spaces"))
        await pilot.pause()
        assert "[-tabs-]{+spaces+}" in texts(app)
        app.diff.plain = False
        app.diff.show_diff([], word_diff("tabs", "spaces"))
        await pilot.pause()
        assert "tabsspaces" in texts(app)


async def test_words_may_stand_in_its_place_and_it_in_theirs() -> None:
    app = Shown()
    async with app.run_test(size=(40, 12)) as pilot:
        app.diff.show([Paragraph("being asked for", "note")])
        await pilot.pause()
        assert texts(app).strip() == "being asked for"
        app.diff.show_diff([Paragraph("heading", "title")], word_diff(OLD, NEW))
        await pilot.pause()
        assert "being" not in texts(app) and "heading" in texts(app) and "spaces" in texts(app)
        app.diff.show([Paragraph("failed", "warning")])
        await pilot.pause()
        assert texts(app).strip() == "failed"


async def test_it_is_wrapped_anew_when_the_screen_changes_and_nothing_is_lost() -> None:
    app = Shown()
    async with app.run_test(size=(60, 20)) as pilot:
        app.diff.show_diff([Paragraph("heading", "title")], word_diff(OLD * 3, NEW * 3))
        await pilot.pause()
        before = "".join(texts(app).split())
        await pilot.resize_terminal(24, 40)
        await pilot.pause()
        assert "".join(texts(app).split()) == before


async def test_a_hostile_answer_does_nothing() -> None:
    app = Shown()
    async with app.run_test(size=(60, 12)) as pilot:
        app.diff.show_diff(
            [Paragraph("\x1b[31m", "title")], word_diff("\x1b]0;x\x07 [/red]", "[@click=app.quit]\u202e")
        )
        await pilot.pause()
        shown = texts(app)
        assert "\x1b" not in shown and "\x07" not in shown and "\u202e" not in shown
        assert "[/red]" in shown and "[@click=app.quit]" in shown
