"""The table on a screen: what it shows, where the cursor stays, and that only what is seen is formatted."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from textual.app import App, ComposeResult

from memscope.reports.view import Column
from memscope.tui.widgets.table import Table

HOSTILE = "\x1b]0;owned\x07[/red]\u202e"


@dataclass(frozen=True)
class Item:
    name: str
    size: float | None
    text: str = "words"


COLUMNS: tuple[Column[Item], ...] = (
    Column("name", lambda item: item.name),
    Column("size", lambda item: item.size, "nats"),
    Column("text", lambda item: item.text, wide=True, rank=1),
    Column("chars", lambda item: len(item.text), "characters", rank=2),
)
ITEMS = [Item("ada", 2.0, "sums and tables"), Item("bob", None, "nothing"), Item("cyd", -31.25, "好" * 40)]


class TableApp(App[None]):
    def __init__(self, items: list[Item], columns: tuple[Column[Item], ...] = COLUMNS, *, plain: bool = False) -> None:
        super().__init__()
        self.items, self.columns = items, columns
        self.table: Table[Item] = Table(identity=lambda item: item.name, empty="No rows.\nPress o.", plain=plain)
        self.told: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.show(self.columns, self.items)
        self.table.focus()

    def on_line_scroll_moved(self, event: Table.Moved) -> None:
        selected = self.table.selected
        self.told.append(selected.name if selected else "")


def lines(table: Table[Item]) -> list[str]:
    return [table.render_line(y).text.rstrip() for y in range(table.size.height)]


def names(table: Table[Item]) -> list[str]:
    return [item.name for item in table.shown]


async def test_rows_stand_in_columns_with_numbers_to_the_right() -> None:
    app = TableApp(ITEMS)
    async with app.run_test(size=(60, 6)):
        assert lines(app.table)[:4] == [
            "  name   size  text                                    chars".rstrip(),
            "  ada    2.00  sums and tables                            15",
            "  bob       –  nothing                                     7",
            "  cyd   -31.2  好好好好好好好好好好好好好好好好好好…      40",
        ]
        assert all(app.table.render_line(y).cell_length == 60 for y in range(6))


async def test_columns_give_way_by_rank_and_the_one_sorted_by_stays() -> None:
    app = TableApp(ITEMS)
    async with app.run_test(size=(44, 6)):
        assert lines(app.table)[0].split() == ["name", "size", "text"]
        app.table.sort_by("chars")
        assert lines(app.table)[0].split() == ["name", "size", "chars▼"]
        assert names(app.table) == ["cyd", "ada", "bob"]


async def test_of_a_line_that_grows_the_end_stays() -> None:
    line: Column[Item] = Column("line", lambda item: "." * 20 + item.name, latest=True)
    app = TableApp(ITEMS, (COLUMNS[2], line))
    async with app.run_test(size=(44, 6)):
        assert lines(app.table)[1].endswith(" .........ada")


async def test_signs_can_be_ascii() -> None:
    app = TableApp(ITEMS, plain=True)
    async with app.run_test(size=(60, 6)):
        app.table.sort_by("name")
        app.table.toggle_mark(0)
        assert "name^" in lines(app.table)[0]
        assert lines(app.table)[1].startswith("* ada")
        app.table.action_reverse()
        assert "namev" in lines(app.table)[0]


async def test_the_cursor_stays_on_its_row() -> None:
    app = TableApp(ITEMS)
    async with app.run_test(size=(60, 6)) as pilot:
        await pilot.press("down")
        assert app.table.selected == ITEMS[1]
        app.table.sort_by("size")
        assert names(app.table) == ["ada", "cyd", "bob"]
        assert app.table.cursor == 2
        app.table.show(COLUMNS, [Item("new", 9.0), *ITEMS])
        assert names(app.table) == ["new", "ada", "cyd", "bob"]
        assert app.table.selected == ITEMS[1]
        await pilot.pause()
        assert app.told[0] == "ada" and set(app.told[1:]) == {"bob"}


async def test_a_row_filtered_out_gets_the_cursor_back_when_it_returns() -> None:
    app = TableApp(ITEMS)
    async with app.run_test(size=(60, 6)) as pilot:
        await pilot.press("G")
        app.table.filter("sums")
        assert names(app.table) == ["ada"]
        await pilot.pause()
        assert app.told[-1] == "ada"
        app.table.filter("")
        assert app.table.selected == ITEMS[2]
        app.table.filter(lambda item: item.size is not None)
        assert names(app.table) == ["ada", "cyd"]
        await pilot.pause()
        assert app.told[-1] == "cyd"


async def test_the_row_told_is_the_row_there_also_when_the_cursor_did_not_move() -> None:
    app = TableApp(ITEMS)
    async with app.run_test(size=(60, 6)) as pilot:
        app.table.filter("nothing")
        await pilot.pause()
        assert app.table.cursor == 0
        assert app.told == ["ada", "bob"]


async def test_nothing_to_show_says_why() -> None:
    app = TableApp([])
    async with app.run_test(size=(40, 6)):
        assert lines(app.table)[1:4] == ["  No rows.", "  Press o.", ""]
        app.table.show(COLUMNS, ITEMS)
        app.table.filter("zzz\x1b[2J")
        assert lines(app.table)[1] == "  Nothing here has 'zzz␛[2J'."
        assert app.table.selected is None


async def test_marks_hold_on_to_rows_and_the_cursor_goes_on() -> None:
    app = TableApp(ITEMS)
    async with app.run_test(size=(60, 6)):
        app.table.toggle_mark()
        app.table.toggle_mark()
        assert app.table.cursor == 2
        app.table.sort_by("size")
        app.table.show(COLUMNS, ITEMS[1:])
        assert app.table.marked == [ITEMS[1]]
        assert [line[0] for line in lines(app.table)[1:3]] == [" ", "*"]
        app.table.toggle_mark(1)
        assert app.table.marked == []


async def test_live_rows_are_painted_where_they_stand() -> None:
    app = TableApp(ITEMS)
    async with app.run_test(size=(60, 6)) as pilot:
        app.table.sort_by("size")
        app.table.update_rows([Item("ada", -99.0, "sums")])
        assert names(app.table) == ["ada", "cyd", "bob"]
        assert "-99.0" in lines(app.table)[1]
        await pilot.pause()
        assert app.told[-1] == "ada"


async def test_a_number_longer_than_those_measured_makes_room_for_itself() -> None:
    app = TableApp([Item(str(n), 1.0) for n in range(5000)])
    async with app.run_test(size=(60, 6)) as pilot:
        app.table.update_rows([Item("3", -1234567.0)])
        assert lines(app.table)[4]
        await pilot.pause()
        assert "-1234567" in lines(app.table)[4]


async def test_s_goes_through_the_columns_and_back_to_the_order_given() -> None:
    app = TableApp(ITEMS)
    async with app.run_test(size=(60, 6)) as pilot:
        seen = []
        for _ in range(5):
            app.table.sort_next()
            seen.append(app.table.sort and (app.table.sort.title, app.table.sort.descending))
        assert seen == [("name", False), ("size", True), ("text", False), ("chars", True), None]
        assert names(app.table) == ["ada", "bob", "cyd"]
        app.table.sort_by("name")
        await pilot.press("S")
        assert names(app.table) == ["cyd", "bob", "ada"]
        app.table.sort_by("no such column")
        assert app.table.sort is None


async def test_an_order_that_was_kept_is_taken_once_there_is_a_column_for_it() -> None:
    app = TableApp(ITEMS)
    async with app.run_test(size=(60, 6)):
        assert app.table.order == "given"
        app.table.show([column for column in COLUMNS if column.title != "size"], ITEMS)
        app.table.sort_as("up size")
        assert app.table.sort is None and names(app.table) == ["ada", "bob", "cyd"]
        assert app.table.order == "up size"
        app.table.show(COLUMNS, ITEMS)
        assert names(app.table) == ["cyd", "ada", "bob"]
        app.table.action_reverse()
        assert app.table.order == "down size"
        for order in ("given", ""):
            app.table.sort_as(order)
            assert names(app.table) == ["ada", "bob", "cyd"] and app.table.order == "given"


async def test_clicks_sort_mark_and_choose() -> None:
    app = TableApp(ITEMS)
    chosen = []
    app.on_line_scroll_chosen = lambda event: chosen.append(app.table.selected)  # type: ignore[attr-defined]
    async with app.run_test(size=(60, 6)) as pilot:
        await pilot.click(Table, offset=(8, 0))
        assert names(app.table) == ["ada", "cyd", "bob"]
        await pilot.click(Table, offset=(8, 0))
        assert names(app.table) == ["cyd", "ada", "bob"]
        await pilot.click(Table, offset=(0, 3))
        assert app.table.marked == [ITEMS[1]]
        await pilot.click(Table, offset=(10, 2), times=2)
        assert app.table.selected == ITEMS[0]


async def test_hostile_text_is_shown_and_does_nothing() -> None:
    columns: tuple[Column[Item], ...] = (Column("na\x1bme", lambda item: item.name), *COLUMNS[1:])
    app = TableApp([Item(HOSTILE, 1.0, HOSTILE * 5000)], columns)
    async with app.run_test(size=(80, 6)):
        shown = "\n".join(lines(app.table))
        assert "\x1b" not in shown and "\x07" not in shown and "\u202e" not in shown
        assert "␛]0;owned␇[/red]" in shown and "na␛me" in shown


async def test_what_does_not_fit_is_reached_sideways() -> None:
    columns: tuple[Column[Item], ...] = tuple(
        Column(f"column {n}", lambda item, n=n: f"{item.name} {n} is long", rank=0)
        for n in range(6)  # type: ignore[misc]
    )
    app = TableApp(ITEMS, columns)
    async with app.run_test(size=(40, 8)) as pilot:
        assert "column 5" not in lines(app.table)[0]
        await pilot.press(*"llllllllll")
        assert "column 5" in lines(app.table)[0]
        assert "ada 5 is long" in lines(app.table)[1]
        for column in ("column 1", "column 4"):
            app.table.sort_by(column)
            await pilot.pause()
            assert f"{column}▲" in lines(app.table)[0]


@pytest.mark.parametrize("count", [20_000])
async def test_only_rows_on_the_screen_are_formatted(count: int) -> None:
    formatted: set[str] = set()

    def shown(item: Item) -> str:
        formatted.add(item.name)
        return item.text

    columns: tuple[Column[Item], ...] = (COLUMNS[0], COLUMNS[1], Column("text", lambda item: item.text, shown=shown))
    app = TableApp([Item(f"row {n}", n / 7) for n in range(count)], columns)
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.press("G")
        app.table.sort_by("size")
        await pilot.pause()
        assert app.table.selected == app.items[-1]
        assert app.table.cursor == 0
        assert len(formatted) < 600


async def test_why_there_is_nothing_is_told_whole() -> None:
    app = TableApp([])
    words = "No memory was found in this conversation. 1 shows where was searched."
    async with app.run_test(size=(30, 6)):
        app.table.empty = words
        assert " ".join(lines(app.table)[1:]).split() == words.split()
        assert all(line.startswith("  ") for line in lines(app.table)[1:] if line)
