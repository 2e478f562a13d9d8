import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from memscope.actions.engine import Scorer
from memscope.actions.kept import Kept
from memscope.actions.open import Opening
from memscope.actions.respond import Question
from memscope.conversation.model import Conversation
from memscope.engines.protocol import Engine
from memscope.reports.response import ResponseDocument
from memscope.store.database import Database
from memscope.tui.app import MemscopeApp
from memscope.tui.explaining import Explaining
from memscope.tui.panes.responses.screen import ResponsesScreen
from memscope.tui.widgets.token_text import TokenText
from tests.fakes import FormulaEngine, Gate, assistant, fails_baseline, office, talk, user
from tests.tui.apps import PATIENCE, SIZES, console, demo, path_of, screen_text, settled


def over(conversation: Conversation, engine: Engine) -> MemscopeApp:
    """A console over a conversation that `engine` scores."""
    app = console(conversation)
    app.workspace.engines.adopt(Scorer(engine))
    return app


async def answered(pilot: Pilot[Any]) -> ResponsesScreen:
    """Waits until what the pane asks for has been answered, and nothing runs."""
    await settled(pilot)
    pane = pilot.app.screen
    assert isinstance(pane, ResponsesScreen)
    until = time.monotonic() + PATIENCE
    while pane._timer is not None or pane.workspace.background.busy:
        assert time.monotonic() < until
        await asyncio.sleep(0.005)
        await pilot.pause()
    await pilot.pause()
    return pane


async def arrive(pilot: Pilot[Any]) -> ResponsesScreen:
    await pilot.press("2")
    return await answered(pilot)


async def press(pilot: Pilot[Any], *keys: str) -> str:
    """The screen after some keys."""
    await pilot.press(*keys)
    if isinstance(pilot.app.screen, ResponsesScreen):
        await answered(pilot)
    await settled(pilot)
    assert isinstance(pilot.app, MemscopeApp)
    return screen_text(pilot.app)


def where(text: TokenText, words: str) -> tuple[int, int]:
    """Where some words are shown, from the widget's corner."""
    at = text.text.index(words)
    row, found = next((row, found) for row, found in enumerate(text._rows) if found.start <= at < found.end)
    return text.gutter.left + found.cell_of(at), text.gutter.top + row - text.scroll_offset.y


@pytest.mark.parametrize("size", SIZES)
async def test_the_responses_and_what_mattered_to_one(size: tuple[int, int]) -> None:
    app = console(demo())
    async with app.run_test(size=size) as pilot:
        pane = await arrive(pilot)
        shown = await press(pilot, "j")
        assert "#4" in shown
        assert "+56.3" in shown  # its gap
        assert "nats on #4, all 117, gap +56.3" in shown
        assert "project/money-in-cents " in shown
        assert "+55.4 ██" in shown
        assert "47% of what all gave" in shown
        assert "#4 · heat of all memories · “The”" in shown
        assert "The PDF divides by 100 and prints the float." in shown
        assert pane.text.region.height >= 5
        assert pane.bars.region.height >= 5
        assert pane.transcript.region.height >= 7
        assert app.workspace.response == 4


async def test_deeper_and_back() -> None:
    app = console(demo())
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await arrive(pilot)
        await press(pilot, "j", "enter")
        assert pane.bars.has_focus
        await pilot.press("j", "enter")
        await settled(pilot)
        assert app.current_mode == "memories"
        assert app.workspace.memory == "project/amounts-are-minor-units"
        await pilot.press("escape")
        await answered(pilot)
        assert app.current_mode == "responses"
        assert pane.bars.has_focus
        await press(pilot, "escape")
        assert pane.transcript.has_focus
        await press(pilot, "tab", "tab")
        assert pane.text.has_focus


async def test_the_heat_is_of_all_memories_or_of_one() -> None:
    app = console(demo())
    async with app.run_test(size=(80, 24)) as pilot:
        await arrive(pilot)
        await press(pilot, "j", "enter")
        assert "heat of project/money-in-cents" in await press(pilot, "a")
        assert "heat of project/amounts-are-minor-units" in await press(pilot, "j")
        assert "heat of all memories" in await press(pilot, "a")


async def test_arriving_at_a_response_with_a_memory() -> None:
    app = console(demo())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.go("responses", memory="project/test-commands", response=29)
        pane = await answered(pilot)
        assert pane.transcript.message == 29
        assert "heat of project/test-commands" in screen_text(app)
        late = demo().conversation.memories[-1]
        assert late.first > 4
        app.go("responses", memory=late.key, response=4)
        await answered(pilot)
        assert "heat of all memories" in screen_text(app)


async def test_arriving_from_a_cell_of_the_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    why: list[int] = []
    monkeypatch.setattr(Explaining, "why", lambda _, question, ended: why.append(question.message))
    app = console(demo())
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await arrive(pilot)
        await press(pilot, "j", "enter", "a", "a", "1")  # its heat was seen, and that of all again
        app.go("responses", memory="project/money-in-cents", response=4, hint="heat")
        await answered(pilot)
        assert pane.transcript.has_focus
        assert "heat of project/money-in-cents" in screen_text(app)
        app.go("responses", memory="project/test-commands", response=6, hint="why")
        await answered(pilot)
        assert why == []
        assert "all of it is scored already" in screen_text(app)
        app.go("responses", hint="mark")
        await answered(pilot)
        assert not pane.transcript.responses_only


async def test_words_are_selected_and_memories_ranked_for_them() -> None:
    app = console(demo())
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await arrive(pilot)
        await press(pilot, "j", "tab", "tab")
        whole = pane.bars.bars
        await pilot.click(TokenText, offset=where(pane.text, "`amount_minor"))
        shown = await press(pilot, "space", "l")
        assert "for “`amount_minor”" in shown
        assert pane.bars.bars != whole
        assert "heat of all memories · “`amount_minor”" in shown
        await press(pilot, "escape")
        assert pane.bars.bars == whole
        assert pane.text.has_focus
        await press(pilot, "enter")
        assert pane.bars.has_focus
        assert len(pane.text.spans) == 1
        await press(pilot, "escape", "escape")
        assert not pane.text.spans
        await pilot.click(TokenText, offset=(6, 0), times=2)
        await answered(pilot)
        assert "for “PDF”" in screen_text(app)


async def test_a_held_key_asks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    ask = Explaining.ask

    def counted(self: Explaining, question: Question, *, whole: bool) -> None:
        asked.append(question.message)
        ask(self, question, whole=whole)

    app = console(demo())
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await arrive(pilot)
        monkeypatch.setattr(Explaining, "ask", counted)
        for _ in range(8):
            pane.transcript.action_down()
        await pilot.pause()
        await answered(pilot)
        assert asked == [21]
        assert "nats on #21" in screen_text(app)


async def test_an_engine_without_tokens_says_so() -> None:
    app = over(office(), FormulaEngine(tokens=False))
    async with app.run_test(size=(120, 36)) as pilot:
        await arrive(pilot)
        shown = await press(pilot, "j", "tab", "tab", "space")
        assert "no heat: this engine gives no tokens" in shown
        assert "no tokens from this engine: on all of the response, not “Use”" in shown


async def test_a_response_alone_after_a_cancelled_run() -> None:
    with Gate() as gate:
        app = over(office(), FormulaEngine(before=gate))
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.pause()
            await pilot.press("2", "j", "x")
            await answered(pilot)
            shown = screen_text(app)
            assert "Not scored." in shown
            assert "w scores this response alone, R all of them." in shown
            gate.open()
            shown = await press(pilot, "w")
            assert "#5 is scored by itself" in shown
            assert "x cancels" not in shown
            assert "nats on #5" in shown
            assert "heat of all memories" in shown
            assert "tabs" in shown
            shown = await press(pilot, "k")
            assert "w scores this response alone" in shown
            shown = await press(pilot, "R", "j")
            assert app.workspace.phase == "done"
            assert "gap" in shown
            assert "all of it is scored already" in await press(pilot, "w")


async def test_scoring_a_response_by_itself_keeps_the_memory_one_came_from() -> None:
    with Gate() as gate:
        app = over(office(), FormulaEngine(before=gate))
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.pause()
            await pilot.press("2", "x")
            await answered(pilot)
            gate.open()
            app.go("responses", memory="pnpm", response=5, hint="heat")
            await answered(pilot)
            assert "heat of pnpm" in await press(pilot, "w")


async def test_a_scoring_by_itself_that_is_cancelled_says_so() -> None:
    with Gate() as gate:
        app = over(office(), FormulaEngine(before=gate))
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.pause()
            await pilot.press("2", "j", "x")
            await answered(pilot)
            await pilot.press("w", "x")
            gate.open()
            assert "#5 is not scored by itself" in await press(pilot)


async def test_the_keys_of_the_list_act_from_anywhere() -> None:
    app = over(office(), FormulaEngine())
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await arrive(pilot)
        await press(pilot, "j", "tab")
        assert pane.bars.has_focus
        rows = pane.transcript.row_count
        await press(pilot, "z")
        assert pane.transcript.row_count > rows
        assert "in the text, space selects words" in await press(pilot, "space")
        assert "marks are kept in the store" in await press(pilot, "tab", "m")
        await press(pilot, "Z")
        assert not pane.transcript.responses_only
        assert pane.text.has_focus


async def test_the_bars_have_half_of_a_tall_screen() -> None:
    app = console(demo())
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await arrive(pilot)
        assert pane.bars.region.height >= 13  # a heading and twelve memories
        assert abs(pane.bars.region.height - pane.text.region.height) <= 1


async def test_words_are_ranked_whatever_the_threshold() -> None:
    app = console(demo())
    async with app.run_test(size=(120, 36)) as pilot:
        pane = await arrive(pilot)
        await press(pilot, "j")
        app.workspace.look(threshold=500.0)
        await answered(pilot)
        assert pane.bars.bars == ()
        await press(pilot, "tab", "tab")
        await pilot.click(TokenText, offset=where(pane.text, "cents"))
        await press(pilot, "space")
        assert pane.text.spans
        assert len(pane.bars.bars) > 1


async def test_a_run_is_watched_as_it_goes() -> None:
    with Gate(2) as gate:
        app = over(office(), FormulaEngine(before=gate, concurrency=1))
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.press("2", "j")
            pane = app.screen
            assert isinstance(pane, ResponsesScreen)
            until = time.monotonic() + PATIENCE
            while pane._document is None or pane._document.left_out != 1:
                assert time.monotonic() < until
                await asyncio.sleep(0.005)
            await pilot.pause()
            shown = screen_text(app)
            assert "≥" in shown
            gate.open()
            await answered(pilot)
            assert "≥" not in screen_text(app)
            assert "heat of all memories" in screen_text(app)


async def test_a_failed_baseline_is_told_with_what_helps() -> None:
    texts = [memory.texts[0] for memory in office().memories]
    app = over(office(), FormulaEngine(before=fails_baseline(*texts)))
    async with app.run_test(size=(120, 36)) as pilot:
        await arrive(pilot)
        shown = screen_text(app)
        assert "out of memory" in shown
        assert "R tries again; E chooses another engine." in shown


EMPTY = [
    (talk(), "The conversation has no message."),
    (talk(user("Hello?")), "The conversation has no response."),
    (talk(user("Hello?"), assistant("Yes.")), "No memory was found in this conversation."),
]


@pytest.mark.parametrize(("conversation", "words"), EMPTY)
@pytest.mark.parametrize("size", SIZES)
async def test_empty_panes_say_why(conversation: Conversation, words: str, size: tuple[int, int]) -> None:
    app = console(conversation)
    async with app.run_test(size=size) as pilot:
        await arrive(pilot)
        assert words in screen_text(app)
        await press(pilot, "Z", "enter", "tab", "enter", "a", "w", "space", "y", "escape", "m", "u", "n")


async def test_nothing_is_open() -> None:
    app = console(None)
    async with app.run_test(size=(80, 24)) as pilot:
        app.go("responses")
        await answered(pilot)
        assert "No conversation is open." in screen_text(app)
        await press(pilot, "Z", "enter", "tab", "j", "a", "w", "y")


async def test_words_are_found() -> None:
    app = over(office(), FormulaEngine())
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await arrive(pilot)
        await press(pilot, "slash", *"Installed", "enter")
        assert (pane.transcript.message, app.workspace.response) == (8, 8)
        await press(pilot, "slash", *"Indent", "enter")
        assert "not in the responses; Z shows all messages" in screen_text(app)
        await press(pilot, "escape", "Z", "slash", *"pnpm", "enter")
        found = []
        for _ in range(4):
            await press(pilot, "n")
            found.append(pane.transcript.message)
        assert len(set(found)) == 4
        await press(pilot, "N")
        assert pane.transcript.message == found[-2]


async def test_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    app = over(office(), FormulaEngine())
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await arrive(pilot)
        await press(pilot, "j")
        assert (pane.copied() or "").startswith("Use pnpm to install packages.\n<tool_call>")
        await press(pilot, "enter")
        assert pane.copied() in ("Indent with tabs.\n", "Indent with tabs.", "Install packages with pnpm.")
        await press(pilot, "tab", "l", "space", "l")
        assert pane.copied() == "pnpm to"
        await press(pilot, "escape", "escape", "Z", "k", "k")
        assert pane.transcript.message == 3
        assert pane.copied() == "Install packages with pnpm."


async def test_what_can_be_exported() -> None:
    app = over(office(), FormulaEngine())
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await arrive(pilot)
        await press(pilot, "j")
        one, all_of_them = pane.exports()
        assert one.name == "response 5"
        document = one.build()
        assert isinstance(document, ResponseDocument)
        assert document.message == 5
        assert [row["message"] for row in all_of_them.build().model_dump()["responses"]] == [2, 5, 8]


async def test_plain_glyphs() -> None:
    app = console(demo(), glyphs="ascii")
    async with app.run_test(size=(80, 24)) as pilot:
        await arrive(pilot)
        shown = await press(pilot, "j")
        assert "+  #4 The PDF" in shown
        assert "+55.4 ====" in shown


CONTEXT = """{"messages": [
  {"role": "user", "content": "Facts:\\nThe user likes tea.\\nThe user hates rain.\\nNow greet me."},
  {"role": "assistant", "content": "Hello! A tea, since it rains?"}]}"""


async def test_lines_become_a_memory_by_hand_and_are_no_more(tmp_path: Path) -> None:
    database = Database(tmp_path)
    app = console(Opening(path_of(tmp_path, "talk.json", CONTEXT)), Kept(database))
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await arrive(pilot)
        assert "No memory was found" in screen_text(app)
        await press(pilot, "m")
        assert "this cannot be marked: what an agent says" in screen_text(app)
        await press(pilot, "Z", "g", "z", "j", "j", "space", "j", "space")
        await pilot.press("m")
        await pilot.pause()
        assert "The user likes tea. The user hates rain." in screen_text(app)
        await pilot.press(*"tea", "enter")
        await answered(pilot)
        conversation = app.workspace.conversation
        assert conversation is not None
        assert [(m.key, m.texts) for m in conversation.memories] == [
            ("tea", ("The user likes tea.\nThe user hates rain.\n",))
        ]
        shown = screen_text(app)
        assert "a memory now: tea" in shown
        assert "▌ The user likes tea." in shown  # still unfolded
        await press(pilot, "G")
        assert [bar.label for bar in pane.bars.bars] == ["tea"]
        await press(pilot, "u")
        assert app.workspace.conversation is not None
        assert app.workspace.conversation.memories == ()
        assert "nothing to undo" in await press(pilot, "u")
    database.close()


async def test_marking_needs_the_store() -> None:
    app = over(office(), FormulaEngine())
    async with app.run_test(size=(80, 24)) as pilot:
        await arrive(pilot)
        assert "marks are kept in the store" in await press(pilot, "Z", "g", "m")


async def test_another_conversation_begins_anew() -> None:
    app = over(office(), FormulaEngine())
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await arrive(pilot)
        await press(pilot, "G", "tab", "tab", "space")
        app.workspace.show(demo())
        await answered(pilot)
        assert pane.transcript.message == 2
        assert "nats on #2" in screen_text(app)
        assert pane.text.spans == ()


async def test_the_threshold_counts_here_too() -> None:
    app = console(demo())
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await arrive(pilot)
        await press(pilot, "j")
        many = len(pane.bars.bars)
        app.workspace.look(threshold=5.0)
        await answered(pilot)
        assert len(pane.bars.bars) < many
        assert "cutoff 5" in screen_text(app)
        app.workspace.look(threshold=500.0)
        await answered(pilot)
        assert "No memory mattered to this response above 500 nats." in screen_text(app)
