"""The Fine-tune pane: responses worth training on, worked through one key a decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget

from memscope.actions.triage import Verdict, known_of
from memscope.conversation.render import response_text
from memscope.reports.candidates import (
    BUCKETS,
    Candidate,
    CandidateReader,
    bucket_counts,
    candidate_columns,
    chosen_candidates,
    steps,
)
from memscope.reports.finetune import FINETUNE
from memscope.reports.worth import limit_words
from memscope.tui.deciding import DecidingScreen, back_to
from memscope.tui.keys import key
from memscope.tui.pane import RETRY, WINDOWS, Exported, Written
from memscope.tui.panes.finetune.asking import accepted_lines, ask_note, ask_target, ask_worth
from memscope.tui.panes.finetune.candidate import HELP, no_candidates
from memscope.tui.panes.finetune.deciding import ResponseDeciding
from memscope.tui.panes.finetune.detail import CandidateDetail
from memscope.tui.widgets.bucket_line import ALL, BucketLine
from memscope.tui.widgets.lines import LineScroll
from memscope.tui.widgets.table import Table
from memscope.tui.workspace import Change

if TYPE_CHECKING:
    from memscope.actions.open import Opened
    from memscope.base.errors import MemscopeError
    from memscope.triage.decisions import Provenance

_DONE: dict[Verdict, str] = {"accept": "accepted", "reject": "rejected", "skip": "skipped"}


class FinetuneScreen(DecidingScreen):
    """See the module."""

    NAME = "Fine-tune"
    CSS_PATH = "screen.tcss"
    HELP = HELP

    BINDINGS: ClassVar[list[BindingType]] = [
        key("finetune.accept", "a", "decide('accept')", "Accept", "Accept the response as training data"),
        key("finetune.reject", "r", "decide('reject')", "Reject", "Reject the response"),
        key("finetune.skip", "z", "decide('skip')", "Skip", "Skip the response; b goes back to the skipped"),
        key("finetune.change", "c", "change", "Change", "Change what is to be trained on in the response's place"),
        key("finetune.note", "w", "note", "Note", "Write a note on the response"),
        key("finetune.bucket", "b", "bucket", "Bucket", "Show the next bucket: undecided, accepted, and so on"),
        key("finetune.higher", "plus,equals_sign", "step(1)", "Higher", "A higher threshold", show=False),
        key("finetune.lower", "minus", "step(-1)", "Lower", "A lower threshold", show=False),
        key(
            "finetune.worth", "t", "worth", "Threshold", "Set the threshold in nats, for this conversation", show=False
        ),
        key("finetune.alternate", "v", "alternate", "Alternate", "What a chat model answers without the memories"),
        key("finetune.again", "f", "again", "Again", "Ask the chat model once more", show=False),
        key("finetune.accept_marked", "A", "accept_marked", "Marked", "Accept the marked, at once"),
        RETRY,
        *WINDOWS,
    ]

    def __init__(self) -> None:
        super().__init__()
        self._reader: CandidateReader | None = None
        self.deciding: ResponseDeciding | None = None
        self._bucket: str = "undecided"
        self._due = False
        self._unmarked = False

    def body(self) -> Iterable[Widget]:
        yield BucketLine()
        yield Container(
            Table[Candidate](identity=lambda row: row.message, id="candidates-table"),
            CandidateDetail(self, lambda: [row.message for _, row in self._ahead()]),
            id="candidates",
        )

    @property
    def table(self) -> Table[Candidate]:
        return self.query_one("#candidates-table", Table)

    @property
    def detail(self) -> CandidateDetail:
        return self.query_one(CandidateDetail)

    # What changes.

    def changed(self, change: Change) -> None:
        super().changed(change)
        space, opened = self.workspace, self.workspace.opened
        if not self.query(BucketLine):
            return  # not composed yet: everything is told once it is
        if change.loaded:
            if opened is None:
                self._reader = self.deciding = None
            elif self.deciding is None or self.deciding.opened is not opened:
                self._reader = CandidateReader(opened.conversation)
                self.deciding = ResponseDeciding(space, opened, self._decided, partial(self._not_decided, opened))
                self._bucket = "undecided"
            self._show()
            self.table.sort_as(space.view.sorts.get("finetune", "down divergence"))
            if self.deciding is not None:
                self.deciding.read()
            if self.focused is None:
                self.table.focus()
        elif change.rows or change.view or change.phase:
            self._show()
        if change.rows or change.phase or change.view:
            self.detail.ask_soon()
        if change.selection and space.response is not None:
            self.table.select(space.response)

    def _decided(self) -> None:
        """Decisions were read anew."""
        if self.deciding is not None and self.deciding.opened is self.workspace.opened:
            self._show()

    def _not_decided(self, opened: Opened, error: MemscopeError, messages: Sequence[int]) -> None:
        self.console.tell_error(error)
        if self.workspace.opened is opened:
            back_to(self.table, messages)

    def _show(self) -> None:
        """The rows as matrix, decisions, threshold and bucket have them now."""
        space, reader, deciding, line = self.workspace, self._reader, self.deciding, self.query_one(BucketLine)
        rows: list[Candidate] = []
        if reader is not None and deciding is not None and space.matrix is not None:
            reader.look(space.matrix, space.view.threshold, deciding.decided)
            rows = reader.rows(space.view.worth) if deciding.ready else []
        counts: dict[str, int] = dict(bucket_counts(rows)) | {ALL: len(rows)}
        line.counts, line.shown = tuple(counts.items()), self._bucket
        line.more = f"above {limit_words(space.view.worth)}"
        ready = deciding is not None and (deciding.ready or deciding.trouble is not None)
        self.table.empty = no_candidates(space, reader, self._bucket, counts, ready=ready)
        columns = candidate_columns(decisions=self._bucket == ALL)
        self.table.show(columns, [row for row in rows if self._bucket in (ALL, row.decision)])
        self._detail_due()

    # The candidate under the cursor.

    @property
    def _row(self) -> Candidate | None:
        return self.table.selected

    def _detail_due(self) -> None:
        """Once, after the table is painted: a held key goes by many responses."""
        if not self._due:
            self._due = True
            self.call_after_refresh(self._show_detail)

    def _show_detail(self) -> None:
        self._due = False
        self.detail.show(self._reader.conversation if self._reader is not None else None, self._row)

    # What is pointed at.

    def on_line_scroll_moved(self, event: LineScroll.Moved) -> None:
        if event.lines is self.table:
            self._detail_due()

    def on_line_scroll_chosen(self, event: LineScroll.Chosen) -> None:
        event.lines.focus()
        self.action_deeper()

    def on_bucket_line_picked(self, event: BucketLine.Picked) -> None:
        self._to_bucket(event.bucket)

    # Deciding.

    def action_decide(self, verdict: Verdict) -> None:
        if self.deciding is not None:
            self.deciding.then(lambda: self._decide_here(verdict))

    def _decide_here(self, verdict: Verdict) -> None:
        row, deciding = self._row, self.deciding
        if row is None or deciding is None:
            self.console.say("there is no candidate here")
        elif row.decision == _DONE[verdict] and not deciding.waits(row.message):
            self.console.say(f"#{row.message} is {row.decision} already")
        elif not deciding.waits(row.message) and deciding.decide([row.message], self._known, verdict):
            self._advance()

    def action_accept_marked(self) -> None:
        if self.deciding is not None:
            self.deciding.then(self._accept_marked)

    def _accept_marked(self) -> None:
        deciding = self.deciding
        rows = [row for row in self.table.marked if deciding is not None and not deciding.waits(row.message)]
        if deciding is None or not rows:
            self.console.say("nothing is marked; space marks the response under the cursor")
            return
        said = f"{len(rows)} accepted; u takes all of them back"
        messages = [row.message for row in rows]
        if deciding.decide(messages, self._known, "accept", done=lambda: self.console.say(said)):
            self._unmarked = self.table.unmark()
            if self._row is not None and self._row.message in messages:
                self._advance()

    def _known(self, message: int) -> Provenance:
        space = self.workspace
        assert space.opened is not None
        identity = space.scorer.engine.identity if space.scorer is not None else None
        effect = self._reader.effect(message) if self._reader is not None else None
        return known_of(space.opened, identity, message, effect, space.view.worth)

    def _advance(self) -> None:
        """The cursor to the next row that waits for a decision, from the top again behind the last."""
        place = next((place for place, _ in self._ahead()), None)
        if place is not None:
            self.table.move_to(place)

    def _ahead(self) -> list[tuple[int, Candidate]]:
        """The rows behind the cursor, and then those before it, that are to be looked at next, with their places."""
        bucket = "undecided" if self._bucket == ALL else self._bucket
        shown, here, deciding = list(enumerate(self.table.shown)), self.table.cursor, self.deciding
        return [
            (place, row)
            for place, row in (*shown[here + 1 :], *shown[:here])
            if row.decision == bucket and deciding is not None and not deciding.waits(row.message)
        ]

    def action_undo(self) -> None:
        if self.deciding is not None:
            self.deciding.undo(self._undone)

    def _undone(self, undone: Mapping[int, str]) -> None:
        if not undone:
            self.console.say("there is nothing to undo here")
            return
        what = Counter(undone.values())
        names = f" #{next(iter(undone))}" if len(undone) == 1 else ""
        told = " and ".join(f"{number} {name}" if len(undone) > 1 else name for name, number in what.items())
        there = any(map(self.table.select, undone))
        self.console.say(f"undone: {told}{names}{'' if there else ', not among the rows shown'}")

    def action_change(self) -> None:
        row, reader = self._row, self._reader
        if row is None or reader is None:
            self.console.say("there is no candidate here")
            return
        ask_target(
            self.console,
            row,
            reader.conversation.messages[row.message],
            lambda text: self._keep(row.message, text, edit=True),
        )

    def action_note(self) -> None:
        row = self._row
        if row is None:
            self.console.say("there is no candidate here")
        else:
            ask_note(self.console, row, lambda text: self._keep(row.message, text, edit=False))

    def _keep(self, message: int, text: str | None, *, edit: bool) -> None:
        """A note, or another target."""
        deciding = self.deciding
        if deciding is not None:
            said = f"the {'target' if edit else 'note'} of #{message} is kept; u takes it back"
            done = partial(self.console.say, said)
            deciding.then(lambda: deciding.write(message, self._known(message), text, done, edit=edit))

    # Choosing what is shown.

    def action_bucket(self) -> None:
        buckets = [*BUCKETS, ALL]
        self._to_bucket(buckets[(buckets.index(self._bucket) + 1) % len(buckets)])

    def _to_bucket(self, bucket: str) -> None:
        self._bucket = bucket
        self._show()

    def action_step(self, by: int) -> None:
        now = self.workspace.view.worth
        worth = steps(now, by)
        if worth != now:
            self.workspace.look(worth=worth)
        end = f"{limit_words(now)} is as {'low' if by < 0 else 'high'} as it goes"
        self.console.say(f"responses above {limit_words(worth)}" if worth != now else end)

    def action_worth(self) -> None:
        ask_worth(self.console)

    def action_sort(self) -> None:
        self.table.sort_next()

    def on_table_sorted(self) -> None:
        sort = self.table.sort
        self.workspace.look(sorts={"finetune": self.table.order})
        self.console.say("the most dependent first" if sort is None else sort.words)

    def action_mark(self) -> None:
        if self.detail.text.has_focus:
            self.detail.text.mark()
        else:
            self.table.toggle_mark()

    def on_table_marked(self) -> None:
        count = len(self.table.marked)
        if self._unmarked and not count:  # by A, which says so itself
            self._unmarked = False
            return
        self.console.say(f"{count} marked: A accepts those; Esc unmarks" if count else "none marked")

    def find_words(self, words: str) -> None:
        reader, wanted = self._reader, words.casefold().split()
        if not wanted or reader is None:
            self.table.filter("")
            return

        def has(row: Candidate) -> bool:
            text = f"{response_text(reader.conversation, row.message)}\n{row.top}\n{row.note}".casefold()
            return all(word in text for word in wanted)

        self.table.filter(has, words)

    # The alternate.

    def action_alternate(self) -> None:
        self.detail.toggle_alternates()

    def action_again(self) -> None:
        self.detail.ask_again()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "cancel" and any(detail.asking for detail in self.query(CandidateDetail)):
            return True
        return super().check_action(action, parameters)

    def action_cancel(self) -> None:
        if self.detail.cancel():
            self.console.say("no alternate is asked for any more")
        else:
            super().action_cancel()

    # Leaving the pane.

    def action_deeper(self) -> None:
        if (memory := self.detail.memory) is not None:
            self.console.go("memories", memory=memory)
        elif (row := self._row) is not None:
            self.console.go("responses", response=row.message)

    def inner_back(self) -> bool:
        if self.detail.text.clear_selection() or self.table.unmark():
            return True
        if self.table.has_focus or self.focused is None:
            return False
        self.table.focus()
        return True

    def copied(self) -> str | None:
        reader, row = self._reader, self._row
        if reader is None or row is None:
            return None
        rows = self.table.marked or [row]
        own = "\n\n".join(response_text(reader.conversation, one.message) for one in rows)
        return self.detail.copied() or own

    def exports(self) -> Sequence[Exported | Written]:
        reader, matrix, worth = self._reader, self.workspace.matrix, self.workspace.view.worth
        if reader is None or matrix is None:
            return []
        rows = self.table.marked or self.table.shown
        name = "candidates" if not self.table.marked else f"{len(rows)} candidates"
        here = Exported(name, FINETUNE, lambda: chosen_candidates(reader.conversation, matrix, rows, worth))
        lines = accepted_lines(self.workspace)
        return [here, lines] if lines is not None else [here]
