"""Choosing an engine: what is told as it comes, what is asked again, and what is taken."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from memscope.actions.engines import EngineChoice, names_to_choose
from memscope.base.settings import Settings
from memscope.engines.protocol import Capabilities
from memscope.tui.dialogs.choice import Choice
from memscope.tui.dialogs.engine import EnginePicker
from memscope.tui.widgets.line_input import LineInput
from tests.tui.dialogs._ask import HOSTILE, OPEN, SMALL, WIDE, ask, has_foreign_controls, text_of

TOKENS = Capabilities("embedded (lexical)", tokens=True, concurrency=1, limits="It sees shared words, not meaning.")
WHOLE = Capabilities("score-api", tokens=False, concurrency=4)
URL = "http://127.0.0.1:8000"
EMBEDDED = EngineChoice("embedded", "a word model", answers=True, capabilities=TOKENS)
SERVED = EngineChoice("score-api", "a server", answers=True, models=("one", "two"), capabilities=WHOLE, url=URL)
SILENT = EngineChoice("score-api", "a server", answers=False, reason="nobody is there", url=URL)
SETTINGS = Settings(base_url=URL)


class Asked:
    """What a picker asked for, and the picker."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.probed: list[Settings] = []
        self.costed: list[Settings] = []
        self.picker = EnginePicker(settings, self.probed.append, self.costed.append)

    def field(self, name: str) -> LineInput:
        return self.picker.query_one(f"#{name}", LineInput)

    def said(self, name: str) -> str:
        return str(self.picker.query_one(name, Static).content)


@pytest.mark.parametrize("size", [SMALL, WIDE])
async def test_every_engine_is_listed_before_any_answers(size: tuple[int, int]) -> None:
    asked = Asked()

    async def look(pilot: Pilot[Any]) -> None:
        shown = text_of(pilot.app)
        assert all(name in shown for name in names_to_choose(SETTINGS))
        assert "asking …" in shown
        asked.picker.answered(EMBEDDED)
        asked.picker.answered(SILENT)
        await pilot.pause()
        shown = text_of(pilot.app)
        assert "does not answer" in shown
        assert "asking …" not in shown
        assert "shared words, not meaning" in asked.said("#about")
        assert "their tokens" in asked.said("#about")

    await ask(asked.picker, act=look, size=size)
    assert asked.probed == [SETTINGS]


async def test_the_engine_of_the_settings_is_first_and_enter_takes_it() -> None:
    asked = Asked(Settings(engine="score-api", base_url=URL, model="one"))
    assert await ask(asked.picker, "enter") == Settings(engine="score-api", base_url=URL, model="one")


async def test_another_engine_is_taken_with_all_other_settings_as_they_were() -> None:
    asked = Asked(Settings(base_url=URL, threshold=0.5, model="m"))
    wanted = Settings(engine="score-api", base_url=URL, threshold=0.5, model="m")
    assert await ask(asked.picker, "j", "enter") == wanted


async def test_escape_changes_nothing() -> None:
    assert await ask(Asked().picker, "j", "escape") is None


async def test_what_a_run_takes_is_asked_for_an_engine_that_answers_and_shown() -> None:
    asked = Asked()

    async def look(pilot: Pilot[Any]) -> None:
        asked.picker.answered(SILENT)
        asked.picker.answered(EMBEDDED)
        while not asked.costed:
            await asyncio.sleep(0.01)
        asked.picker.cost("53 scorings, 21 on disk, about 1.2 MB to send")
        await pilot.pause()
        assert "53 scorings, 21 on disk" in text_of(pilot.app)
        await pilot.press("j")
        await pilot.pause()
        assert "53 scorings" not in text_of(pilot.app)
        assert "nobody is there" in text_of(pilot.app)

    await ask(asked.picker, act=look)
    assert [settings.engine for settings in asked.costed] == ["embedded"]


async def test_another_address_is_asked_before_a_run_begins() -> None:
    asked = Asked()

    async def type_it(pilot: Pilot[Any]) -> None:
        asked.picker.answered(SILENT)
        await pilot.press("j", "tab", *"http://b", "enter")
        assert asked.probed[1:] == [Settings(engine="score-api", base_url="http://b")]
        asked.picker.answered(SILENT)  # of the address before
        await pilot.pause()
        assert "asking …" in text_of(pilot.app)
        await pilot.press("enter")

    assert await ask(asked.picker, act=type_it) == Settings(engine="score-api", base_url="http://b")


async def test_a_server_of_several_models_asks_which() -> None:
    asked = Asked()

    async def choose(pilot: Pilot[Any]) -> None:
        asked.picker.answered(SERVED)
        await pilot.press("j", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Choice)
        await pilot.press("j", "enter")

    assert await ask(asked.picker, act=choose) == Settings(engine="score-api", base_url=URL, model="two")


async def test_a_model_can_be_typed_and_is_completed() -> None:
    asked = Asked()

    async def choose(pilot: Pilot[Any]) -> None:
        asked.picker.answered(SERVED)
        await pilot.press("j", "tab", "tab", "t")
        await pilot.pause()
        await pilot.press("right")
        assert asked.field("model").value == "two"
        await pilot.press("enter")

    assert await ask(asked.picker, act=choose) == Settings(engine="score-api", base_url=URL, model="two")


async def test_an_address_with_a_password_is_refused_and_not_repeated_in_words() -> None:
    asked = Asked()

    async def look(_: Pilot[Any]) -> None:
        assert "MEMSCOPE_API_KEY" in asked.said(".trouble")
        assert "s3cret" not in asked.said(".trouble")

    assert await ask(asked.picker, "j", "tab", *"http://me:s3cret@b", "enter", act=look) is OPEN
    assert asked.probed == [SETTINGS]


async def test_what_a_server_says_is_only_text() -> None:
    asked = Asked()
    models = (HOSTILE, "plain")

    async def look(pilot: Pilot[Any]) -> None:
        asked.picker.answered(EngineChoice("score-api", HOSTILE, True, models=models, capabilities=WHOLE, url=URL))
        await pilot.press("j")
        asked.picker.cost(HOSTILE)
        await pilot.pause()
        assert not has_foreign_controls(text_of(pilot.app))
        asked.picker.answered(EngineChoice("score-api", HOSTILE, False, reason=HOSTILE, url=URL))
        await pilot.pause()
        assert not has_foreign_controls(text_of(pilot.app))

    await ask(asked.picker, act=look)


async def test_what_comes_after_it_was_closed_is_passed_over() -> None:
    asked = Asked()
    assert await ask(asked.picker, "escape") is None
    asked.picker.answered(EMBEDDED)
    asked.picker.cost("nothing")
