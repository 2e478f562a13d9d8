"""Texts of which some lead somewhere: how they stand, what the cursor goes to, and that nothing in them acts."""

from __future__ import annotations

from textual.app import App, ComposeResult

from memscope.tui.widgets.lines import LineScroll
from memscope.tui.widgets.links import Linked, Links

SOME = (
    Linked("A title", "title"),
    Linked("3 points, which is said in many more words than there is room for", label="recency"),
    Linked("to the first", goal="one"),
    Linked("5 points", label="repo_unique"),
    Linked("to the second, which takes two lines of the screen to say", goal="two"),
    Linked("read only", "note"),
)


class Shown(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.links = Links()
        self.chosen: list[object] = []

    def compose(self) -> ComposeResult:
        yield self.links

    def on_line_scroll_chosen(self, event: LineScroll.Chosen) -> None:
        self.chosen.append(self.links.goal)


def read(links: Links) -> list[str]:
    width = links.scrollable_content_region.width
    return [links.draw_row(row, width).text.rstrip() for row in range(links.row_count)]


async def test_labels_have_a_column_and_what_leads_somewhere_an_arrow() -> None:
    app = Shown()
    async with app.run_test(size=(41, 20)) as pilot:
        app.links.show_linked(SOME)
        await pilot.pause()
        assert read(app.links) == [
            "A title",
            "recency      3 points, which is said",
            "             in many more words than",
            "             there is room for",
            "             → to the first",
            "repo_unique  5 points",
            "             → to the second, which",
            "               takes two lines of the",
            "               screen to say",
            "read only",
        ]
        app.links.plain = True
        await pilot.pause()
        assert read(app.links)[4] == "             > to the first"


async def test_the_cursor_goes_from_one_to_the_next_and_stays_when_others_come() -> None:
    app = Shown()
    async with app.run_test(size=(41, 20)) as pilot:
        app.links.show_linked(SOME)
        app.links.focus()
        been = [app.links.goal]
        for key in ("down", "down", "up", "G", "g"):
            await pilot.press(key)
            been.append(app.links.goal)
        assert been == ["one", "two", "two", "one", "two", "one"]
        await pilot.press("j")
        app.links.show_linked([SOME[0], Linked("another", goal="zero"), *SOME[2:]])
        assert app.links.goal == "two"
        app.links.show_linked([Linked("Of another", "title"), *SOME[2:]])
        assert app.links.goal == "one"
        app.links.show_linked([SOME[0]])
        assert app.links.goal is None


async def test_the_cursor_is_seen_where_the_focus_is() -> None:
    def backgrounds(row: int) -> set[object]:
        strip = app.links.render_line(row)
        return {segment.style.bgcolor for segment in strip if segment.style and segment.text.strip()}

    app = Shown()
    async with app.run_test(size=(41, 20)) as pilot:
        app.links.show_linked(SOME)
        app.links.screen.set_focus(None)
        await pilot.pause()
        assert backgrounds(4) == backgrounds(6) == backgrounds(9)
        app.links.focus()
        await pilot.press("down")
        assert backgrounds(4) == backgrounds(9) != backgrounds(6) == backgrounds(8)


async def test_a_click_goes_where_the_line_leads_and_nowhere_where_it_leads_nowhere() -> None:
    app = Shown()
    async with app.run_test(size=(41, 20)) as pilot:
        app.links.show_linked(SOME)
        await pilot.pause()
        for row in (0, 2, 7, 9, 15, 4):
            await pilot.click(Links, offset=(20, row))
        assert app.chosen == ["two", "one"]


async def test_what_is_far_down_is_scrolled_to() -> None:
    app = Shown()
    async with app.run_test(size=(41, 6)) as pilot:
        app.links.show_linked([*(Linked(f"line {n}") for n in range(30)), Linked("here", goal=1), Linked("end")])
        app.links.focus()
        await pilot.press("G")
        assert app.links.goal == 1
        assert app.links.scroll_offset.y + 6 == app.links.row_count
        await pilot.press("up")
        assert app.links.scroll_offset.y + 7 == app.links.row_count


async def test_hostile_texts_are_signs() -> None:
    app = Shown()
    async with app.run_test(size=(41, 6)) as pilot:
        app.links.show_linked([Linked("a\x1b]0;x\x07[red]\u202eb", label="l\x1b\nm", goal=1)])
        await pilot.pause()
        text = "".join(read(app.links))
        assert "\x1b" not in text and "\u202e" not in text
        assert "[red]" in text and "␛" in text
