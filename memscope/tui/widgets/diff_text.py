"""Two texts as one: what both have, what only the first has struck through, what only the second has underlined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual.strip import Strip

from memscope.reports.alternate import Segment
from memscope.tui.widgets.paragraphs import LONGEST, Paragraph, Paragraphs
from memscope.tui.widgets.wrapping import Row, wrapped


class DiffText(Paragraphs):
    """Shows a difference by `show_diff`, or words in its place by `show`. Where signs are ASCII alone (`plain`), what
    was removed stands between [- and -], what was added between {+ and +}."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"diff--removed", "diff--added"}

    DEFAULT_CSS = """
    DiffText {
        & > .diff--removed { color: $text-error; text-style: strike; }
        & > .diff--added { color: $text-success; text-style: underline; }
    }
    """

    def __init__(self, *, plain: bool = False, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.plain = plain
        self._heading: tuple[Paragraph, ...] = ()
        self._segments: tuple[Segment, ...] | None = None
        self._text = ""
        self._edges: list[tuple[int, int, str]] = []  # [start, end) of the text, and what became of it
        self._rows: list[Row] = []
        self._marked = False

    def show(self, paragraphs: Sequence[Paragraph]) -> None:
        self._segments, self._rows = None, []
        super().show(paragraphs)

    def show_diff(self, heading: Sequence[Paragraph], segments: Sequence[Segment]) -> None:
        """Shows a difference under a heading, from its beginning if it is another than before."""
        if (tuple(heading), tuple(segments)) == (self._heading, self._segments) and self._marked == self.plain:
            return
        self._heading, self._segments = tuple(heading), tuple(segments)
        self._paragraphs, self._marked = (), self.plain
        self._text, self._edges = "", []
        for segment in segments:
            start = len(self._text)
            self._text += _between(segment) if self.plain else segment.text
            self._edges.append((start, len(self._text), segment.op))
        self._text = self._text[:LONGEST]
        self._wrap()
        self.scroll_to(y=0, animate=False, force=True)

    def _wrap(self) -> None:
        if self._segments is not None:
            self._paragraphs = self._heading
        super()._wrap()
        self._rows = [] if self._segments is None else wrapped(self._text, self._wrapped_to)
        self.rows_changed()

    @property
    def row_count(self) -> int:
        return len(self._lines) + len(self._rows)

    def draw_row(self, row: int, width: int) -> Strip:
        if row < len(self._lines):
            return super().draw_row(row, width)
        here = self._rows[row - len(self._lines)]
        pieces: list[tuple[str, Style | None]] = []
        at = 0
        for start, end, op in self._edges:
            if op == "same" or start >= here.end or end <= here.start:
                continue
            first, last = here.places(start, end)
            pieces.append((here.shown[at:first], None))
            pieces.append((here.shown[first:last], self.style_of(f"diff--{op}")))
            at = last
        return self.strip(*pieces, (here.shown[at:], None))


def _between(segment: Segment) -> str:
    if segment.op == "same":
        return segment.text
    return f"[-{segment.text}-]" if segment.op == "removed" else f"{{+{segment.text}+}}"
