"""The Insights pane: what sessions teach, by rules and as a chat model sees it, and which of that is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget

from memscope.actions.export import write_text
from memscope.actions.insight_lines import jsonl, prompt_text
from memscope.actions.insight_places import place_of
from memscope.reports.insights import INSIGHTS, InsightRow, InsightsDocument, insights_document
from memscope.tui.keys import key
from memscope.tui.pane import Exported, Written
from memscope.tui.panes.insights.deciding import InsightDeciding
from memscope.tui.panes.insights.detail import InsightDetail
from memscope.tui.panes.insights.evidence import ToEvidence
from memscope.tui.panes.insights.help import HELP
from memscope.tui.panes.insights.looking import Looking
from memscope.tui.panes.insights.reading import Reading
from memscope.tui.panes.insights.rows import (
    ALL,
    BUCKETS,
    KINDS,
    columns_of,
    counts_of,
    has_words,
    kinds_there,
    shown_rows,
)
from memscope.tui.panes.insights.synthesizing import Synthesizing
from memscope.tui.panes.insights.told import READING, head_words, kind_words, why_empty
from memscope.tui.widgets.bucket_line import BucketLine
from memscope.tui.widgets.table import Table
from memscope.tui.widgets.words import Words
from memscope.tui.workspace import Change

if TYPE_CHECKING:
    from memscope.base.job import Job
    from memscope.tui.panes.insights.rows import Bucket, ShownKind

_KEPT = "insights"  # the name under which it is kept how the pane was looked at


class InsightsScreen(Looking):
    """See the module."""

    NAME = "Insights"
    OF_THE_OPEN = False
    CSS_PATH = "screen.tcss"
    HELP = HELP

    BINDINGS: ClassVar[list[BindingType]] = [
        key("insights.view", "v", "view", "View", "Where the insight comes from, or the prompt and its answer"),
        key("insights.bucket", "b", "bucket", "Rows", "Which rows: new, kept, dropped, all"),
        key("insights.kind", "t", "kind", "Kind", "Which kinds: errors, sequences, reasoning, synthesized, all"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._bucket: Bucket = "new"
        self._kind: ShownKind = ALL
        self._stale = False  # something was read while the pane was not shown

    def body(self) -> Iterable[Widget]:
        yield Words(id="insights-words")
        yield BucketLine()
        yield Container(
            Table[InsightRow](identity=lambda row: row.name, id="insights-table"),
            InsightDetail(self, id="insight"),
            id="insights",
        )

    # Coming here.

    def on_mount(self) -> None:
        kept = self.workspace.kept.state(_KEPT)
        self.begin(kept)
        self._bucket = next((one for one in BUCKETS if one == kept.get("bucket")), self._bucket)
        self._kind = next((one for one in KINDS if one == kept.get("kind")), self._kind)
        if isinstance(sort := kept.get("sort"), str):
            self.table.sort_as(sort)

    def changed(self, change: Change) -> None:
        super().changed(change)
        if not self.query(InsightDetail) or not change.loaded:
            return  # not composed yet: everything is told once it is; or about the conversation that is open
        if self.reading is None:
            self.deciding = InsightDeciding(self.workspace, self.seen, self.not_decided)
            self.synthesizing = Synthesizing(self.console, self.said, self._asked)
            self.reading = Reading(self.console, self.found, self.not_found)
            self.deciding.read()  # what is kept is there at once
            self.read()
        else:
            self._as_set(self.reading)
            if self._stale:
                self._show()
        if self.focused is None:
            self.table.focus()

    def _as_set(self, reading: Reading) -> None:
        """The settings may be others."""
        if self.deciding is not None and self.synthesizing is not None:
            reading.as_set(self.deciding.found.looked, self.where)
            self.synthesizing.as_set()
            self._told()

    # What is shown.

    def seen(self) -> None:
        if self.is_current:
            self._show()
        else:
            self._stale = True

    def _asked(self) -> None:
        """Something else is to be shown of the prompt."""
        self.detail.due()
        self.refresh_bindings()
        self.console.refresh_chrome()

    def _show(self) -> None:
        self._stale = False
        deciding, table = self.deciding, self.table
        if deciding is not None and deciding.seen is not None:
            rows, found = deciding.rows, deciding.seen.found
            said = [row for row in rows if row.name in self.pointing] if found is deciding.found else []
            if said:
                self._show_all_of(said)
            if self.is_reading and (not rows or found.looked is None):
                table.empty = READING
            elif found.observed is not None or rows:
                table.empty = why_empty(found, rows, self._bucket, self._kind, self.folders())
            shown = shown_rows(rows, self._bucket, self._kind)
            table.show(columns_of(shown, self._bucket, self._kind), shown)
            if said:
                table.select(said[0].name)
                if self.detail.prompt.has_focus:
                    table.focus()
        elif deciding is not None and deciding.trouble is not None:
            table.empty = str(deciding.trouble)
        self.tell_head()
        self.detail.due()
        self.refresh_bindings()

    def _show_all_of(self, rows: Sequence[InsightRow]) -> None:
        """Has these among the rows that are shown."""
        self.pointing = frozenset()
        if any(self._bucket not in (ALL, row.state) for row in rows):
            self._bucket = ALL if any(row.state != "new" for row in rows) else "new"
        if any(self._kind not in (ALL, row.kind) for row in rows):
            self._kind = ALL

    def tell_head(self) -> None:
        deciding = self.deciding
        if deciding is None:
            return
        looked = deciding.seen.found.looked if deciding.seen is not None else None
        words = head_words(looked, self.where, reading=self.is_reading)
        self.query_one("#insights-words", Words).tell(words)
        line = self.query_one(BucketLine)
        line.counts = tuple(counts_of(deciding.rows, self._kind).items())
        line.shown, line.more = self._bucket, kind_words(self._kind)

    def keep(self) -> None:
        state = {**self.kept(), "bucket": self._bucket, "kind": self._kind, "sort": self.table.order}
        self.workspace.kept.keep(_KEPT, state)

    # Which rows.

    def action_bucket(self) -> None:
        self._look_at(BUCKETS[(BUCKETS.index(self._bucket) + 1) % len(BUCKETS)], self._kind)

    def on_bucket_line_picked(self, event: BucketLine.Picked) -> None:
        self._look_at(next(one for one in BUCKETS if one == event.bucket), self._kind)

    def on_bucket_line_behind(self) -> None:
        self.action_kind()

    def action_kind(self) -> None:
        there = kinds_there(self.deciding.rows if self.deciding is not None else ())
        at = there.index(self._kind) if self._kind in there else -1
        self._look_at(self._bucket, there[(at + 1) % len(there)])

    def _look_at(self, bucket: Bucket, kind: ShownKind) -> None:
        self._bucket, self._kind = bucket, kind
        self._show()
        self.keep()

    def action_sort(self) -> None:
        self.table.sort_next()

    def on_table_sorted(self) -> None:
        self.keep()
        sort = self.table.sort
        self.console.say("kind by kind, the most confident first" if sort is None else sort.words)

    def find_words(self, words: str) -> None:
        self.table.filter(has_words(words) if words.strip() else "", words)

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
        """From the table to what is beside it, and from evidence into its transcript."""
        goal, row = self.detail.evidence.goal, self.row
        if self.table.has_focus or self.focused is None:
            self.detail.enter()
        elif not self.detail.evidence.has_focus or not isinstance(goal, ToEvidence) or row is None:
            self.console.say("nothing here leads anywhere; Esc goes back to the table")
        elif row.name == goal.insight and goal.number < len(row.evidence):
            self.console.read_session(*place_of(row.evidence[goal.number]), f"insight {row.name[:12]}")

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
        keys = "a keeps those, r drops them, f asks about their sessions, y copies them; Esc unmarks"
        self.console.say(f"{count:,} marked: {keys}" if count else "none marked")

    # Taking along.

    def copied(self) -> str | None:
        prompted = self.synthesizing.prompted if self.synthesizing is not None else None
        if self.detail.prompt.has_focus:
            outcome = self.synthesizing.outcome if self.synthesizing is not None else None
            answer = f"\n[answer]\n{outcome.reply}\n" if outcome is not None else ""
            return prompt_text(prompted.document, "txt") + answer if prompted is not None else None
        rows = self.table.marked or [row for row in (self.row,) if row is not None]
        return "\n".join(" ".join(row.text.split("\n")) for row in rows) or None

    def exports(self) -> Sequence[Exported | Written]:
        deciding, synthesizing = self.deciding, self.synthesizing
        if deciding is None or deciding.seen is None:
            return []
        shown, kept = self.table.shown, [row for row in deciding.rows if row.state == "kept"]
        observed, outcome = deciding.seen.found.observed, synthesizing.outcome if synthesizing is not None else None

        def document() -> InsightsDocument:
            about: dict[str, Any] = {"sessions": 0}
            if observed is not None:
                about = {
                    "sessions": len(observed.sessions),
                    "copies": observed.copies,
                    "unread": observed.unread,
                }
            if outcome is not None and outcome.parse_error:
                about |= {"parse_error": outcome.parse_error, "reply": outcome.reply}
            return insights_document(shown, **about)

        def lines(_form: str, path: Path, overwrite: bool, _job: Job) -> str:
            text = "".join(f"{line}\n" for line in jsonl(kept))
            return f"written: {write_text(path, text, overwrite=overwrite)}"

        offered: list[Exported | Written] = [Exported("insights", INSIGHTS, document)]
        offered += [Written("kept", ("jsonl",), lines)] if kept else []
        if synthesizing is not None and synthesizing.prompted is not None:
            prompt = synthesizing.prompted.document

            def write(form: str, path: Path, overwrite: bool, _job: Job) -> str:
                shape: Literal["md", "txt"] = "md" if form == "md" else "txt"
                return f"written: {write_text(path, prompt_text(prompt, shape), overwrite=overwrite)}"

            offered.append(Written("prompt", ("md", "txt"), write))
        return offered

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "export":
            return self.deciding is not None and self.deciding.seen is not None
        if action == "own":
            return self.own is not None
        return super().check_action(action, parameters)
