"""The matrix for a terminal: a grid of memories by responses, and its strongest cells in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text

from memscope.actions.explain import explain_strongest
from memscope.base.cells import middle
from memscope.base.text import clean_line
from memscope.cli.colours import effect_style
from memscope.reports.cell import CellDetail
from memscope.reports.matrix import MatrixDocument, glyph
from memscope.reports.noise import noise_words
from memscope.reports.remarks import Remarks, remarks
from memscope.reports.view import nats

if TYPE_CHECKING:
    from memscope.attribution.matrix import MatrixRun
    from memscope.cli.session import Session

_SIGNS = frozenset("· …+-")
_EXPLAINED = 5
_IDLE = 6  # memories without effect that are named
_TELLING = 0.1  # of a cell's effect: what one word must carry to be named
_AGAINST = "either the memory misled, or the response did not follow it"
_KEY_WIDTH = 28
_TOTAL_WIDTH = 8


def print_matrix(opened: Session, run: MatrixRun, document: MatrixDocument) -> None:
    """The grid, as many responses as fit, and below it the strongest cells explained."""
    console = opened.console
    console.heading(opened.heading(document.reason))
    if document.reason is not None:
        return
    width = console.screen().width
    console.text(*_grid(document, width), *_legend(opened, document))
    with console.job() as job:
        cells = explain_strongest(run, opened.scorer, job, threshold=opened.settings.threshold, count=_EXPLAINED)
    if cells:
        console.text("", Text("strongest", style="bold"))
    for cell in cells:
        console.text(*_explained(cell, width))
    if told := _told(remarks(document)):
        console.text("", *told)


def _grid(document: MatrixDocument, width: int) -> list[Text]:
    keys = [clean_line(memory.key) for memory in document.memories]
    label = min(max(map(cell_len, keys)), max(_KEY_WIDTH, width // 4), max(8, width * 2 // 5))
    signs = [
        [
            glyph(effect, state, response.cutoff)
            for effect, state, response in zip(effects, states, document.responses, strict=True)
        ]
        for effects, states in zip(document.effects, document.states, strict=True)
    ]
    heads = [f"#{response.message}" for response in document.responses]
    widths = [max(map(len, (head, *column))) for head, column in zip(heads, zip(*signs, strict=True), strict=True)]
    shown = _fitting(document, widths, width - label - _TOTAL_WIDTH - 2)
    lines = [Text(" " * label + "  ").append("total".rjust(_TOTAL_WIDTH), "dim")]
    for column in shown:
        lines[0].append(heads[column].rjust(widths[column] + 1), "dim")
    for row, memory in enumerate(document.memories):
        total = "×" if memory.total is None else nats(memory.total)
        line = Text(set_cell_size(middle(keys[row], label), label) + "  ").append(total.rjust(_TOTAL_WIDTH), "bold")
        for column in shown:
            effect, text = document.effects[row][column], signs[row][column]
            line.append(" ").append(text.rjust(widths[column]), _style(effect, text))
        lines.append(line)
    hidden = len(heads) - len(shown)
    if hidden:
        lines.append(Text(f"{hidden} responses with less at stake are not shown; --format csv has them all", "dim"))
    return lines


def _fitting(document: MatrixDocument, widths: list[int], room: int) -> list[int]:
    """The columns that fit, those where memories did most, in the conversation's order."""
    order = sorted(range(len(widths)), key=lambda c: (-_stake(document, c), c))
    kept: list[int] = []
    for column in order:
        if room < widths[column] + 1:
            break
        room -= widths[column] + 1
        kept.append(column)
    return sorted(kept)


def _stake(document: MatrixDocument, column: int) -> float:
    return max((abs(row[column] or 0.0) for row in document.effects), default=0.0)


def _style(effect: float | None, text: str) -> Style:
    if text == "×":
        return Style(color="red", bold=True)
    return Style(dim=True) if effect is None or text in _SIGNS else effect_style(effect)


def _legend(opened: Session, document: MatrixDocument) -> list[Text]:
    n, m, cost = len(document.memories), len(document.responses), document.cost
    kept = f", {cost.from_store} from disk" if cost.from_store else ""
    failed = "; × failed" if any("failed" in row for row in document.states) else ""
    capabilities = opened.scorer.engine.capabilities
    return [
        Text(),
        Text(f"nats; + - under half a nat; · below the cutoff; blank: the memory came later{failed}", "dim"),
        Text(f"{n} memories x {m} responses, {cost.scorings} scorings{kept}, {cost.seconds:.1f} s", "dim"),
        Text(f"{capabilities.label}, {noise_words(document.noise)}. {capabilities.limits}".rstrip(), "dim"),
    ]


def _explained(cell: CellDetail, width: int) -> list[Text]:
    effect = cell.effect or 0.0
    share = cell.share is not None and cell.share <= 1 and f", {cell.share:.0%} of what all memories gave it"
    telling = cell.word and abs(cell.word_effect) >= _TELLING * abs(effect)
    word = f", most on {cell.word!r} ({cell.word_effect:+.1f})" if telling else ""
    how = "leans on" if effect > 0 else "is less likely with" if cell.spread else "goes against"
    head = Text(f"#{cell.message} {how} ").append(clean_line(cell.key), "bold")
    head.append(f": {effect:+.1f} nats{share or ''}{word}")
    lines = [Text(f"    memory    {cell.memory}"), Text(f"    response  {cell.response}")]
    if effect < 0:
        why = "no few words carry it: a long text makes all others a little less likely" if cell.spread else _AGAINST
        lines.append(Text(f"    {why}", "dim"))
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return [head, *lines]


def _told(found: Remarks) -> list[Text]:
    said = []
    if (row := found.shared) is not None and row.gap is not None and row.stripped is not None:
        gap, all_of_them = nats(row.gap), nats(row.stripped)
        said.append(f"#{row.message}: {gap} of {all_of_them} nats come from what several memories share, not any alone")
    if found.idle:
        keys = ", ".join(middle(clean_line(key), _KEY_WIDTH) for key in found.idle[:_IDLE])
        said.append(f"under one nat everywhere: {keys}{', ...' if len(found.idle) > _IDLE else ''}")
    return [Text(line) for line in said]
