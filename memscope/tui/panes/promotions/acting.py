"""What can be done with the pattern under the cursor: reject it, write its draft, make it a skill, and before that name
it, drop messages from it, change its text or have it written; and take all of that back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from memscope.actions.promotion_decisions import name_of
from memscope.base.errors import MemscopeError
from memscope.base.files import shown_path
from memscope.base.text import counted
from memscope.reports.promotions import PromotionRow
from memscope.tui.deciding import DecidingScreen, back_to
from memscope.tui.keys import key
from memscope.tui.panes.promotions.asking import ask_flagged, ask_folder, ask_name, ask_text
from memscope.tui.panes.promotions.deciding import PatternDeciding
from memscope.tui.panes.promotions.detail import PatternDetail
from memscope.tui.panes.promotions.drafting import Drafting
from memscope.tui.panes.promotions.members import ToMember
from memscope.tui.widgets.line_input import expanded
from memscope.tui.widgets.table import Table

if TYPE_CHECKING:
    from memscope.actions.promoting import Undone
    from memscope.actions.promotion_chat import ChatDraft
    from memscope.promotion.pattern import Member, Pattern
    from memscope.promotion.skills_folder import Placed
    from memscope.promotion.skills_found import Skill


OPEN = ("new", "grown")
"""States in which a pattern waits for a decision."""
_REJECTED = (*OPEN, "draft")
"""States in which one can be rejected."""
Act = Callable[[PatternDeciding, "Pattern", PromotionRow], object]


class Acting(DecidingScreen):
    """The part of the pane that knows how patterns stand, and changes that."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("promotions.accept", "a", "accept", "Accept", "Make it a skill, from its draft"),
        key("promotions.reject", "r", "reject", "Reject", "Reject the pattern, its draft too, or the marked"),
        key("promotions.write", "w", "write", "Write", "Write its draft, where no agent reads it yet"),
        key(
            "promotions.drop", "d", "drop", "Drop", "Drop the message under the cursor from the draft, or take it back"
        ),
        key("promotions.name", "m", "name", "Name", "Name the skill"),
        key("promotions.change", "c", "change", "Change", "Change the text of the skill by hand"),
        key("promotions.chat", "f", "chat", "Chat draft", "Have the chat model write the draft", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.deciding: PatternDeciding | None = None
        self.drafting: Drafting | None = None

    @property
    def table(self) -> Table[PromotionRow]:
        return self.query_one("#promotions-table", Table)

    @property
    def detail(self) -> PatternDetail:
        return self.query_one(PatternDetail)

    @property
    def row(self) -> PromotionRow | None:
        """The row under the cursor."""
        return self.table.selected

    def skills(self) -> Path:
        """The folder of the skills."""
        return expanded(self.workspace.settings.skills_folder).absolute()

    def seen(self) -> None:
        """What was found, or decided, was read anew."""
        raise NotImplementedError

    @property
    def member(self) -> tuple[Pattern, Member] | None:
        """The message under the cursor, where that has the focus."""
        goal = self.detail.members.goal
        if self.deciding is None or not self.detail.members.has_focus or not isinstance(goal, ToMember):
            return None
        pattern = self.deciding.pattern(goal.signature)
        members = pattern.members if pattern is not None else ()
        return next(((pattern, one) for one in members if pattern and name_of(one) == goal.member), None)

    def _then(self, action: Act) -> None:
        """Does it with the row under the cursor, once it is known how that stands."""

        def act() -> None:
            row, deciding = self.row, self.deciding
            pattern = deciding.pattern(row.signature) if deciding is not None and row is not None else None
            if deciding is None or row is None or pattern is None:
                self.console.say("there is no candidate here")
            elif not deciding.coming(row.signature):
                action(deciding, pattern, row)

        if self.deciding is None or self.deciding.seen is None:
            self.console.say("nothing was found yet")
        else:
            self.deciding.then(act)

    def _free(self, action: Act) -> None:
        """The same, for what changes a draft that is not on disk yet."""

        def act(deciding: PatternDeciding, pattern: Pattern, row: PromotionRow) -> None:
            if (skill := deciding.skill(row.signature)) is not None:
                words = f"it is on disk and stays as it is: {shown_path(skill.path)}; change it there"
                back = deciding.back_words(row.signature)
                self.console.say(f"{words}; {back}" if back else words)
            else:
                action(deciding, pattern, row)

        self._then(act)

    def action_reject(self) -> None:
        self._then(self._reject)

    def _reject(self, deciding: PatternDeciding, _pattern: Pattern, row: PromotionRow) -> None:
        rows = self.table.marked or [row]
        signatures = [one.signature for one in rows if one.state in _REJECTED and not deciding.coming(one.signature)]
        patterns = [one for one in map(deciding.pattern, signatures) if one is not None]
        if not patterns:
            self._not_rejected(deciding, row)
            return
        again = "u takes them back one by one" if len(patterns) > 1 else "u takes that back"
        drafts = [skill for skill in map(deciding.skill, signatures) if skill is not None]
        stays = f", and {counted(len(drafts), 'draft')} stay on disk" if drafts else ""
        if len(patterns) == 1 and drafts:
            stays = f", its draft stays at {shown_path(drafts[0].path)}"
        said = f"{counted(len(patterns), 'pattern')} rejected{stays}; {again}"
        if deciding.reject(patterns, lambda: self.console.say(said)):
            self.table.unmark()
            self._advance(signatures)

    def _not_rejected(self, deciding: PatternDeciding, row: PromotionRow) -> None:
        skill, back = deciding.skill(row.signature), deciding.back_words(row.signature)
        if skill is None or skill.is_draft:
            self.console.say(f"it is {row.state} already")
        else:
            words = f"it is a skill, which is not rejected: {shown_path(skill.path)}"
            self.console.say(f"{words}; {back}" if back else words)

    def action_write(self) -> None:
        self._then(self._write)

    def _write(self, deciding: PatternDeciding, pattern: Pattern, _row: PromotionRow) -> None:
        if (skill := deciding.skill(pattern.signature)) is not None:
            self._is_there(skill)
            return

        def done(placed: Placed) -> None:
            self._placed(placed, "the draft is", "u takes it back")

        def go_on() -> None:
            if deciding.write(pattern, done):
                self._advance([pattern.signature])

        ask_folder(self.console, self.skills(), go_on)

    def action_accept(self) -> None:
        self._then(self._accept)

    def _accept(self, deciding: PatternDeciding, pattern: Pattern, _row: PromotionRow) -> None:
        skill = deciding.skill(pattern.signature)
        if skill is not None and not skill.is_draft:
            self._is_there(skill)
        else:
            ask_folder(self.console, self.skills(), lambda: self._accept_it(deciding, pattern, frozenset()))

    def _accept_it(self, deciding: PatternDeciding, pattern: Pattern, agreed: frozenset[str]) -> None:
        """Accepts it, once a person has `agreed` to what is to be looked at in its draft."""
        signature = pattern.signature
        is_draft = deciding.skill(signature) is not None

        def done(placed: Placed) -> None:
            self._placed(placed, "accepted:", "u takes it back" if is_draft else "u takes it back, once more its draft")

        def ask(flags: Sequence[str]) -> None:
            row = next((one for one in self.table.rows if one.signature == signature), None)
            name = row.name if row is not None else signature[:12]
            if self.console.screen is self:
                self.table.select(signature)
                ask_flagged(self.console, name, flags, lambda: self._accept_it(deciding, pattern, frozenset(flags)))
            else:  # a question is not put over what a person does meanwhile
                self.console.say(f"{name} was not accepted: its text has {'; '.join(flags)}", "warning")

        if deciding.accept(pattern, agreed, done, ask):
            self._advance([signature])

    def _is_there(self, skill: Skill) -> None:
        what = "a draft" if skill.is_draft else "a skill"
        self.console.say(f"it is {what} already: {shown_path(skill.path)}")

    def _placed(self, placed: Placed, what: str, back: str) -> None:
        if placed.is_new:
            self.console.say(f"{what} {shown_path(placed.path)}; {back}")
        else:
            self.console.say(f"nothing was written, it was there: {shown_path(placed.path)}")

    def _advance(self, decided: Sequence[str]) -> None:
        """The cursor to the next row that waits for a decision, from the top again behind the last."""
        shown, here, deciding = self.table.shown, self.table.cursor, self.deciding
        row = self.row
        if row is None or row.signature not in decided or deciding is None:
            return
        for one in (*shown[here + 1 :], *shown[:here]):
            if one.state in OPEN and not deciding.coming(one.signature):
                self.table.select(one.signature)
                return

    def _not_decided(self, error: MemscopeError, signatures: Sequence[str]) -> None:
        self.console.tell_error(error)
        if self.deciding is not None and self.deciding.seen is None:
            self.seen()
        back_to(self.table, signatures)

    def action_undo(self) -> None:
        if self.deciding is not None and self.deciding.seen is not None:
            self.deciding.undo(self._undone)

    def _undone(self, undone: Undone | None) -> None:
        if undone is None:
            self.console.say("there is nothing to undo here")
            return
        there = "" if self.table.select(undone.signature) else ", not among the rows shown"
        stays = f"; but {shown_path(undone.stays)} stays: {undone.why}" if undone.stays is not None else ""
        self.console.say(f"undone: {undone.what}, {undone.signature[:12]}{there}{stays}")

    # The draft.

    def action_drop(self) -> None:
        self._free(self._drop)

    def _drop(self, deciding: PatternDeciding, pattern: Pattern, _row: PromotionRow) -> None:
        found = self.member
        if found is None or found[0] is not pattern:
            self.detail.to_first(focus=True)
            self.console.say("d drops the message under the cursor here")
            return

        def done(*, back: bool) -> None:
            self.console.say("taken back" if back else "dropped from the draft; d takes it back")

        deciding.toggle(pattern, found[1], done)

    def action_name(self) -> None:
        self._free(self._rename)

    def _rename(self, deciding: PatternDeciding, pattern: Pattern, row: PromotionRow) -> None:
        def named(name: str) -> None:
            deciding.rename(pattern, name, lambda: self.console.say("named; u takes that back"))

        ask_name(self.console, row, partial(deciding.taken, signature=pattern.signature), named)

    def action_change(self) -> None:
        self._free(self._change)

    def _change(self, deciding: PatternDeciding, pattern: Pattern, _row: PromotionRow) -> None:
        def changed(text: str, name: str | None) -> None:
            said = "the text is kept; u takes it back" if text else "its text is the one made from the messages again"
            deciding.rewrite(pattern, text, name, lambda: self.console.say(said))

        taken = partial(deciding.taken, signature=pattern.signature)
        ask_text(self.console, pattern, deciding.said(pattern.signature), taken, changed)

    def action_chat(self) -> None:
        if (drafting := self.drafting) is not None:
            self._free(lambda deciding, pattern, _: drafting.ask(pattern, deciding.said(pattern.signature)))

    def wrote(self, pattern: Pattern, draft: ChatDraft) -> bool:
        """A chat model wrote a draft: it is kept in place of the one there was. False where it comes too late."""
        if self.deciding is None:
            return False
        skill, coming = self.deciding.skill(pattern.signature), self.deciding.coming(pattern.signature)
        if skill is not None or coming in ("draft", "accept"):
            where = f" at {shown_path(skill.path)}" if skill is not None else ""
            words = f"the chat model's draft came too late: one is on disk{where}"
            self.console.say(f"{words}; f has it again once that is taken back", "warning")
            return False
        cached = ", from disk" if draft.cached else ""
        said = f"the draft is by {draft.model}{cached}; c changes it, u takes it back"
        said += "".join(f"; {finding}" for finding in draft.findings)

        def done() -> None:
            self.console.say(said)
            if self.is_current and self.row is not None and self.row.signature == pattern.signature:
                self.detail.to_second()

        return self.deciding.rewrite(pattern, draft.text, None, done)
