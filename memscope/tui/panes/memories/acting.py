"""What can be done to memories in their pane: decide, note and undo, leave them out for a what-if, bring weights up to
date, and see what is to be pruned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from memscope.actions.memory_decisions import KnownThen, Undone
from memscope.base.errors import MemscopeError
from memscope.conversation.model import Conversation
from memscope.reports.matrix import MemoryRow
from memscope.reports.memories import Known
from memscope.reports.verdicts import MemorySummary, VerdictReader, memory_verdicts
from memscope.tui.deciding import DecidingScreen, back_to
from memscope.tui.keys import key
from memscope.tui.panes.memories.deciding import Asked, MemoryDeciding, named
from memscope.tui.panes.memories.pruning import show_prune
from memscope.tui.panes.memories.told import Beside, decided_words, undone_words
from memscope.tui.panes.memories.weighing import Weighing
from memscope.tui.whatif import RUN, TOGGLE, show_what_if, toggle_memory
from memscope.tui.widgets.table import Table

_NONE = "there is no memory under the cursor"


class Acting(DecidingScreen):
    """The part of the pane that knows what is beside the effects, and changes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("memories.prune", "d", "decide('prune')", "Prune", "To be pruned: this memory, or the marked; again: not"),
        key("memories.keep", "K", "decide('keep')", "Keep", "Keep the memory: it is right"),
        key("memories.pin", "P", "decide('pin')", "Pin", "Pin the memory: it stays, whatever the numbers say"),
        key("memories.harmful", "H", "decide('harmful')", "Harmful", "Call the memory harmful: it misled"),
        key("memories.note", "w", "note", "Note", "Write a note on the memory, or the marked"),
        key("memories.diff", "D", "diff", "Diff", "What is to be pruned, as a diff of the memory files"),
        TOGGLE,
        RUN,
        key("memories.due", "i", "due", "Due", "Score the memories that are due: their weights"),
        key("memories.pairs", "p", "pairs", "Pairs", "Memories that stand in for each other", show=False),
        key("memories.across", "A", "across", "Across", "Memories across all conversations", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.deciding: MemoryDeciding | None = None
        self.weighing: Weighing | None = None
        self._verdicts: tuple[VerdictReader | None, dict[str, MemorySummary]] = (None, {})

    @property
    def table(self) -> Table[MemoryRow]:
        raise NotImplementedError

    def learnt(self) -> None:
        """Something came to be known of memories beside their effects."""
        raise NotImplementedError

    # What is known.

    def know(self, conversation: Conversation | None) -> None:
        """Begins anew with a conversation."""
        self.deciding = self.weighing = None
        if conversation is not None:
            console = self.console

            def not_decided(error: MemscopeError, keys: Sequence[str]) -> None:
                console.tell_error(error)
                if self.deciding is deciding:
                    back_to(self.table, keys)

            self.deciding = deciding = MemoryDeciding(self.workspace, conversation, self.learnt, not_decided)
            self.weighing = Weighing(self.workspace, conversation, self.learnt, console.tell_error, console.call_soon)

    def look_again(self) -> None:
        """For what another console, or a command, has decided meanwhile; and for what is due, after a run."""
        if self.deciding is not None:
            self.deciding.read()
        if self.weighing is not None and self.workspace.phase in ("done", "cancelled"):
            self.weighing.look_after(self.workspace.run)

    @property
    def known(self) -> Known:
        """What is known of memories beside their effects."""
        said = self.deciding.said if self.deciding is not None else {}
        standings = self.weighing.standings if self.weighing is not None else {}
        counted = self.weighing.tokens if self.weighing is not None else {}
        return Known(
            tokens=self.console.screened.tokens or counted,
            weights={key: one.history[-1] for key, one in standings.items() if one.history},
            verdicts={key: summary.words() for key, summary in self.verdicts.items()},
            decisions={key: one.verdict for key, one in said.items() if one.verdict},
            notes={key: one.note for key, one in said.items() if one.note},
        )

    @property
    def verdicts(self) -> dict[str, MemorySummary]:
        """What each memory is to the conversation, where somebody has asked."""
        reader = self.console.screened.reader
        if reader is not self._verdicts[0]:
            self._verdicts = reader, memory_verdicts(reader) if reader is not None else {}
        return self._verdicts[1]

    def beside(self, key: str) -> Beside:
        """The same of one memory, for reading."""
        if self.deciding is None or self.weighing is None:
            return Beside()
        verdict, scorer = self.verdicts.get(key), self.workspace.scorer
        return Beside(
            said=self.deciding.of(key),
            standing=self.weighing.standings.get(key),
            share=self.weighing.share(key),
            verdict=verdict.words() if verdict is not None else "",
            off=key in self.console.what_ifs.toggled,
            blur=scorer.blur if scorer is not None else 0.0,
        )

    # Decisions.

    @property
    def _chosen(self) -> list[str]:
        """The marked memories, else the one under the cursor."""
        rows = self.table.marked or [row for row in (self.table.selected,) if row is not None]
        return [row.key for row in rows]

    def action_decide(self, verdict: Asked) -> None:
        if self.deciding is not None:
            self.deciding.then(lambda: self._decide_here(verdict))

    def _decide_here(self, verdict: Asked) -> None:
        """Decides on the memories chosen; once more takes it back."""
        deciding, keys = self.deciding, self._chosen
        if deciding is None or not keys:
            self.console.say(_NONE)
            return
        again = all(deciding.verdict(key) == verdict for key in keys)
        said = decided_words(keys, verdict, taken_back=again)
        if deciding.decide(keys, "clear" if again else verdict, self._known_now(), lambda: self.console.say(said)):
            self.table.unmark()

    def _known_now(self) -> KnownThen:
        totals = {row.key: row.total for row in self.table.rows}
        scorer = self.workspace.scorer
        if scorer is None:
            return KnownThen(totals=totals)
        return KnownThen(scorer.engine.identity.name, scorer.engine.identity.model, totals)

    def action_note(self) -> None:
        from memscope.tui.dialogs.prompt import Prompt

        deciding, keys = self.deciding, self._chosen
        if deciding is None or not keys:
            self.console.say(_NONE)
            return

        def chosen(text: str | None) -> None:
            if text is not None and deciding.note(
                keys, text.strip(), lambda: self.console.say("noted; u takes it back")
            ):
                self.table.unmark()

        self.app.push_screen(Prompt(f"A note on {named(keys)}", deciding.of(keys[0]).note, "Empty: no note."), chosen)

    def action_undo(self) -> None:
        def undone(found: list[Undone]) -> None:
            self.console.say(undone_words(found))
            if found:
                self.table.select(found[0].key)

        if self.deciding is not None:
            self.deciding.undo(undone)

    def action_diff(self) -> None:
        show_prune(self.console)

    # What would be, and what is due.

    def action_toggle_off(self) -> None:
        keys, what_ifs = self._chosen, self.console.what_ifs
        if len(keys) < 2:
            toggle_memory(self.console, keys[0] if keys else None)
            return
        on = all(key in what_ifs.toggled for key in keys)
        for one in keys:
            if (one in what_ifs.toggled) == on:
                what_ifs.toggle(one)
        self.table.unmark()
        count = len(what_ifs.toggled)
        self.console.say(f"{len(keys)} are {'on again' if on else 'off'} ({count} in all): O scores the rest")

    def action_what_if(self) -> None:
        chosen = self._chosen
        show_what_if(self.console, chosen[0] if chosen else None)

    def action_due(self) -> None:
        if self.weighing is None:
            self.console.say("no conversation is open")
        elif self.workspace.phase in ("running", "loading"):
            self.console.say("a run is under way; x cancels it")
        else:
            self.weighing.score(self.console.say)

    def action_pairs(self) -> None:
        from memscope.tui.dialogs.pairs import show_pairs

        show_pairs(self.console)

    def action_across(self) -> None:
        self.console.go("across")
