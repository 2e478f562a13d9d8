"""The memories that stand in for each other: which to keep, what dropping the others saves, and the text they share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from memscope.base.text import clean, counted, preview
from memscope.reports.redundancy import PairRow, pair_rows, pair_words
from memscope.reports.view import nats
from memscope.tui.dialogs.dialog import CLOSING, Dialog, said
from memscope.tui.keys import key
from memscope.tui.widgets.lines import LineScroll
from memscope.tui.widgets.listing import Line, Listing

if TYPE_CHECKING:
    from memscope.tui.app import MemscopeApp

_PLACES = 6  # responses that are named
_TEXT = 300  # characters


class PairsDialog(Dialog[str | None]):
    """Rows of pairs, the strongest first. The answer is the key of a memory that could be dropped. `untried`: how many
    more might be pairs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("dialog.lead", "enter", "screen.deeper", "Go there", "To the memory that could be dropped")
    ]

    def __init__(self, pairs: Sequence[PairRow], untried: int = 0) -> None:
        super().__init__("Memories that stand in for each other", classes="-whole")
        self._pairs, self._untried = pairs, untried

    def body(self) -> Iterable[Widget]:
        if not self._pairs:
            yield said("No memory stands in for another in any response. t changes the threshold, V then tries again.")
        elif self._untried:
            yield said(f"{counted(self._untried, 'more pair')}, which could do less for each other, were not tried.")
        yield Listing([Line(_texts(pair)) for pair in self._pairs], wide=0)
        yield Static(id="pair", classes="words")

    def on_mount(self) -> None:
        self.query_one(Listing).focus()
        self._tell()

    def on_line_scroll_moved(self, _: LineScroll.Moved) -> None:
        self._tell()

    def _tell(self) -> None:
        """What the pair under the cursor is."""
        chosen = self.query_one(Listing).chosen
        with CLOSING:
            self.query_one("#pair", Static).update(
                Content(clean(_told(self._pairs[chosen]) if chosen is not None else ""))
            )

    def action_deeper(self) -> None:
        chosen = self.query_one(Listing).chosen
        if chosen is not None:
            self.dismiss(self._pairs[chosen].drop[0])

    def on_line_scroll_chosen(self, _: LineScroll.Chosen) -> None:
        self.action_deeper()


def show_pairs(console: MemscopeApp) -> None:
    """Lists the pairs of the run, which are looked for first where that has not been done; one leads to its memory."""
    screened, space = console.screened, console.workspace

    def compare() -> None:
        reader, tokens, conversation = screened.reader, screened.tokens, space.conversation
        if reader is None or conversation is None:
            return

        def show(rows: list[PairRow]) -> None:
            if space.conversation is conversation and not isinstance(console.screen, Dialog):
                console.push_screen(PairsDialog(rows, reader.screen.untried), chosen)

        space.background.start(
            "pairs", "comparing pairs", lambda _: pair_rows(conversation, reader, tokens), show, console.tell_error
        )

    def chosen(key: str | None) -> None:
        if key is not None:
            console.go("memories", memory=key)

    screened.start(compare)


def _texts(pair: PairRow) -> tuple[str, ...]:
    saved = f"{pair.tokens} tokens" if pair.tokens is not None else f"{pair.chars} chars"
    return " = ".join([pair.keep, *pair.drop]), f"{nats(pair.excess)} nats", saved


def _told(pair: PairRow) -> str:
    """What can be done, where they stand in for each other, and what they share."""
    found = sorted(pair.responses, key=lambda response: -response.joint)
    singles = " and ".join(map(nats, found[0].singles))
    numbers = f"most in #{found[0].message}: {nats(found[0].joint)} nats together, {singles} one by one"
    also = ", ".join(f"#{one.message}" for one in found[1 : _PLACES + 1])
    more = f" and {len(found) - _PLACES - 1} more" if len(found) > _PLACES + 1 else ""
    shared = f"shared: “{preview(pair.shared_text, _TEXT)}”" if pair.shared_text else "no word in common"
    words = f"words: {preview(', '.join(pair.shared_words), _TEXT)}" if pair.shared_words else ""
    where = f"{numbers}{f'; also in {also}{more}' if also else ''}"
    return "\n".join(filter(None, (preview(pair_words(pair), _TEXT), where, shared, words)))
