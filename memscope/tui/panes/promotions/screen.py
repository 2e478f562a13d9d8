"""The Promotions pane: what recurs in many sessions, and what a person makes of it: a skill, or nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget

from memscope.actions.embedder import what_is_sent
from memscope.actions.export import write_text
from memscope.actions.promotion_places import place_of
from memscope.base.errors import Cancelled, MemscopeError
from memscope.reports.promotions import PROMOTIONS, PromotionRow
from memscope.tui.keys import key
from memscope.tui.pane import Exported, Written
from memscope.tui.panes.finetune.buckets import BucketLine
from memscope.tui.panes.promotions.acting import Acting
from memscope.tui.panes.promotions.asking import ask_cosine, ask_inputs, ask_sent
from memscope.tui.panes.promotions.deciding import PatternDeciding
from memscope.tui.panes.promotions.detail import PatternDetail
from memscope.tui.panes.promotions.drafting import Drafting
from memscope.tui.panes.promotions.finding import Asked, Finding
from memscope.tui.panes.promotions.help import HELP
from memscope.tui.panes.promotions.rows import columns_of, has_words
from memscope.tui.panes.promotions.told import (
    ALL,
    BUCKETS,
    counts_of,
    head_words,
    how_words,
    why_empty,
)
from memscope.tui.widgets.table import Table
from memscope.tui.widgets.words import Words
from memscope.tui.workspace import Change

if TYPE_CHECKING:
    from memscope.actions.promotions import Found
    from memscope.base.job import Job
    from memscope.promotion.pattern import Member, Pattern
    from memscope.tui.background import Task

_KEPT = "promotions"  # the name under which it is kept how the pane was looked at


class PromotionsScreen(Acting):
    """See the module."""

    NAME = "Promotions"
    OF_THE_OPEN = False
    CSS_PATH = "screen.tcss"
    HELP = HELP

    BINDINGS: ClassVar[list[BindingType]] = [
        key("promotions.view", "v", "view", "View", "The messages of the pattern, or its draft"),
        key("promotions.bucket", "b", "bucket", "Rows", "Which rows: new, grown, draft, accepted, rejected, all"),
        key("promotions.threshold", "t", "cosine", "Threshold", "From which cosine on messages are alike", show=False),
        key("promotions.method", "p", "method", "Method", "Group by the other method: stable, greedy", show=False),
        key("promotions.inputs", "o", "inputs", "Folder", "Look in another folder, or in a file"),
        key("promotions.again", "R", "look_again", "Look again", "Look for patterns again", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._finding: Finding | None = None
        self._asked = Asked()
        self._agreed = ""  # what of the messages may be sent, and where, as it was said to a person
        self._bucket = "new"
        self._kept: object = None  # where was looked the time before
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
        self._kept, method, threshold = kept.get("inputs"), kept.get("method"), kept.get("threshold")
        if self.console.folder is not None:
            inputs: list[Any] = [self.console.folder]
        elif isinstance(self._kept, list):
            inputs = self._kept
        else:
            folder = self.workspace.kept.state("sessions").get("folder")
            inputs = [folder] if folder else []
        self._asked = Asked(
            tuple(Path(one) for one in inputs if isinstance(one, str | Path)),
            "greedy" if method == "greedy" else "stable",
            threshold if isinstance(threshold, float) and 0 < threshold <= 1 else None,
        )
        if (bucket := kept.get("bucket")) in BUCKETS:
            self._bucket = bucket
        if isinstance(agreed := kept.get("agreed"), str):
            self._agreed = agreed
        if isinstance(sort := kept.get("sort"), str):
            self.table.sort_as(sort)

    def changed(self, change: Change) -> None:
        super().changed(change)
        if not self.query(PatternDetail) or not change.loaded:
            return  # not composed yet: everything is told once it is; or about the conversation that is open
        if self._finding is None:
            self.deciding = PatternDeciding(self.workspace, self.skills, self.seen, self._not_decided)
            self.drafting = Drafting(self.console, self.wrote, self.refresh_bindings)
            self._finding = Finding(self.console, self.deciding.show, self._not_found, self._ended)
            self.action_look_again()
        elif self._stale:
            self._show()
        if self.focused is None:
            self.table.focus()

    # What is found.

    def action_look_again(self) -> None:
        """Looks for patterns; where messages would be sent for that, once a person has agreed."""
        sent = what_is_sent(self.workspace.settings)
        if sent and sent != self._agreed:
            self.table.empty = f"Nothing was looked at: {sent}.\nR asks again; , leads to the settings."
            self._head()
            ask_sent(self.console, sent, partial(self._agree, sent))
        elif self._finding is not None:
            self.table.empty = "The messages are being compared.\nx stops that."
            self._finding.start(self._asked, self.skills())
            self._head()
            self.refresh_bindings()

    def _agree(self, sent: str) -> None:
        self._agreed = sent
        self._keep()
        self.action_look_again()

    def _ended(self, found: Found) -> None:
        """All of it was found."""
        if found.trouble:
            self.console.say(f"not all of it was kept: {found.trouble}", "warning")
        self._head()
        self.refresh_bindings()

    def _not_found(self, error: MemscopeError) -> None:
        stopped = isinstance(error, Cancelled)
        if not self.table.rows:
            self.table.empty = "It was not looked to the end.\nR looks again." if stopped else f"{error}\n{_HELPS}"
        if stopped:
            self.console.say("the search was stopped; what was found stays, R looks again")
        else:
            self.console.tell_error(error)
        self._head()
        self.refresh_bindings()

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
            table.empty = why_empty(seen.document, self._bucket)
            shown = [row for row in rows if self._bucket in (ALL, row.state)]
            table.show(columns_of(shown), shown)
        elif self.deciding is not None and self.deciding.trouble is not None:
            table.empty = f"{self.deciding.trouble}\n{_HELPS}"
        self._head()
        self.detail.due()
        self.refresh_bindings()

    def _head(self) -> None:
        """The two lines above the table."""
        seen = self.deciding.seen if self.deciding is not None else None
        document = seen.document if seen is not None else None
        looking = self._finding is not None and self._finding.task is not None
        self.query_one("#promotions-words", Words).tell(head_words(document, self._asked.inputs, looking=looking))
        line = self.query_one(BucketLine)
        line.counts = tuple(counts_of(document.candidates if document is not None else ()).items())
        line.shown, line.more = self._bucket, how_words(document) if document is not None else ""

    @property
    def running(self) -> Task | None:
        tasks = (part.task for part in (self.drafting, self._finding) if part is not None)
        return next(filter(None, tasks), None) or super().running

    def action_cancel(self) -> None:
        if not any(part.cancel() for part in (self.drafting, self._finding) if part is not None):
            super().action_cancel()

    # What is looked for, and which rows are shown.

    def action_inputs(self) -> None:
        ask_inputs(self.console, self._asked.inputs, lambda inputs: self._ask(replace(self._asked, inputs=inputs)))

    def action_cosine(self) -> None:
        ask_cosine(
            self.console, self._asked.threshold, lambda cosine: self._ask(replace(self._asked, threshold=cosine))
        )

    def action_method(self) -> None:
        other = replace(self._asked, method="greedy" if self._asked.method == "stable" else "stable")
        self._ask(other)
        self.console.say(f"grouped by the {other.method} method")

    def _ask(self, asked: Asked) -> None:
        self._asked = asked
        self._keep()
        self.action_look_again()

    def action_bucket(self) -> None:
        self._to_bucket(BUCKETS[(BUCKETS.index(self._bucket) + 1) % len(BUCKETS)])

    def on_bucket_line_picked(self, event: BucketLine.Picked) -> None:
        self._to_bucket(event.bucket)

    def _to_bucket(self, bucket: str) -> None:
        self._bucket = bucket
        self._show()
        self._keep()

    def action_sort(self) -> None:
        self.table.sort_next()

    def on_table_sorted(self) -> None:
        self._keep()
        sort = self.table.sort
        self.console.say("the largest first" if sort is None else sort.words)

    def find_words(self, words: str) -> None:
        deciding = self.deciding
        self.table.filter(has_words(words, deciding.pattern) if words.strip() and deciding is not None else "", words)

    def _keep(self) -> None:
        inputs = [os.fspath(one) for one in self._asked.inputs]
        state: dict[str, Any] = {
            "method": self._asked.method,
            "threshold": self._asked.threshold,
            "bucket": self._bucket,
            "sort": self.table.order,
            "agreed": self._agreed,
        }
        # A folder that the console was opened for is looked at this once.
        self.workspace.kept.keep(_KEPT, state | {"inputs": inputs if self.console.folder is None else self._kept})

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


_HELPS = "R looks again, o looks elsewhere; , shows the settings."
