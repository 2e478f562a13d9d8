"""Choosing an engine: what is told as it comes, what is asked again, and what is taken."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from memscope.actions.engines import EngineChoice
from memscope.base.settings import Settings
from memscope.engines.protocol import Capabilities
from memscope.tui.dialogs.choice import Choice, Confirm
from memscope.tui.dialogs.engine import EnginePicker
from memscope.tui.widgets.line_input import LineInput
from memscope.tui.widgets.listing import Listing
from tests.tui.dialogs._ask import HOSTILE, OPEN, SMALL, WIDE, ask, assert_fits, has_foreign_controls, text_of

TOKENS = Capabilities("embedded (lexical)", tokens=True, concurrency=1, limits="It sees shared words, not meaning.")
WHOLE = Capabilities("score-api", tokens=False, concurrency=4)
URL = "http://127.0.0.1:8000"
HOMELESS = EngineChoice(
    "score-api", "a server", answers=False, reason="It needs --base-url.", served=True, lacks="address"
)
EMBEDDED = EngineChoice("embedded", "a word model", answers=True, capabilities=TOKENS)
SERVED = EngineChoice("score-api", "a server", True, models=("one", "two"), capabilities=WHOLE, url=URL, served=True)
SILENT = EngineChoice("score-api", "a server", answers=False, reason="nobody is there", url=URL, served=True)
MODEL = EngineChoice(
    "transformers", "a model folder", answers=False, reason="It opens a model.", opens=True, lacks="model"
)
PACKAGE = replace(
    MODEL, reason="it needs the package torch, not installed: pip install 'memscope[hf]'", lacks="package"
)
OPENED = replace(MODEL, answers=True, reason="", lacks="", capabilities=TOKENS)
SETTINGS = Settings(base_url=URL)


class Asked:
    """What a picker asked for, and the picker."""

    def __init__(self, settings: Settings = SETTINGS, *more: str, scored: bool = False) -> None:
        """`more`: engines there are beside the two."""
        self.probed: list[Settings] = []
        self.costed: list[Settings] = []
        self.doctored: list[Settings] = []
        self.names = sorted(("embedded", "score-api", *more), key=lambda name: name != settings.engine)
        asked = (self.probed.append, self.costed.append, self.doctored.append)
        self.picker = EnginePicker(settings, self.names, *asked, scored=scored)

    def field(self, name: str) -> LineInput:
        return self.picker.query_one(f"#{name}", LineInput)

    def said(self, name: str) -> str:
        return str(self.picker.query_one(name, Static).content)


@pytest.mark.parametrize("size", [SMALL, WIDE])
async def test_every_engine_is_listed_before_any_answers(size: tuple[int, int]) -> None:
    asked = Asked()

    async def look(pilot: Pilot[Any]) -> None:
        shown = text_of(pilot.app)
        assert all(name in shown for name in asked.names)
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


async def test_the_cost_of_an_engine_that_the_cursor_has_left_is_passed_over() -> None:
    asked = Asked()

    async def look(pilot: Pilot[Any]) -> None:
        asked.picker.answered(SILENT)
        asked.picker.answered(EMBEDDED)
        while not asked.costed:
            await asyncio.sleep(0.01)
        await pilot.press("j")
        asked.picker.cost("53 scorings", asked.costed[0])
        asked.picker.cost("53 scorings")
        assert asked.said("#cost") == ""

    await ask(asked.picker, act=look)


async def test_the_cost_of_another_question_than_the_last_is_passed_over() -> None:
    asked = Asked()

    async def look(pilot: Pilot[Any]) -> None:
        asked.picker.answered(SERVED)
        asked.picker.answered(EMBEDDED)
        while not asked.costed:
            await asyncio.sleep(0.01)
        await pilot.press("j")
        while len(asked.costed) < 2:
            await asyncio.sleep(0.01)
        asked.picker.cost("of the first", asked.costed[0])
        assert asked.said("#cost") == ""
        asked.picker.cost("of the second", asked.costed[1])
        assert asked.said("#cost") == "of the second"

    await ask(asked.picker, act=look)
    assert [settings.engine for settings in asked.costed] == ["embedded", "score-api"]


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


@pytest.mark.parametrize(
    ("keys", "taken"), [(["enter"], OPEN), (["k", "enter"], Settings(engine="score-api", base_url=URL))]
)
async def test_one_that_does_not_answer_takes_a_matrix_away_only_after_a_question(
    keys: list[str], taken: object
) -> None:
    asked = Asked(scored=True)

    async def choose(pilot: Pilot[Any]) -> None:
        asked.picker.answered(SILENT)
        await pilot.press("j", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Confirm)
        shown = text_of(pilot.app)
        assert "does not answer" in shown
        assert "nobody is there" in shown
        assert "The matrix that is there goes." in shown
        await pilot.press(*keys)

    assert await ask(asked.picker, act=choose) == taken


async def test_one_that_speaks_to_another_kind_of_server_says_what_answers() -> None:
    asked = Asked(scored=True)

    async def choose(pilot: Pilot[Any]) -> None:
        asked.picker.answered(replace(SILENT, reason="it looks like SGLang 0.5: --engine sglang", lacks="server"))
        assert "needs another server" in [line.texts[1] for line in asked.picker.query_one(Listing).lines]
        await pilot.press("j")
        assert "looks like SGLang" in asked.said("#about")
        await pilot.press("enter")
        await pilot.pause()
        assert "needs another server. Use it anyway?" in text_of(pilot.app)

    assert await ask(asked.picker, act=choose) is OPEN


async def test_one_that_does_not_answer_is_taken_where_nothing_is_lost() -> None:
    settings = Settings(engine="score-api", base_url=URL)
    for asked in (Asked(settings, scored=True), Asked(settings)):

        async def choose(pilot: Pilot[Any], asked: Asked = asked) -> None:
            asked.picker.answered(SILENT)
            await pilot.press("enter")

        assert await ask(asked.picker, act=choose) == settings


async def test_a_server_without_an_address_says_so_and_is_not_taken() -> None:
    asked = Asked(Settings())

    async def choose(pilot: Pilot[Any]) -> None:
        asked.picker.answered(HOMELESS)
        await pilot.press("j", "enter")
        await pilot.pause()
        shown = text_of(pilot.app)
        assert "needs an address" in shown
        assert "does not answer" not in shown
        assert "not set; such as" in shown
        await pilot.press(*"http://b", "enter")  # the field has the focus

    assert await ask(asked.picker, act=choose) is OPEN
    assert asked.probed[1:] == [Settings(engine="score-api", base_url="http://b")]


@pytest.mark.parametrize("address", ["b:8000", "ftp://b", "http://", "http://[b"])
async def test_an_address_of_no_web_server_is_refused(address: str) -> None:
    asked = Asked()

    async def look(pilot: Pilot[Any]) -> None:
        asked.picker.answered(SILENT)
        await pilot.press("j", "tab", "ctrl+u", *address, "enter")
        assert "no http or https address" in asked.said(".trouble")

    assert await ask(asked.picker, act=look) is OPEN
    assert asked.probed == [SETTINGS]


async def test_a_wrong_address_does_not_keep_an_engine_back_that_needs_none() -> None:
    asked = Asked()

    async def choose(pilot: Pilot[Any]) -> None:
        asked.picker.answered(EMBEDDED)
        asked.picker.answered(SILENT)
        await pilot.press("j", "tab", *"x", "enter", "shift+tab", "k", "enter")

    assert await ask(asked.picker, act=choose) == SETTINGS


async def test_a_long_reason_is_told_in_full_on_a_small_screen() -> None:
    reason = " ".join(f"word{number}" for number in range(60)) + " end."
    asked = Asked()

    async def look(pilot: Pilot[Any]) -> None:
        asked.picker.answered(replace(SILENT, reason=reason))
        await pilot.press("j")
        await pilot.pause()
        assert "end." in text_of(pilot.app)
        assert_fits(pilot.app)

    await ask(asked.picker, act=look)


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
        asked.picker.answered(replace(SERVED, summary=HOSTILE, models=models))
        await pilot.press("j")
        asked.picker.cost(HOSTILE)
        await pilot.pause()
        assert not has_foreign_controls(text_of(pilot.app))
        asked.picker.answered(replace(SILENT, summary=HOSTILE, reason=HOSTILE))
        await pilot.pause()
        assert not has_foreign_controls(text_of(pilot.app))

    await ask(asked.picker, act=look)


async def test_what_comes_after_it_was_closed_is_passed_over() -> None:
    asked = Asked()
    assert await ask(asked.picker, "escape") is None
    asked.picker.answered(EMBEDDED)
    asked.picker.cost("nothing")


@pytest.mark.parametrize(("choice", "needs"), [(MODEL, "needs a model"), (PACKAGE, "needs a package")])
async def test_an_engine_in_this_process_takes_a_model_and_no_address(choice: EngineChoice, needs: str) -> None:
    asked = Asked(SETTINGS, "transformers")

    async def look(pilot: Pilot[Any]) -> None:
        asked.picker.answered(EMBEDDED)
        asked.picker.answered(SILENT)
        asked.picker.answered(choice)
        assert asked.field("base-url").disabled and asked.field("model").disabled
        await pilot.press("j")
        assert not asked.field("base-url").disabled and not asked.field("model").disabled
        await pilot.press("j")
        await pilot.pause()
        assert asked.field("base-url").disabled and not asked.field("model").disabled
        assert needs in text_of(pilot.app)
        assert choice.lacks in asked.said("#about")

    await ask(asked.picker, act=look)


async def test_an_engine_that_needs_a_model_asks_for_it_and_is_taken_with_it() -> None:
    asked = Asked(Settings(base_url=URL), "transformers", scored=True)

    async def choose(pilot: Pilot[Any]) -> None:
        asked.picker.answered(MODEL)
        await pilot.press("j", "j", "enter")
        assert "needs a model" in asked.said(".trouble")
        await pilot.press(*"/m", "enter")  # the field has the focus

    assert await ask(asked.picker, act=choose) == Settings(engine="transformers", base_url=URL, model="/m")


async def test_an_engine_that_has_its_model_is_taken() -> None:
    asked = Asked(Settings(model="/m"), "transformers")

    async def choose(pilot: Pilot[Any]) -> None:
        asked.picker.answered(OPENED)
        await pilot.press("j", "j", "enter")

    assert await ask(asked.picker, act=choose) == Settings(engine="transformers", model="/m")


async def test_every_engine_there_is_and_a_long_reason_fit_on_a_small_screen() -> None:
    names = ("llama-server", "llamacpp", "openai-echo", "sglang", "transformers", "vllm")
    reason = " ".join(f"word{number}" for number in range(60)) + " end."
    asked = Asked(Settings(base_url=URL), *names)

    async def look(pilot: Pilot[Any]) -> None:
        for name in asked.names:
            asked.picker.answered(replace(SILENT, name=name, reason=reason))
        await pilot.press("j")
        asked.picker.cost("53 scorings, 21 on disk, about 1,200,000 tokens, 0:40 at 30,000 tokens a second")
        await pilot.pause()
        assert "end." in text_of(pilot.app)
        assert "Doctor" in text_of(pilot.app)
        assert_fits(pilot.app)

    await ask(asked.picker, act=look)


async def test_a_name_of_no_engine_that_is_listed_opens_on_the_first() -> None:
    asked = Asked(Settings(engine="auto", base_url=URL))

    async def choose(pilot: Pilot[Any]) -> None:
        asked.picker.answered(EMBEDDED)
        await pilot.press("enter")

    assert await ask(asked.picker, act=choose) == Settings(engine="embedded", base_url=URL)


@pytest.mark.parametrize(("keys", "taken"), [([], "score-api"), (["j", "j"], "vllm")])
async def test_the_engine_that_was_recognised_is_pointed_at_unless_the_cursor_was_moved(
    keys: list[str], taken: str
) -> None:
    asked = Asked(Settings(engine="auto", base_url=URL), "vllm")

    async def choose(pilot: Pilot[Any]) -> None:
        asked.picker.answered(replace(SERVED, models=()))
        asked.picker.answered(replace(SERVED, name="vllm", models=()))
        await pilot.press(*keys)
        asked.picker.point("score-api")
        asked.picker.point("another")
        await pilot.press("enter")

    assert await ask(asked.picker, act=choose) == Settings(engine=taken, base_url=URL)


async def test_the_doctor_is_asked_about_the_engine_under_the_cursor_as_it_is_set() -> None:
    asked = Asked()

    async def look(pilot: Pilot[Any]) -> None:
        asked.picker.answered(SERVED)
        await pilot.press("j", "d", "tab", "tab", "d", "shift+tab", "shift+tab", "d")

    assert await ask(asked.picker, act=look) is OPEN
    wanted = Settings(engine="score-api", base_url=URL)
    assert asked.doctored == [wanted, wanted.model_copy(update={"model": "d"})]  # in a field, d is a letter


async def test_what_comes_while_it_closes_is_passed_over() -> None:
    asked = Asked()

    async def look(pilot: Pilot[Any]) -> None:
        asked.picker.answered(EMBEDDED)
        await pilot.pause()
        for part in ("#cost", "#about", Listing):
            await asked.picker.query(part).remove()
        assert asked.picker.is_attached
        asked.picker.answered(SILENT)
        asked.picker.cost("5 scorings")
        asked.picker.point("llm")

    await ask(asked.picker, act=look)
