"""The cell of a what-if under the cursor in words, in as many lines as there are: what matters most comes first."""

from __future__ import annotations

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from memscope.base.cells import beginning, middle
from memscope.base.text import clean_line
from memscope.reports.view import nats, signed
from memscope.reports.whatif import WHOLE, DifferenceCell
from memscope.tui.widgets.detail_view import DetailView

LINES = 4

_STRONG, _QUIET = Style(bold=True), Style(dim=True)


class DifferenceView(DetailView[DifferenceCell]):
    """Shows a `DifferenceCell`."""

    def lines(self, detail: DifferenceCell, width: int, height: int) -> list[Text]:
        found = told(detail, width, plain=self.plain)
        return found[:height] if height != 2 else [found[0], found[-1]]


def told(detail: DifferenceCell, width: int, *, plain: bool = False) -> list[Text]:
    """The cell in lines of at most `width` cells: what it is and what it says, its numbers, and the texts."""
    arrow, between = ("->", ", ") if plain else ("→", " · ")
    end = f" {arrow} #{detail.message}"
    more = beginning(f"  {difference_words(detail, arrow)}", max(0, width - cell_len(end) - 12))
    key = middle(clean_line(detail.key or WHOLE), max(4, width - cell_len(end) - cell_len(more)))
    lines = [Text().append(key + end, _STRONG).append(more)]
    if detail.difference is not None and detail.state == "ok":
        numbers = [
            f"as it was {nats(detail.before or 0.0)}",
            f"without them {nats(detail.after or 0.0)}",
            f"{'change' if detail.key is None else 'difference'} {signed(detail.difference)} nats",
            f"cutoff {nats(detail.cutoff)}",
        ]
        lines.append(Text(beginning(between.join(numbers), width)))
    texts = [("memory", detail.memory)] * (detail.key is not None) + [("response", detail.response)]
    for name, text in texts:
        lines.append(Text().append(f"{name:<9} ", _QUIET).append(beginning(text, max(0, width - 10))))
    return lines


def difference_words(detail: DifferenceCell, arrow: str) -> str:
    """What a cell says, or what stands in the place of its number."""
    if detail.state != "ok" or detail.difference is None:
        return detail.told
    said = f"{signed(detail.difference)} nats ({nats(detail.before or 0.0)} {arrow} {nats(detail.after or 0.0)})"
    if not detail.counts:
        return f"{said}, not beyond the cutoff"
    rises = detail.difference > 0
    if detail.key is None:
        return f"{said}, {'likelier' if rises else 'less likely'} without them"
    return f"{said}, {'takes over' if rises else 'does less now'}"
