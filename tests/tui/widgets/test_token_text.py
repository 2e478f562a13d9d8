from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from memscope.reports.response import HeatSpan, effect_on
from memscope.tui.colours import PLAIN_SIGNS
from memscope.tui.widgets.token_text import SHOWN, TokenText
from memscope.tui.widgets.word_map import WordMap
from memscope.tui.widgets.wrapping import wrapped

TEXT = "Use pnpm to install packages.\n\n你好 --frozen-lockfile in web/app.py"
TEN = log(10)


def token(start: int, end: int, effect: float) -> HeatSpan:
    return HeatSpan(start=start, end=end, effect=effect)


class Host(App[None]):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = TokenText()
        self.given = text
        self.selected: list[tuple[tuple[int, int], ...]] = []
        self.pointed = 0

    def compose(self) -> ComposeResult:
        yield self.text

    def on_mount(self) -> None:
        self.text.show(self.given)
        self.text.focus()

    def on_token_text_selected(self, event: TokenText.Selected) -> None:
        self.selected.append(event.spans)

    def on_token_text_pointed(self) -> None:
        self.pointed += 1

    def words(self) -> list[str]:
        """The words of the last selection."""
        return [self.given[start:end] for start, end in self.selected[-1]]


async def press(pilot: Pilot[None], *keys: str) -> str:
    await pilot.press(*keys)
    await pilot.pause()
    assert isinstance(pilot.app, Host)
    return pilot.app.text.word_here


async def test_the_cursor_goes_by_words_and_rows() -> None:
    app = Host(TEXT)
    async with app.run_test(size=(21, 8)) as pilot:
        await pilot.pause()
        assert app.text.word_here == "Use"
        assert await press(pilot, "l") == "pnpm"
        assert await press(pilot, "right", "l", "h", "h") == "pnpm"
        assert await press(pilot, "j") == "packages"  # the next row, as near as can be
        assert await press(pilot, "j") == "好"  # over the empty row
        assert await press(pilot, "l", "l") == "frozen-lockfile"
        assert await press(pilot, "home") == "--"
        assert await press(pilot, "end") == "in"
        assert await press(pilot, "j") == "web/app.py"
        assert await press(pilot, "g", "h") == "Use"
        assert await press(pilot, "G", "l") == "web/app.py"
        assert await press(pilot, "pageup") == "Use"


async def test_words_are_selected_by_keys() -> None:
    app = Host(TEXT)
    async with app.run_test(size=(40, 8)) as pilot:
        await press(pilot, "l")
        assert app.text.mark()
        await press(pilot, "l", "l")
        assert app.words() == ["pnpm to install"]
        assert app.text.mark()  # ends it
        await press(pilot, "l", "l")
        assert app.words() == ["pnpm to install"]
        assert app.text.mark()  # and another
        await press(pilot, "l")
        assert app.words() == ["pnpm to install", ".\n\n你"]
        assert app.text.clear_selection()
        await pilot.pause()
        assert app.selected[-1] == ()
        assert not app.text.clear_selection()


async def test_words_are_selected_by_dragging() -> None:
    app = Host(TEXT)
    async with app.run_test(size=(40, 8)) as pilot:
        await pilot.mouse_down(TokenText, offset=(5, 0))
        await pilot.hover(TokenText, offset=(9, 0))
        await pilot.hover(TokenText, offset=(1, 2))
        await pilot.mouse_up(TokenText, offset=(1, 2))
        await pilot.pause()
        assert app.words() == ["pnpm to install packages.\n\n你"]
        await pilot.click(TokenText, offset=(13, 0))
        await pilot.pause()
        assert app.selected[-1] == ()
        assert app.text.word_here == "install"
        await pilot.click(TokenText, offset=(5, 0), times=2)
        await pilot.pause()
        assert app.words() == ["pnpm"]


async def test_what_it_is_shaded_by_and_where_the_cursor_is_can_be_asked() -> None:
    app = Host(TEXT)
    async with app.run_test(size=(40, 8)) as pilot:
        await press(pilot, "l")
        assert app.text.heated == []
        app.text.heat([token(8, 12, -4.0), token(3, 6, 1.5), token(0, 3, 0.25), token(6, 8, 2.0)])
        assert [found.start for found in app.text.heated] == [0, 3, 6, 8]
        assert app.text.span_here == (4, 8)
        assert effect_on(app.text.heated, [(4, 8)]) == 3.5
        app.text.heat([])
        assert app.text.heated == []


async def styles(app: Host, pilot: Pilot[None]) -> dict[str, str]:
    """The words on the screen that have a background, or a line, of their own."""
    await pilot.pause()
    return {
        segment.text: str(segment.style)
        for strip in app.screen._compositor.render_strips()
        for segment in strip
        if segment.text.strip() and segment.style is not None
    }


HEAT = [token(4, 8, 2 * TEN), token(12, 19, -4 * TEN), token(20, 28, 0.1)]


async def test_moved_words_are_shaded_by_level() -> None:
    app = Host(TEXT)
    async with app.run_test(size=(40, 8)) as pilot:
        app.text.heat(HEAT)
        shown = await styles(app, pilot)
        assert {"pnpm", "install", " packages."} <= set(shown)  # what moved little is not shaded
        assert shown["pnpm"] != shown["install"]


async def test_moved_words_are_underlined_where_there_is_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Host(TEXT)
    async with app.run_test(size=(40, 8)) as pilot:
        app.text.heat(HEAT)
        shown = await styles(app, pilot)
        assert "underline" in shown["pnpm"]
        assert "strike" not in shown["pnpm"]
        assert "strike" in shown["install"]
        assert "underline" not in shown[" packages."]


class Reversed(Host):
    """With the cursor's row as the console has it where there are few colours."""

    CSS = "LineScroll > .lines--cursor, LineScroll:focus > .lines--cursor { text-style: bold reverse; }"


@pytest.mark.parametrize("effect", [0.7, 1.2, 2.5, 5.0, 20.0])
async def test_without_colours_every_level_has_its_sign_on_the_row_of_the_cursor_too(
    effect: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Reversed(TEXT)
    async with app.run_test(size=(40, 8)) as pilot:
        app.text.heat([token(4, 8, effect), token(12, 19, -effect)])
        shown = await styles(app, pilot)
        assert "underline" in shown["pnpm"]
        assert "strike" not in shown["pnpm"]
        assert "strike" in shown["install"]
        assert "reverse" not in shown["pnpm"]
        assert "reverse" in shown["Use"]  # the word at the cursor
        app.screen.set_focus(None)
        await pilot.pause()
        shown = await styles(app, pilot)
        assert not any("reverse" in style for style in shown.values())
        assert [words for words, style in shown.items() if "underline" in style] == ["pnpm", "install"]


async def test_another_text_begins_anew() -> None:
    app = Host(TEXT)
    async with app.run_test(size=(40, 8)) as pilot:
        await press(pilot, "l", "l")
        app.text.mark()
        app.text.heat(HEAT)
        app.text.show("Another.")
        await pilot.pause()
        assert (app.text.word_here, app.text.spans, app.text.heated) == ("Another", (), [])
        app.text.show("")
        await press(pilot, "j", "l", "G", "home", "end", "pageup")
        assert (app.text.word_here, app.text.span_here, app.text.mark()) == ("", None, False)


async def test_of_a_huge_text_only_so_much_is_shown() -> None:
    app = Host("word " * 300_000)
    async with app.run_test(size=(40, 8)) as pilot:
        await press(pilot, "G")
        app.text.move_to(app.text.row_count - 1)
        await pilot.pause()
        lines = ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]
        assert any(line.startswith("… 1.4M characters more") for line in lines)
        assert app.text._words.words[-1][1] <= SHOWN


async def test_hostile_text_is_shown_not_obeyed() -> None:
    app = Host("\x1b]0;owned\x07 [/red] \u202ex")
    async with app.run_test(size=(60, 8)) as pilot:
        await press(pilot, "l", "space", "G")
        screen = "\n".join("".join(s.text for s in strip) for strip in app.screen._compositor.render_strips())
        assert "␛]0;owned␇ [/red] ‹202E›x" in screen


async def test_the_word_stays_when_the_width_changes() -> None:
    app = Host("some words of a response " * 30)
    async with app.run_test(size=(80, 8)) as pilot:
        await press(pilot, "j", "j", "l")
        word = app.text.word
        await pilot.resize_terminal(30, 8)
        await pilot.pause()
        assert app.text.word == word
        assert app.text.cursor in app.text.visible_rows


@given(st.text(st.one_of(st.sampled_from("ab_-./' \n\t你好(){}"), st.characters()), max_size=120), st.integers(8, 30))
def test_every_word_can_be_gone_to(text: str, width: int) -> None:
    words, rows = WordMap(text, len(text)), wrapped(text, width)
    covered = {offset for start, end in words.words for offset in range(start, end)}
    assert covered == {offset for offset, char in enumerate(text) if not char.isspace()}
    assert all(end <= start for (_, end), (start, _) in zip(words.words, words.words[1:], strict=False))
    for word, (start, _) in enumerate(words.words):
        assert words.at(start) == word
        row = rows[words.row(rows, word)]
        assert row.start <= start < row.end
        assert word in words.within(row.start, row.end)


async def test_signs_and_shades_follow_the_settings() -> None:
    app = Host(TEXT)
    async with app.run_test(size=(40, 8)) as pilot:
        app.text.heat(HEAT)
        await pilot.pause()
        assert app.text._palette is not None
        app.text.plain = True
        await pilot.pause()
        assert app.text._palette is not None
        assert app.text._palette.signs is PLAIN_SIGNS
