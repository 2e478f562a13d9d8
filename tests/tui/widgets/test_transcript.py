from dataclasses import replace

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from memscope.conversation.model import Conversation, Memory, Message, Text
from memscope.reports.figures import ResponseFigures
from memscope.tui.widgets.transcript import Transcript
from tests.fakes import assistant, office, talk, user

FIGURES = {
    2: ResponseFigures(0.0, None, 0.0, 0),
    5: ResponseFigures(12.34, "pnpm", 3.2, 1),
    8: ResponseFigures(None, None, None, 3),
}


class Host(App[None]):
    def __init__(self, conversation: Conversation, **options: bool) -> None:
        super().__init__()
        self.transcript = Transcript(**options)
        self.given = conversation
        self.asked: list[tuple[int, int, int]] = []
        self.moves: list[int | None] = []

    def compose(self) -> ComposeResult:
        yield self.transcript

    def on_mount(self) -> None:
        self.transcript.show(self.given)
        self.transcript.focus()

    def on_transcript_mark_asked(self, event: Transcript.MarkAsked) -> None:
        self.asked.append((event.message, event.start, event.end))

    def on_line_scroll_moved(self) -> None:
        self.moves.append(self.transcript.message)


def lines(app: Host) -> list[str]:
    strips = app.screen._compositor.render_strips()
    text = ["".join(segment.text for segment in strip) for strip in strips]
    return [line.rstrip(" ▁▂▃▄▅▆▇█") for line in text]


async def press(pilot: Pilot[None], *keys: str) -> list[str]:
    await pilot.press(*keys)
    await pilot.pause()
    assert isinstance(pilot.app, Host)
    return lines(pilot.app)


async def test_messages_fold_and_unfold_in_place() -> None:
    app = Host(office())
    async with app.run_test(size=(60, 16)) as pilot:
        await pilot.pause()
        assert lines(app)[:3] == [
            "▸ #0 S ◆ You are a coding agent.",
            "▸ #1 U   Which package manager is it?",
            "▸ #2 A   I do not know yet, so I will have a look.",
        ]
        assert (await press(pilot, "z"))[:5] == [
            "▾ #0 S ◆ You are a coding agent.",
            "   You are a coding agent.",
            " ▌ ▾ memory tabs, 17 characters, found by explicit",
            " ▌ Indent with tabs.",
            "▸ #1 U   Which package manager is it?",
        ]
        await press(pilot, "j", "j", "j", "left", "left")
        assert lines(app)[1].startswith("▸ #1")
        await press(pilot, "right")
        assert lines(app)[1] == "   You are a coding agent."


async def test_folded_to_its_responses_with_their_figures() -> None:
    app = Host(office(), responses_only=True)
    async with app.run_test(size=(60, 10)) as pilot:
        app.transcript.figures(FIGURES)
        await pilot.pause()
        assert lines(app)[:4] == [
            " message                   total strongest memory       gap",
            "▸ #2 I do not know yet,…       0 –                        0",
            "▸ #5 Use pnpm to instal…   ≥12.3 pnpm                 +3.20",
            "▸ #8 Installed with pnp…       – –                        –",
        ]
        app.transcript.figures(FIGURES | {8: ResponseFigures(1.0, "late", -0.5, 0)})
        await pilot.pause()
        assert lines(app)[3].endswith("1.00 late                 -0.50")
        await press(pilot, "j", "Z")
        assert app.transcript.message == 5
        assert lines(app)[6].startswith("▸ #5")
        await press(pilot, "k", "Z")
        assert app.transcript.message == 2


@pytest.mark.parametrize(("width", "titles"), [(24, ""), (34, "total"), (46, "strongest"), (60, "gap")])
async def test_columns_give_way(width: int, titles: str) -> None:
    app = Host(office(), responses_only=True, plain=True)
    async with app.run_test(size=(width, 6)) as pilot:
        app.transcript.figures(FIGURES)
        await pilot.pause()
        header = lines(app)[0]
        assert titles in header
        shown = [title for title in ("total", "strongest", "gap") if title in header]
        assert shown[-1:] == ([titles] if titles else [])
        assert lines(app)[2].startswith("+ #5 Use pnpm")


async def test_jump_shows_all_messages_if_need_be() -> None:
    app = Host(office(), responses_only=True)
    async with app.run_test(size=(60, 5)) as pilot:
        await pilot.pause()
        assert app.transcript.jump(6, unfold=True)
        await pilot.pause()
        assert not app.transcript.responses_only
        assert app.transcript.message == 6
        assert any(line.startswith("▾ #6 T") for line in lines(app))
        assert not app.transcript.jump(99)


async def test_find_unfolds_what_it_finds_and_folds_it_again() -> None:
    app = Host(office())
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        transcript = app.transcript
        assert transcript.find("p")  # as it is typed
        assert transcript.find("pnpm")
        await pilot.pause()
        assert transcript.message == 3
        assert " ▌ Install packages with pnpm." in lines(app)
        assert transcript.find_next()
        await pilot.pause()
        assert transcript.message == 5
        assert " ▌ Install packages with pnpm." not in lines(app)
        assert transcript.find_next(backwards=True)
        assert transcript.message == 3
        assert not transcript.find("nowhere to be found")
        assert transcript.find("DEPLOY  on")
        assert transcript.message == 7
        assert transcript.find("")
        await pilot.pause()
        assert " ▌ Deploy on Mondays only." in lines(app)


async def test_found_words_are_seen_without_colour_too() -> None:
    app = Host(office())
    async with app.run_test(size=(60, 20)) as pilot:
        app.transcript.find("pnpm")
        await pilot.pause()
        marked = [
            segment.text
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if segment.style is not None and segment.style.underline
        ]
        assert set(marked) == {"pnpm"}
        assert len(marked) == 4  # the opening words of #3, #5 and #8, and the text of #3


async def test_lines_are_selected_and_asked_to_be_a_memory() -> None:
    text = "first line\nsecond line, which is longer than the screen is wide\nthird line\n"
    app = Host(talk(user(text), assistant("Yes.")))
    async with app.run_test(size=(40, 12)) as pilot:
        await press(pilot, "z", "j", "m")
        assert app.asked == [(0, 0, 11)]  # the line at the cursor
        app.transcript.move_to(3)  # the second row of the second line
        assert app.transcript.mark()
        await pilot.pause()
        assert app.transcript.selected == (0, (11, 64))
        assert [line[:1] for line in lines(app)[1:5]] == [" ", ">", ">", " "]
        await press(pilot, "j")
        assert app.transcript.selected == (0, (11, 75))
        assert app.transcript.mark()  # ends it: it stays as it is
        await press(pilot, "k", "k", "k", "m")
        assert app.asked[1:] == [(0, 11, 75)]
        assert app.transcript.clear_selection()
        assert not app.transcript.clear_selection()
        await press(pilot, "g", "m")
        assert app.asked[2:] == [(0, 0, len(text))]  # a message's own line: all of it
        assert not app.transcript.mark()


async def test_what_is_unfolded_stays_when_a_memory_is_marked() -> None:
    app = Host(talk(user("one\ntwo\n"), assistant("Yes.")))
    async with app.run_test(size=(40, 12)) as pilot:
        await press(pilot, "z")
        marked = Message("user", (Text("one\n"), Memory("two", "two\n", "mark")))
        app.transcript.show(replace(app.given, messages=(marked, app.given.messages[1])))
        await pilot.pause()
        assert lines(app)[:4] == ["▾ #0 U ◆ one", "   one", " ▌ ▾ memory two, 4 characters, found b…", " ▌ two"]
        app.transcript.show(office())
        await pilot.pause()
        assert lines(app)[0].startswith("▸ #0 S")


async def test_hostile_text_is_shown_not_obeyed() -> None:
    app = Host(
        talk(
            user("\x1b]0;owned\x07[/red][@click=app.quit]x\u202e"),
            assistant(
                "\x9b2J",
            ),
        )
    )
    async with app.run_test(size=(70, 8)) as pilot:
        await press(pilot, "z")
        screen = "\n".join(lines(app))
        assert "␛]0;owned␇[/red][@click=app.quit]x‹202E›" in screen
        assert not any((ord(char) < 32 and char != "\n") or "\x7f" <= char <= "\x9f" for char in screen)


async def test_nothing_to_show() -> None:
    app = Host(Conversation(()))
    async with app.run_test(size=(40, 6)) as pilot:
        await press(pilot, "z", "Z", "m", "j", "left", "right")
        assert app.transcript.message is None
        assert not app.transcript.mark()
        assert not app.transcript.find("x")
        assert app.asked == []


async def test_the_cursor_keeps_its_place_when_the_width_changes() -> None:
    app = Host(talk(*(user("some words of a message " * 12) for _ in range(9)), assistant("Yes.")))
    async with app.run_test(size=(80, 12)) as pilot:
        await press(pilot, "z")
        app.transcript.jump(5)
        await pilot.resize_terminal(40, 12)
        await pilot.pause()
        assert app.transcript.message == 5


async def test_moves_are_told_once() -> None:
    app = Host(office())
    async with app.run_test(size=(60, 16)) as pilot:
        await press(pilot, "j", "j", "z", "G")
        assert [m for m in app.moves if m is not None][-3:] == [1, 2, 8]


async def test_a_long_transcript_is_drawn_as_quickly() -> None:
    message = user("words " * 200_000)
    app = Host(talk(*[message] * 5000, assistant("Yes.")))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "z", "G")
        assert app.transcript.message == 5000
        await press(pilot, "g")
        assert app.transcript.row_count > 5001 + 200
