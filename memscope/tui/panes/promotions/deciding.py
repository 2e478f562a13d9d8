"""How patterns stand, and what a person decides of them; see `memscope.tui.deciding`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memscope.actions import promoting, promotion_decisions, promotion_standing
from memscope.actions.promotion_decisions import NOTHING, Said, name_of
from memscope.actions.promotion_report import promotions_document
from memscope.base.errors import MemscopeError
from memscope.base.text import counted
from memscope.tui.deciding import Deciding

if TYPE_CHECKING:
    from memscope.actions.promoting import Undone
    from memscope.actions.promotion_standing import Looked
    from memscope.actions.promotions import Found
    from memscope.promotion.pattern import Member, Pattern
    from memscope.promotion.skills_folder import Placed
    from memscope.promotion.skills_found import Skill
    from memscope.reports.promotions import PromotionsDocument
    from memscope.store.database import Database
    from memscope.tui.workspace import Workspace


class Seen(NamedTuple):
    """What was found, and where was looked for it (nowhere: in the folders of the agents); how it stood when that was
    read, and both as rows. `latest`: the signature of the pattern whose step an undo takes back, "" where there is
    none."""

    found: Found
    inputs: tuple[Path, ...]
    looked: Looked
    document: PromotionsDocument
    latest: str


class PatternDeciding(Deciding[str, Seen | None]):
    """The decisions on what was found last, by signature. `seen`: None until that was read once. `skills` says where
    they are."""

    def __init__(
        self,
        space: Workspace,
        skills: Callable[[], Path],
        changed: Callable[[], object],
        failed: Callable[[MemscopeError, Sequence[str]], object],
    ) -> None:
        super().__init__(space, "promotion decisions", changed, failed)
        self.seen: Seen | None = None
        self._skills = skills
        self._found: tuple[Found, tuple[Path, ...]] | None = None
        self._patterns: dict[str, Pattern] = {}

    def show(self, found: Found, inputs: tuple[Path, ...]) -> None:
        """Reads how other patterns stand, which were looked for in `inputs`; the ones of before stay until that is
        known."""
        self._found = found, inputs
        self.read_anew()

    def read(self) -> None:
        if self._found is not None and not self._steps:  # a step reads all of it itself once it is on disk
            super().read()

    def latest(self, database: Database) -> int:
        return promotion_decisions.latest(database)

    def look(self, database: Database | None) -> Seen | None:
        if self._found is None:
            return None
        found, inputs = self._found
        looked = promotion_standing.look(found.patterns, self._skills(), database)
        signatures = [pattern.signature for pattern in found.patterns]
        step = promotion_decisions.latest_step(database, signatures) if database is not None else None
        document = promotions_document(found, looked.standings)
        return Seen(found, inputs, looked, document, step.subject if step is not None else "")

    def take(self, found: Seen | None) -> None:
        self.seen = found
        self._patterns = {one.signature: one for one in found.found.patterns} if found is not None else {}
        if found is not None and self._found is not None and found.found is not self._found[0]:
            self.read_anew()  # it was read for a decision, while others were found

    # What is known.

    def pattern(self, signature: str) -> Pattern | None:
        """None for one that is not among what was found last."""
        return self._patterns.get(signature)

    def said(self, signature: str) -> Said:
        """What was said of a pattern."""
        return self.seen.looked.said.get(signature, NOTHING) if self.seen is not None else NOTHING

    def skill(self, signature: str) -> Skill | None:
        """The skill on disk that a pattern is."""
        of = self.seen.looked.skills.of(signature) if self.seen is not None else ()
        return of[0] if of else None

    def back_words(self, signature: str) -> str:
        """Which key takes back that its skill is on disk, in words; "" where no step is known that put it there."""
        if self.seen is None or self.said(signature).about is None:
            return ""
        return "u takes it back" if self.seen.latest == signature else "u takes it back, after what was done since"

    def taken(self, name: str, signature: str) -> Path | None:
        """Where another skill of this name is; None where there is none."""
        there = self.seen.looked.skills.skills if self.seen is not None else ()
        return next((one.path for one in there if one.path.parent.name == name and one.signature != signature), None)

    # What is decided.

    def reject(self, patterns: Sequence[Pattern], done: Callable[[], object]) -> bool:
        """Rejects patterns. False where that cannot be."""

        def work(database: Database) -> None:
            for pattern in patterns:
                promoting.reject(database, pattern)

        what = "the pattern was" if len(patterns) == 1 else f"{counted(len(patterns), 'pattern')} were"
        signatures = [pattern.signature for pattern in patterns]
        return self._keep(signatures, "reject", f"{what} not rejected", work, done)

    def write(self, pattern: Pattern, done: Callable[[Placed], object]) -> bool:
        """Writes the draft; `done` is told where it is. False where that cannot be."""
        signature, skills = pattern.signature, self._skills()
        placed: list[Placed] = []

        def work(database: Database) -> None:
            said = promotion_decisions.said(database, [signature])  # a name may have been given a moment ago
            placed.append(promoting.write_draft(database, pattern, said.get(signature, NOTHING), skills))

        return self._keep([signature], "draft", "the draft was not written", work, lambda: done(placed[0]))

    def accept(
        self,
        pattern: Pattern,
        agreed: frozenset[str],
        done: Callable[[Placed], object],
        ask: Callable[[Sequence[str]], object],
    ) -> bool:
        """Makes it a skill; `done` is told where that is. Where its draft, as it is by then, has something to look at
        that nobody has `agreed` to, nothing is done but to `ask`, with what that is. False where it cannot be."""
        skills = self._skills()
        outcome: list[Callable[[], object]] = []

        def ended() -> None:
            outcome[0]()

        def work(database: Database) -> None:
            looked = promotion_standing.look([pattern], skills, database)
            flags = promoting.flags_before(pattern, looked)
            if set(flags) <= agreed:
                placed = promoting.accept(database, pattern, looked.said_of(pattern), skills)
                outcome.append(lambda: done(placed))
            else:
                outcome.append(lambda: ask(flags))

        return self._keep([pattern.signature], "accept", "the draft was not accepted", work, ended)

    def rename(self, pattern: Pattern, name: str, done: Callable[[], object]) -> bool:
        """Gives its skill a name, "" for the one it has by default. False where that cannot be."""
        return self._keep(
            [pattern.signature], "", "the name was not kept", lambda data: promoting.rename(data, pattern, name), done
        )

    def rewrite(self, pattern: Pattern, text: str, name: str | None, done: Callable[[], object]) -> bool:
        """Puts a text in the draft's place, "" for the draft again, and gives its skill the `name` in it where that is
        another. False where that cannot be."""
        lost = "the text was not kept"
        return self._keep(
            [pattern.signature], "", lost, lambda data: promoting.rewrite(data, pattern, text, name), done
        )

    def toggle(self, pattern: Pattern, member: Member, done: Callable[..., object]) -> bool:
        """Leaves a message out of the skill, or takes it back where it was; `done` is told which (`back`). False where
        that cannot be."""
        signature, was = pattern.signature, list[bool]()

        def work(database: Database) -> None:
            said = promotion_decisions.said(database, [signature]).get(signature, NOTHING)
            was.append(name_of(member) in said.dropped)  # as the key before this one left it
            promoting.drop(database, pattern, [member], back=was[0])

        return self._keep([signature], "", "the message was not dropped", work, lambda: done(back=was[0]))

    def undo(self, done: Callable[[Undone | None], object]) -> None:
        """Takes back the latest step on what was found; `done` is told of which pattern it was, and what."""
        self.then(lambda: self._undo(lambda data: promoting.undo(data, list(self._patterns)), done))
