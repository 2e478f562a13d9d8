"""The cell under the cursor in words, in as many lines as there are: what matters most comes first."""

from __future__ import annotations

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from memscope.base.cells import beginning, middle
from memscope.base.text import clean_line
from memscope.reports.cell import CellDetail
from memscope.reports.view import nats, signed
from memscope.tui.widgets.detail_view import DetailView

AGAINST = "either the memory misled, or the response did not follow it"
SPREAD = "no few words carry it: a long text makes all others a little less likely"
LINES = 5

_STRONG, _QUIET = Style(bold=True), Style(dim=True)
_WORD = Style(bold=True, underline=True)


class CellView(DetailView[CellDetail]):
    """Shows a `CellDetail`."""

    def lines(self, detail: CellDetail, width: int, height: int) -> list[Text]:
        return told(detail, width, height, plain=self.plain)


def told(detail: CellDetail, width: int, height: int, *, plain: bool = False) -> list[Text]:
    """The cell in at most `height` lines of at most `width` cells."""
    memory = _excerpt("memory", detail.memory, width)
    response = _excerpt("response", detail.response, width, detail.word_at)
    title = _title(detail, width, numbers=height < 3, plain=plain)
    if height < 3:
        return [title, response][:height]
    numbers = _line(_numbers(detail, plain=plain), width)
    why = _line(reading(detail), width, _QUIET)
    return [title, numbers, response][:height] if height < 4 else [title, numbers, memory, response, why][:height]


def effect_words(detail: CellDetail) -> str:
    """The effect as a person reads it, or what stands in its place."""
    if detail.state != "ok" or detail.effect is None:
        return detail.told
    return f"{signed(detail.effect)} nats"


def reading(detail: CellDetail) -> str:
    """What the memory is to the response, where that was asked for; what the number can mean, or the word that carries
    it."""
    return "; ".join(filter(None, (detail.verdict_told, _meaning(detail))))


def _meaning(detail: CellDetail) -> str:
    if detail.state != "ok" or detail.effect is None:
        return ""
    if not detail.counts:
        return f"not beyond the cutoff of {nats(detail.cutoff)} nats: not to be told from noise"
    most = f"most on {detail.word!r} ({signed(detail.word_effect)})" if detail.word and not detail.spread else ""
    if detail.effect > 0:
        return SPREAD if detail.spread and not most else most
    return f"{most}; {AGAINST}" if most else SPREAD if detail.spread else AGAINST


def _numbers(detail: CellDetail, *, plain: bool) -> str:
    if detail.state != "ok" or detail.effect is None:
        return detail.told
    said = [effect_words(detail)]
    if detail.verdict is not None:
        said.append(detail.verdict)
    if detail.per_token is not None:
        said.append(f"{signed(detail.per_token)} per token")
    if detail.share is not None:
        said.append(f"share {detail.share:.0%}")
    said.append(f"noise {nats(detail.noise)}" if detail.noise is not None else "noise not measured")
    said += [f"cutoff {nats(detail.cutoff)}", detail.told]
    return (", " if plain else " · ").join(said)


def _title(detail: CellDetail, width: int, *, numbers: bool, plain: bool) -> Text:
    end = f" {'->' if plain else '→'} #{detail.message}"
    more = f"  {effect_words(detail)}" if numbers else ""
    if numbers and detail.verdict is not None:
        more += f", {detail.verdict}"
    if numbers and detail.share is not None:
        more += f", {detail.share:.0%}"
    if numbers and detail.word and detail.counts and not detail.spread:
        more += f", most on {detail.word!r}"
    more = beginning(more, max(0, width - cell_len(end) - 12))
    key = middle(clean_line(detail.key), max(4, width - cell_len(end) - cell_len(more)))
    return Text().append(key + end, _STRONG).append(more)


def _excerpt(name: str, text: str, width: int, at: tuple[int, int] | None = None) -> Text:
    """A text on one line, its word at `at` marked and seen: what stands before it gives way."""
    head, room = f"{name:<9} ", max(0, width - 10)
    if at is not None and cell_len(text[: at[1]]) > room:
        cut = max(0, at[0] - room // 3)
        text, at = "…" + text[cut + 1 :] if cut else text, (at[0] - cut, at[1] - cut)
    line = Text().append(head, _QUIET).append(beginning(text, room))
    if at is not None:
        line.stylize(_WORD, len(head) + at[0], len(head) + at[1])
    return line


def _line(text: str, width: int, style: Style | None = None) -> Text:
    return Text(beginning(text, width), style or "")
