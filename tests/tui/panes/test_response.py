"""What is said of one response, from its document alone."""

from pathlib import Path

from memscope.actions.kept import Kept
from memscope.actions.open import Opened, Opening
from memscope.attribution.matrix import NOT_VISIBLE
from memscope.base.settings import Settings
from memscope.reports.response import (
    Explained,
    FailedMemory,
    ImportantMemory,
    ResponseDocument,
    Selection,
)
from memscope.tui.colours import SIGNS
from memscope.tui.panes.responses.response import Item, bars_heading, bars_of, memory_words, no_bars
from memscope.tui.workspace import Workspace
from tests.fakes import office


def important(key: str, effect: float) -> ImportantMemory:
    return ImportantMemory(key=key, effect=effect, per_token=effect / 4, share=0.5 if effect > 0 else None, text="…")


DOCUMENT = ResponseDocument(
    message=8,
    text="Installed with pnpm; deploy on Monday.",
    important=[important("late", 12.5)],
    against=[important("tabs", -3.0)],
    failed=[FailedMemory(key="pnpm", error="the server\x1b refuses")],
    heat=[],
    already_said=[Explained(key="pnpm", message=5)],
    stripped=25.0,
    noise=0.25,
    cutoff=0.75,
)


def test_bars_are_effects_then_what_explains_or_lacks_them() -> None:
    bars = bars_of(DOCUMENT, SIGNS)
    assert [(bar.label, bar.value, bar.text) for bar in bars] == [
        ("late", 12.5, "+12.5"),
        ("tabs", -3.0, "-3.00"),
        ("pnpm", None, "said in #5"),
        ("pnpm", None, "× failed"),
    ]
    assert len({bar.key for bar in bars}) == 4


def test_what_is_said_of_a_bar() -> None:
    talk = office()

    def words(item: Item) -> str:
        return memory_words(talk, DOCUMENT, item)

    assert words(Item("effect", "late")) == "50% of what all gave, 3.12 a token. “Deploy on Mondays only.”"
    assert words(Item("effect", "tabs")).startswith("Less likely with it: did the memory mislead, or")
    assert words(Item("said", "pnpm", 5)).startswith("Already said in response #5")
    assert words(Item("failed", "pnpm")).startswith("Could not be scored: the server␛ refuses (R tries again)")


def test_a_memory_that_will_fail_again_is_not_said_to_be_tried_again() -> None:
    talk = office()
    failed = [
        FailedMemory(key="pnpm", error="retokenised: other tokens", again=False),
        FailedMemory(key="late", error=NOT_VISIBLE, again=False),
    ]
    document = DOCUMENT.model_copy(update={"failed": failed})

    retokenised, unseen = (memory_words(talk, document, Item("failed", key)) for key in ("pnpm", "late"))
    assert retokenised == "Could not be measured: retokenised: other tokens. “Install packages with pnpm.”"
    assert unseen.startswith(f"Could not be measured: {NOT_VISIBLE}. The setting fold (--fold memories")
    assert "R tries again" not in retokenised + unseen


def test_the_heading_has_the_numbers_of_the_response() -> None:
    assert bars_heading(DOCUMENT, None, tokens=True) == "nats on #8, all 25.0, cutoff 0.75 (noise 0.25)"
    selection = Selection(start=0, end=9, text="Installed", spans=[(0, 9)])
    document = DOCUMENT.model_copy(update={"selection": selection})
    assert bars_heading(document, None, tokens=True) == "for “Installed”"
    assert "on all of the response" in bars_heading(document, None, tokens=False)


def test_why_there_are_no_bars() -> None:
    space = Workspace(Settings(store=False), Kept(None))
    assert no_bars(space, None) == ""
    talk = office()
    space.opened = Opened(Opening(Path("none.json")), talk, talk, talk)
    nothing = DOCUMENT.model_copy(update={"important": [], "against": []})
    assert no_bars(space, None) == "…"
    assert no_bars(space, nothing).startswith("No memory mattered to this response above 0.75 nats.")
    assert no_bars(space, nothing.model_copy(update={"reason": "it broke"})).startswith("it broke\nR tries again")
    missing = nothing.model_copy(update={"left_out": 2})
    assert "w scores this response alone" in no_bars(space, missing)
    space.phase = "running"
    assert no_bars(space, missing) == "Being scored: 2 of 3 memories are still to come."
