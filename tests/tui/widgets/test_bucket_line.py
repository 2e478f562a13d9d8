"""The line of buckets: each with its number, what is said behind cut to the room there is, and a click that chooses."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from memscope.tui.widgets.bucket_line import BucketLine


class OneLine(App[None]):
    """The line alone."""

    def __init__(self) -> None:
        super().__init__()
        self.picked: list[str] = []

    def compose(self) -> ComposeResult:
        yield BucketLine()

    def on_bucket_line_picked(self, event: BucketLine.Picked) -> None:
        self.picked.append(event.bucket)

    def on_bucket_line_behind(self) -> None:
        self.picked.append("(behind)")


@pytest.mark.parametrize(
    ("width", "behind"), [(70, "stable 0.85 · a model with a long name"), (40, "stable 0.85 · a…"), (26, "")]
)
async def test_what_is_said_behind_is_cut_to_the_room_there_is(width: int, behind: str) -> None:
    app = OneLine()
    async with app.run_test(size=(width, 3)) as pilot:
        line = app.query_one(BucketLine)
        line.counts, line.shown, line.more = (
            (("new", 3), ("accepted", 12)),
            "new",
            "stable 0.85 · a model with a long name",
        )
        await pilot.pause()
        assert " ".join(line.render().plain.split()) == f"3 new 12 accepted {behind}".strip()


async def test_a_click_chooses_a_bucket_or_what_is_said_behind() -> None:
    app = OneLine()
    async with app.run_test(size=(60, 3)) as pilot:
        app.query_one(BucketLine).counts = (("new", 3), ("accepted", 12))
        await pilot.pause()
        for place in (3, 12, 40):
            await pilot.click(BucketLine, offset=(place, 0))
        assert app.picked == ["new", "accepted"]
        app.query_one(BucketLine).counts, app.query_one(BucketLine).more = (("new", 20_000),), "all kinds (t)"
        await pilot.pause()
        assert app.query_one(BucketLine).render().plain.split()[0] == "20,000"
        for place in (30, 55):
            await pilot.click(BucketLine, offset=(place, 0))
        assert app.picked == ["new", "accepted", "(behind)"]
