"""The view of a conversation without memories: every way on by its key and by its line, and nothing acts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult

from memscope.actions.nearby import NOTE, Nearby, SourceCounts
from memscope.tui.widgets.no_memories import NoMemories

HOME = Nearby("the agent's home", (Path("/h/CLAUDE.md"), Path("/h/rules")), files=3, units=12)
PROJECT = Nearby("the project's memories", (Path("/p/memory"),), files=1, units=1, note=f"{NOTE}; there are more")
SEARCHED = [f"rule {number}: 0" for number in range(7)]
COUNTS = SourceCounts(tools=41, turns=12)


class Alone(App[None]):
    """The widget in an app that takes down what it asks for."""

    def __init__(
        self, nearby: list[Nearby] | None, counts: SourceCounts | None = COUNTS, searched: list[str] = SEARCHED
    ) -> None:
        super().__init__()
        self.asked: list[object] = []
        self.nearby, self.counts, self.searched = nearby, counts, searched

    def compose(self) -> ComposeResult:
        yield NoMemories()

    def on_mount(self) -> None:
        widget = self.query_one(NoMemories)
        widget.show_searched(self.searched)
        if self.counts is not None:
            widget.counted(self.counts)
        if self.nearby is not None:
            widget.found(self.nearby)

    def on_no_memories_use(self, event: NoMemories.Use) -> None:
        self.asked.append(event.paths)

    def on_no_memories_mark_lines(self, _: NoMemories.MarkLines) -> None:
        self.asked.append("mark")

    def on_no_memories_use_sources(self, event: NoMemories.UseSources) -> None:
        self.asked.append(event.kind)


def shown(app: App[Any]) -> str:
    return "\n".join("".join(s.text for s in strip) for strip in app.screen._compositor.render_strips())


async def asked(app: Alone, *keys: str, size: tuple[int, int] = (80, 24)) -> tuple[list[object], str]:
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        return app.asked, shown(app)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_everything_is_there_to_see(size: tuple[int, int]) -> None:
    _, seen = await asked(Alone([HOME, PROJECT]), size=size)
    for words in (
        *("holds no memories", *SEARCHED, NOTE, "the agent's home", "3 files, 12 units", "/h/CLAUDE.md and 1 more"),
        *("1 file, 1 unit: /p/memory (there are more)", "all of these", "4 files, 13 units", "mark lines yourself"),
        *("score tool results (41)", "score user turns (12)"),
    ):
        assert words in seen
    keys = [line[2] for line in seen.splitlines() if line[2:3].strip() and line[3:5] == "  "]
    assert keys == ["a", "b", "A", "m", "T", "W"]


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("a", HOME.paths),
        ("b", PROJECT.paths),
        ("A", HOME.paths + PROJECT.paths),
        ("m", "mark"),
        ("T", "tools"),
        ("W", "turns"),
    ],
)
async def test_each_way_has_a_key_and_its_line_does_the_same(key: str, wanted: object) -> None:
    assert (await asked(Alone([HOME, PROJECT]), key))[0] == [wanted]
    downs = "abAmTW".index(key)
    assert (await asked(Alone([HOME, PROJECT]), "g", *["j"] * downs, "enter"))[0] == [wanted]


async def test_keys_for_what_is_not_there_do_nothing() -> None:
    assert (await asked(Alone([HOME]), "b", "A", "z"))[0] == []
    assert (await asked(Alone([], SourceCounts(0, 0)), "a", "T", "W", "A"))[0] == []
    assert (await asked(Alone(None), "a", "A"))[0] == []


async def test_without_anything_found_the_rest_is_left() -> None:
    done, seen = await asked(Alone([], SourceCounts(0, 12)), "enter")
    assert done == ["mark"]
    assert "No memory files were found near it" in seen
    assert "tool results" not in seen


async def test_it_says_that_it_looks_until_it_is_told() -> None:
    assert "Looking for memory files" in (await asked(Alone(None)))[1]


async def test_the_cursor_stays_on_its_way_when_more_is_found() -> None:
    app = Alone(None)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j")
        app.query_one(NoMemories).found([HOME, PROJECT])
        await pilot.press("enter")
        await pilot.pause()
        assert app.asked == ["tools"]


async def test_who_has_not_moved_is_led_to_what_was_found() -> None:
    assert (await asked(Alone([HOME, PROJECT]), "enter"))[0] == [HOME.paths]


async def test_a_double_click_uses_a_line() -> None:
    app = Alone([HOME])
    async with app.run_test(size=(80, 24)) as pilot:
        widget = app.query_one(NoMemories)
        row = next(row for row, line in enumerate(widget.lines) if line.texts[0] == "m")
        await pilot.double_click(NoMemories, offset=(4, row - widget.scroll_offset.y))
        await pilot.pause()
        assert app.asked == ["mark"]


async def test_keys_are_shown_as_they_are_set() -> None:
    app = Alone([HOME])
    async with app.run_test(size=(80, 24)) as pilot:
        app.set_keymap({"nearby.1": "f4"})
        widget = app.query_one(NoMemories)
        widget.found([HOME])
        await pilot.pause()
        assert [line.texts[0] for line in widget.lines if line.texts[-1].startswith("3 files")] == ["f4"]
        await pilot.press("f4")
        await pilot.pause()
        assert app.asked == [HOME.paths]


async def test_what_is_above_the_first_way_can_be_reached_on_a_low_screen() -> None:
    app = Alone([HOME, PROJECT])
    async with app.run_test(size=(60, 14)) as pilot:
        await pilot.press("G")
        assert "score user turns" in shown(app)
        for _ in range(8):
            await pilot.press("k")
        assert "the agent's home" in shown(app)


async def test_file_names_are_only_text() -> None:
    evil = "\x1b]0;PWNED\x07 [/red] \u202eabc [@click=app.quit]x[/]"
    place = Nearby(evil, (Path(f"/{evil}"),), files=1, units=1)
    _, seen = await asked(Alone([place], searched=[evil]), size=(160, 30))
    assert "PWNED" in seen
    assert "[/red]" in seen
    assert not {"\x1b", "\x07", "\u202e"} & set(seen)


async def test_what_is_not_counted_yet_is_not_offered() -> None:
    app = Alone(None, counts=None)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("T", "W")
        assert app.asked == []
        assert "score tool results" not in shown(app)
        app.query_one(NoMemories).counted(COUNTS)
        await pilot.press("T")
        await pilot.pause()
        assert app.asked == ["tools"]
        assert "score tool results (41)" in shown(app)
