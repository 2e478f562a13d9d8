"""One memory beside the table: its text, its effects along the conversation, and its near duplicates."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container
from textual.reactive import reactive
from textual.widget import Widget

from memscope.base.cells import beginning
from memscope.reports.memories import MemoryReader
from memscope.reports.memory import MemoryDetail
from memscope.tui.colours import Signs
from memscope.tui.panes.memories.told import Beside, effect_bar, told
from memscope.tui.widgets.bars import Bar, Bars, spark
from memscope.tui.widgets.paragraphs import Paragraphs


class Along(Widget):
    """A memory's effects along the whole conversation, on one line."""

    values: reactive[tuple[float | None, ...]] = reactive(())
    plain: reactive[bool] = reactive(False)

    def render(self) -> Text:
        return Text(spark(self.values, self.content_size.width, plain=self.plain), no_wrap=True)


class MemoryPanel(Container):
    """`strongest_first`: the effects are in the order of their size, not in that of the responses."""

    def __init__(self) -> None:
        super().__init__(id="memory")
        self.strongest_first = False
        self._shown: str | None = None

    def compose(self) -> ComposeResult:
        yield Paragraphs(id="memory-text")
        yield Container(*self._effects(), id="memory-effects")

    def _effects(self) -> Iterable[Widget]:
        yield Along(id="memory-along")
        yield Bars(elide=beginning, id="memory-bars")
        yield Bars(labels_first=True, id="memory-near")

    @property
    def bars(self) -> Bars:
        return self.query_one("#memory-bars", Bars)

    @property
    def near(self) -> Bars:
        return self.query_one("#memory-near", Bars)

    def show(self, reader: MemoryReader, detail: MemoryDetail, beside: Beside, signs: Signs, *, plain: bool) -> None:
        """Shows a memory; the effects stand at its strongest when it is another than before."""
        self.query_one(Paragraphs).show(told(reader, detail, beside, plain=plain))
        seen = [found for found in detail.effects if not found.before]
        self.query_one(Along).values = tuple(None if found.before else found.effect for found in detail.effects)
        if self.strongest_first:
            seen.sort(key=lambda found: -abs(found.effect or 0.0))
        missed = len(detail.effects) - len(seen)
        order = "strongest first" if self.strongest_first else "along the conversation"
        self.bars.heading = f"nats, {order}{f'; {missed} came before it' if missed else ''}"
        self.bars.empty = "It comes after the last response." if missed else "There is no response."
        self.bars.show([effect_bar(reader, found, signs) for found in seen])
        if detail.key != self._shown:
            self._shown = detail.key
            if not (detail.strongest and self.bars.select(detail.strongest[0].message)):
                self.bars.move_to(0)
        self.near.display = bool(detail.near)
        self.near.heading = "near duplicates, by words shared"
        self.near.show([Bar(near.key, near.part, f"{near.part:.0%}", key=near.key) for near in detail.near], full=1.0)
