"""The checks of an engine as they come."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from memscope.engines.checks import Check, Verdict
from memscope.reports.doctor import CheckRow, check_row
from memscope.tui.dialogs.doctor import Doctor, outcome
from tests.tui.dialogs._ask import HOSTILE, OPEN, SMALL, WIDE, ask, assert_fits, has_foreign_controls, text_of


def check(name: str, verdict: Verdict, said: str, do: str = "") -> CheckRow:
    return check_row(Check(name, verdict, said, do))


GOOD = check("ids", "pass", "the id at every position is the one that was sent")
BAD = check("again", "fail", "the same ids scored twice differ by 4.46 nats", "Restart the server without its cache.")
ODD = check("noise", "warn", "0.2 nats")
LEFT = check("length", "skip", "")


@pytest.mark.parametrize("size", [SMALL, WIDE])
async def test_each_check_is_shown_as_it_comes_with_what_to_do(size: tuple[int, int]) -> None:
    dialog = Doctor("vllm at http://127.0.0.1:8000")

    async def look(pilot: Pilot[Any]) -> None:
        assert "Doctor: vllm at http://127.0.0.1:8000" in text_of(pilot.app)
        assert "checking …" in text_of(pilot.app)
        dialog.found(GOOD)
        await pilot.pause()
        assert "✓ ids: the id at every position" in text_of(pilot.app)
        for found in (BAD, ODD, LEFT):
            dialog.found(found)
        dialog.ended()
        await pilot.pause()
        shown = text_of(pilot.app)
        for words in ("✗ again: the same ids", "Restart the server", "! noise: 0.2 nats", "- length", "not to be used"):
            assert words in shown
        assert "checking" not in shown
        assert_fits(pilot.app)

    assert await ask(dialog, act=look, size=size) is OPEN


async def test_what_was_found_before_it_stood_on_the_screen_is_shown_too() -> None:
    dialog = Doctor("vllm")
    dialog.found(GOOD)
    dialog.ended()

    async def look(pilot: Pilot[Any]) -> None:
        assert "✓ ids" in text_of(pilot.app)
        assert "are right" in text_of(pilot.app)

    await ask(dialog, act=look)


async def test_what_kept_the_checks_from_being_made_is_told() -> None:
    dialog = Doctor("vllm")

    async def look(pilot: Pilot[Any]) -> None:
        dialog.ended("http://h: no answer. Is the server running?")
        await pilot.pause()
        assert "no answer. Is the server running?" in text_of(pilot.app)

    await ask(dialog, act=look)


async def test_many_long_checks_are_scrolled() -> None:
    dialog = Doctor("vllm")

    async def look(pilot: Pilot[Any]) -> None:
        for number in range(40):
            dialog.found(check(f"check {number}", "pass", "word " * 40))
        await pilot.press("G")
        await pilot.pause()
        assert "check 39" in text_of(pilot.app)

    await ask(dialog, act=look)


async def test_without_signs_beyond_ascii_the_verdicts_still_differ() -> None:
    dialog = Doctor("vllm", plain=True)

    async def look(pilot: Pilot[Any]) -> None:
        for found in (GOOD, BAD, ODD, LEFT):
            dialog.found(found)
        await pilot.pause()
        lines = str(dialog.query_one("#checks", Static).content).splitlines()
        assert [line[0] for line in lines if not line.startswith(" ")] == ["+", "x", "!", "-"]

    await ask(dialog, act=look)


async def test_what_a_server_says_is_only_text() -> None:
    dialog = Doctor(HOSTILE)

    async def look(pilot: Pilot[Any]) -> None:
        dialog.found(check(HOSTILE, "fail", HOSTILE, HOSTILE))
        dialog.ended(HOSTILE)
        await pilot.pause()
        assert not has_foreign_controls(text_of(pilot.app))

    await ask(dialog, act=look)


async def test_what_comes_after_it_was_closed_is_passed_over() -> None:
    dialog = Doctor("vllm")
    assert await ask(dialog, "escape") is None
    dialog.found(GOOD)
    dialog.ended()


@pytest.mark.parametrize(
    ("checks", "words"),
    [
        ([GOOD, ODD, BAD], "not to be used"),
        ([GOOD, ODD], "will surprise"),
        ([GOOD, LEFT], "are right"),
        ([LEFT], "Nothing could be checked"),
        ([], "Nothing could be checked"),
    ],
)
def test_the_outcome_is_the_worst_of_them(checks: list[CheckRow], words: str) -> None:
    assert words in outcome(checks)
