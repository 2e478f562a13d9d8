"""The list of redundant pairs."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from memscope.reports.redundancy import PairResponse, PairRow
from memscope.tui.dialogs.pairs import PairsDialog
from tests.tui.dialogs._ask import HOSTILE, SMALL, WIDE, ask, has_foreign_controls, text_of


def pair(one: str, other: str, *messages: int, text: str = "never use tabs", needed: tuple[int, ...] = ()) -> PairRow:
    return PairRow(
        keys=[one, other],
        responses=[PairResponse(message=message, joint=2.0 + message, singles=[0.0, 0.25]) for message in messages],
        excess=3.5,
        shared_words=["never", "tabs"],
        shared_text=text,
        keep=one,
        drop=[other],
        needed=list(needed),
        chars=120,
        tokens=31,
    )


@pytest.mark.parametrize("size", [SMALL, WIDE])
async def test_the_pair_under_the_cursor_is_told(size: tuple[int, int]) -> None:
    pairs = [pair("a", "b", 4, 9, needed=(12,)), pair("c", "d", 4)]
    seen: list[str] = []

    async def look(pilot: Pilot[object]) -> None:
        seen.append(text_of(pilot.app))
        await pilot.press("down")
        await pilot.pause()
        seen.append(text_of(pilot.app))

    await ask(PairsDialog(pairs, untried=3), act=look, size=size)

    assert "3 more pairs" in seen[0]
    assert "Go there" in seen[0]
    assert "keep a, drop b: saves 31 tokens; but #12 needs it for itself" in seen[0]
    assert "most in #9: 11.0 nats together, 0 and 0.25 one by one; also in #4" in seen[0]
    assert "shared: “never use tabs”" in seen[0]
    assert "keep c, drop d" in seen[1]
    assert "keep a, drop b" not in seen[1]


async def test_enter_takes_the_memory_to_drop_and_escape_none() -> None:
    pairs = [pair("a", "b", 4), pair("c", "d", 4)]

    assert await ask(PairsDialog(pairs), "down", "enter") == "d"
    assert await ask(PairsDialog(pairs), "escape") is None


async def test_where_there_is_none_it_says_so() -> None:
    async def look(pilot: Pilot[object]) -> None:
        assert "No memory stands in for another" in text_of(pilot.app)

    assert await ask(PairsDialog([]), act=look) is not None  # it is open still


async def test_what_stands_in_a_transcript_cannot_act() -> None:
    async def look(pilot: Pilot[object]) -> None:
        shown = text_of(pilot.app)
        assert not has_foreign_controls(shown)
        assert "[/red]" in shown

    await ask(PairsDialog([pair(HOSTILE, HOSTILE, 1, text=HOSTILE)]), act=look)
