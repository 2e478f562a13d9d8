"""What can be done with insights: keep them, drop them, take that back, and have a chat model synthesize others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from memscope.actions.insight_rows import why_not_kept
from memscope.base.errors import MemscopeError
from memscope.base.text import counted
from memscope.reports.insights import InsightRow
from memscope.tui.deciding import DecidingScreen, back_to
from memscope.tui.keys import key
from memscope.tui.panes.insights.deciding import InsightDeciding
from memscope.tui.panes.insights.detail import InsightDetail
from memscope.tui.panes.insights.synthesizing import Synthesizing
from memscope.tui.panes.insights.told import kept_said
from memscope.tui.widgets.table import Table

if TYPE_CHECKING:
    from memscope.actions.insight_decisions import Undone
    from memscope.insights.curation import Curated
    from memscope.insights.model import Insight


class Acting(DecidingScreen):
    """The part of the pane that knows how insights stand, and changes that."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("insights.keep", "a", "keep_it", "Keep", "Keep the insight, or the marked"),
        key("insights.drop", "r", "drop_it", "Drop", "Drop the insight, or the marked: it is not offered again"),
        key(
            "insights.synthesize", "f", "synthesize", "Synthesize", "Show the prompt for a chat model, and then send it"
        ),
        key("insights.anew", "F", "anew", "Ask anew", "Ask the chat model anew where its answer is kept", show=False),
        key("insights.reply", "w", "keep_reply", "Keep reply", "Make an insight of an unreadable answer", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.deciding: InsightDeciding | None = None
        self.synthesizing: Synthesizing | None = None
        self.pointing: frozenset[str] = frozenset()  # what the cursor is to go to, by name

    @property
    def table(self) -> Table[InsightRow]:
        return self.query_one("#insights-table", Table)

    @property
    def detail(self) -> InsightDetail:
        return self.query_one(InsightDetail)

    @property
    def row(self) -> InsightRow | None:
        """The row under the cursor."""
        return self.table.selected

    def seen(self) -> None:
        """What was found, or decided, was read anew."""
        raise NotImplementedError

    # Deciding.

    def action_keep_it(self) -> None:
        self._decide(self._keep)

    def action_drop_it(self) -> None:
        self._decide(self._drop)

    def _decide(self, action: Callable[[InsightDeciding, Sequence[InsightRow]], object]) -> None:
        """Does it with the marked rows, or the one under the cursor, once it is known how they stand."""

        def act() -> None:
            deciding, row = self.deciding, self.row
            rows = self.table.marked or ([row] if row is not None else [])
            if deciding is None or not rows:
                self.console.say("there is no insight here")
            elif waiting := [one for one in rows if not deciding.coming(one.name)]:
                action(deciding, waiting)

        if self.deciding is not None:
            self.deciding.then(act)

    def _keep(self, deciding: InsightDeciding, rows: Sequence[InsightRow]) -> None:
        def done(curated: Curated) -> None:
            self.console.say(kept_said(curated, len(names)))

        if unsure := why_not_kept(rows):
            self.console.say(f"{unsure}; r drops {'it' if len(rows) == 1 else 'them'}")
            return
        names = [row.name for row in rows]
        if deciding.keep(names, done):
            self._advance(names)

    def _drop(self, deciding: InsightDeciding, rows: Sequence[InsightRow]) -> None:
        names = [row.name for row in rows if row.state != "dropped"]
        if not names:
            self.console.say("it is dropped already" if len(rows) == 1 else "they are dropped already")
            return
        said = f"{counted(len(names), 'insight')} dropped, not to be offered again; u takes that back"
        if deciding.drop(names, lambda: self.console.say(said)):
            self._advance(names)

    def _advance(self, decided: Sequence[str]) -> None:
        """Marks are done with, and the cursor goes to the next row that waits for a decision, from the top again behind
        the last."""
        self.table.unmark()
        shown, here, deciding, row = self.table.shown, self.table.cursor, self.deciding, self.row
        if row is None or row.name not in decided or deciding is None:
            return
        for one in (*shown[here + 1 :], *shown[:here]):
            if one.state == "new" and not deciding.coming(one.name):
                self.table.select(one.name)
                return

    def not_decided(self, error: MemscopeError, names: Sequence[str]) -> None:
        """Something could not be read or kept."""
        self.console.tell_error(error)
        if self.deciding is not None and self.deciding.seen is None:
            self.seen()
        back_to(self.table, names)

    def action_undo(self) -> None:
        if self.deciding is not None:
            self.deciding.undo(self._undone)

    def _undone(self, undone: Undone | None) -> None:
        if undone is None:
            self.console.say("there is nothing to undo here")
            return
        there = any(self.table.select(name) for name in undone.names)
        self.console.say(f"undone: {undone.what}{'' if there else ', not among the rows shown'}")

    # Synthesis.

    def action_synthesize(self) -> None:
        self._ask(again=False)

    def action_anew(self) -> None:
        self._ask(again=True)

    def _ask(self, *, again: bool) -> None:
        """Shows the prompt about the sessions of the marked rows, or about all; where it is shown, sends it."""
        synthesizing, deciding = self.synthesizing, self.deciding
        observed = deciding.found.observed if deciding is not None else None
        if synthesizing is None or observed is None:
            self.console.say("nothing was read yet to ask a chat model about")
            return
        if synthesizing.asking is not None:
            self.console.say("the chat model is asked still; x stops that")
            return
        if synthesizing.preparing is not None:
            self.console.say("the prompt is being made; once it is shown, f sends it")
            return
        marked = [one.session for row in self.table.marked for one in row.evidence]
        sessions = frozenset(marked) or None
        if sessions is not None and sessions.isdisjoint(one.name for one in observed.sessions):
            self.console.say("the marked insights are of sessions that were not read here; o reads them")
        elif not synthesizing.is_of(observed, sessions):
            self.detail.to_second(focus=self.has_class("-narrow"))  # where that gives it room
            synthesizing.show_prompt(observed, sessions)
        elif not self.detail.shows_prompt:
            self.detail.to_second()
            self.console.say("f sends this" if synthesizing.outcome is None else "F asks anew")
        elif synthesizing.outcome is not None and not again:
            self.console.say("this was answered; F asks anew")
        else:
            synthesizing.send(again=again)

    def action_keep_reply(self) -> None:
        if self.synthesizing is not None:
            self.synthesizing.keep_reply()

    def said(self, insights: Sequence[Insight]) -> None:
        """A chat model said something: the cursor goes to it once it is among the rows."""
        if self.deciding is not None:
            self.pointing = frozenset(one.name for one in insights)
            self.console.say(f"{counted(len(insights), 'insight')} by {insights[0].model}; a keeps one")
            self.deciding.add(insights)
