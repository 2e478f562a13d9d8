"""The Promotions pane: what recurs in many sessions, and what a person makes of it: a skill, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget

from memscope.actions.export import write_text
from memscope.actions.promotion_places import place_of
from memscope.reports.promotions import PROMOTIONS, PromotionRow
from memscope.tui.keys import key
from memscope.tui.pane import Exported, Written
from memscope.tui.panes.promotions.deciding import PatternDeciding
from memscope.tui.panes.promotions.detail import PatternDetail
from memscope.tui.panes.promotions.drafting import Drafting
from memscope.tui.panes.promotions.finding import Finding
from memscope.tui.panes.promotions.help import HELP
from memscope.tui.panes.promotions.looking import Looking
from memscope.tui.panes.promotions.rows import columns_of, has_words
from memscope.tui.panes.promotions.told import (
    ALL,
    BUCKETS,
    HELPS,
    counts_of,
    head_words,
    how_words,
    why_empty,
)
from memscope.tui.widgets.bucket_line import BucketLine
from memscope.tui.widgets.table import Table
from memscope.tui.widgets.words import Words
from memscope.tui.workspace import Change

if TYPE_CHECKING:
    from memscope.base.job import Job
    from memscope.promotion.pattern import Member, Pattern

_KEPT = "promotions"  # the name under which it is kept how the pane was looked at


class PromotionsScreen(Looking):
    """See the module."""

    NAME = "Promotions"
    OF_THE_OPEN = False
    CSS_PATH = "screen.tcss"
    HELP = HELP

    BINDINGS: ClassVar[list[BindingType]] = [
        key("promotions.view", "v", "view", "View", "The messages of the pattern, or its draft"),
        key("promotions.bucket", "b", "bucket", "Rows", "Which rows: new, grown, draft, accepted, rejected, all"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._bucket = "new"
        self._stale = False  # something was read while the pane was not shown

    def body(self) -> Iterable[Widget]:
        yield Words(id="promotions-words")
        yield BucketLine()
        yield Container(
            Table[PromotionRow](identity=lambda row: row.signature, id="promotions-table"),
            PatternDetail(self, id="promotion"),
            id="promotions",
        )

    # Coming here.

    def on_mount(self) -> None:
        kept = self.workspace.kept.state(_KEPT)
        self.begin(kept)
        if (bucket := kept.get("bucket")) in BUCKETS:
            self._bucket = bucket
        if isinstance(sort := kept.get("sort"), str):
            self.table.sort_as(sort)

    def changed(self, change: Change) -> None:
        super().changed(change)
        if not self.query(PatternDetail) or not change.loaded:
            return  # not composed yet: everything is told once it is; or about the conversation that is open
        if self.finding is None:
            self.deciding = PatternDeciding(self.workspace, self.skills, self.seen, self._not_decided)
            self.drafting = Drafting(self.console, self.wrote, self.refresh_bindings)
            self.finding = Finding(self.console, self.deciding.show, self.not_found, self.ended)
            self.look()
        elif self._stale:
            self._show()
        if self.focused is None:
            self.table.focus()

    # What is shown.

    def seen(self) -> None:
        """What was found, or decided, was read anew."""
        if self.is_current:
            self._show()
        else:
            self._stale = True

    def _show(self) -> None:
        self._stale = False
        seen, table = self.deciding.seen if self.deciding is not None else None, self.table
        if seen is not None:
            rows = seen.document.candidates
            table.empty = why_empty(seen.document, self._bucket, seen.inputs, self.folders())
            shown = [row for row in rows if self._bucket in (ALL, row.state)]
            table.show(columns_of(shown), shown)
        elif self.deciding is not None and self.deciding.trouble is not None:
            table.empty = f"{self.deciding.trouble}\n{HELPS}"
        self.tell_head()
        self.detail.due()
        self.refresh_bindings()

    def tell_head(self) -> None:
        """The two lines above the table."""
        seen = self.deciding.seen if self.deciding is not None else None
        document = seen.document if seen is not None else None
        shown = seen.inputs if seen is not None else ()
        words = head_words(document, shown, self.inputs, looking=self.looking)
        self.query_one("#promotions-words", Words).tell(words)
        line = self.query_one(BucketLine)
        line.counts = tuple(counts_of(document.candidates if document is not None else ()).items())
        line.shown, line.more = self._bucket, how_words(document) if document is not None else ""

    def keep(self) -> None:
        state = {**self.kept(), "bucket": self._bucket, "sort": self.table.order}
        self.workspace.kept.keep(_KEPT, state)

    # Which rows.

    def action_bucket(self) -> None:
        self._to_bucket(BUCKETS[(BUCKETS.index(self._bucket) + 1) % len(BUCKETS)])

    def on_bucket_line_picked(self, event: BucketLine.Picked) -> None:
        self._to_bucket(event.bucket)

    def _to_bucket(self, bucket: str) -> None:
        self._bucket = bucket
        self._show()
        self.keep()

    def action_sort(self) -> None:
        self.table.sort_next()

    def on_table_sorted(self) -> None:
        self.keep()
        sort = self.table.sort
        seen = self.deciding.seen if self.deciding is not None else None
        is_greedy = seen is not None and seen.document.method == "greedy"
        found = "in the order in which the groups began" if is_greedy else "the largest first"
        self.console.say(found if sort is None else sort.words)

    def find_words(self, words: str) -> None:
        deciding = self.deciding
        self.table.filter(has_words(words, deciding.pattern) if words.strip() and deciding is not None else "", words)

    # What is pointed at.

    def on_line_scroll_moved(self, event: Table.Moved) -> None:
        if event.lines is self.table:
            self.detail.due()

    def on_line_scroll_chosen(self, event: Table.Chosen) -> None:
        event.lines.focus()
        self.action_deeper()

    def action_view(self) -> None:
        self.detail.turn()

    def action_deeper(self) -> None:
        """From the table to what is beside it, and from a message into its transcript."""
        if self.table.has_focus or self.focused is None:
            self.detail.enter()
        elif (found := self.member) is not None:
            self._read(*found)
        else:
            self.console.say("nothing here leads anywhere; Esc goes back to the table")

    def _read(self, pattern: Pattern, member: Member) -> None:
        place = place_of(member)
        if place is None:
            self.console.say("this message came from a file of rows: there is no transcript to lead to")
        else:
            self.console.read_session(*place, f"pattern {pattern.signature[:12]}")

    def inner_back(self) -> bool:
        if self.table.unmark():
            return True
        if self.table.has_focus or self.focused is None:
            return False
        self.table.focus()
        return True

    def action_mark(self) -> None:
        self.table.toggle_mark()

    def on_table_marked(self) -> None:
        count = len(self.table.marked)
        self.console.say(f"{count:,} marked: r rejects those, y copies them; Esc unmarks" if count else "none marked")

    # Taking along.

    def copied(self) -> str | None:
        if self.detail.draft.has_focus:
            return self.detail.draft.text or None
        if (found := self.member) is not None:
            return found[1].text
        rows = self.table.marked or [row for row in (self.row,) if row is not None]
        return "\n".join(row.signature for row in rows) or None

    def exports(self) -> Sequence[Exported | Written]:
        seen = self.deciding.seen if self.deciding is not None else None
        if seen is None:
            return []
        offered: list[Exported | Written] = [Exported("promotions", PROMOTIONS, lambda: seen.document)]
        make = self.detail.drafted(self.row) if self.row is not None else None
        if make is not None:
            draft = make

            def write(_form: str, path: Path, overwrite: bool, _job: Job) -> str:
                return f"written: {write_text(path, draft().text, overwrite=overwrite)}"

            offered.append(Written("draft", ("md",), write))
        return offered

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "export":
            return self.deciding is not None and self.deciding.seen is not None
        return super().check_action(action, parameters)
