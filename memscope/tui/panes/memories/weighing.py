"""Incremental scoring in the pane: how each memory stands, and scoring those that are due."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from memscope.actions.cost import Estimate
from memscope.actions.incremental import cost_of_due, look_what_is_due, score_due, standings
from memscope.actions.known import history_kept, tokens_kept
from memscope.base.errors import Cancelled, MemscopeError, UsageError
from memscope.base.job import Job
from memscope.conversation.model import Conversation
from memscope.reports.incremental import IncrementalDocument, ScoreAt, Standing, incremental_lines, shares
from memscope.tui.workspace import Change

if TYPE_CHECKING:
    from memscope.attribution.matrix import MatrixRun
    from memscope.tui.workspace import Workspace

LOOKING, SCORING = "due", "incremental"  # groups of work in the background


@dataclass(frozen=True)
class _Found:
    """How memories stand with the scorer of a digest, by key, and the tokens that they take, where it has counted."""

    scorer: bytes = b""
    standings: Mapping[str, Standing] = field(default_factory=dict)
    tokens: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def shares(self) -> Mapping[str, float]:
        return shares(list(self.standings.values()))


class Weighing:
    """How memories stand with the engine in use. `changed` is called when there is something new; `soon` calls back in
    the screen's thread."""

    def __init__(
        self,
        space: Workspace,
        conversation: Conversation,
        changed: Callable[[], object],
        failed: Callable[[MemscopeError], None],
        soon: Callable[[Callable[[], object]], object],
    ) -> None:
        self.conversation = conversation
        self._latest = _Found()
        self._looked_after: MatrixRun | None = None
        self._space = space
        self._changed, self._failed, self._soon = changed, failed, soon

    @property
    def _found(self) -> _Found:
        """What was found, unless another engine has come since."""
        scorer = self._space.scorer
        return self._latest if scorer is None or scorer.digest == self._latest.scorer else _Found()

    @property
    def standings(self) -> Mapping[str, Standing]:
        """By key."""
        return self._found.standings

    @property
    def tokens(self) -> Mapping[str, int]:
        """That memories take, by key, where the engine has counted them."""
        return self._found.tokens

    def share(self, key: str) -> float | None:
        """How long the bar of a memory's weight is; None where it has none."""
        return self._found.shares.get(key)

    def look(self) -> None:
        """Finds out what is due, with the engine that is open; without one nothing is known."""
        space, conversation, settings = self._space, self.conversation, self._space.settings

        def work(job: Job) -> _Found | None:
            with space.engines.borrow() as scorer:
                if scorer is None:
                    return None
                found = standings(look_what_is_due(conversation, scorer, settings, job))
                return _Found(scorer.digest, {one.key: one for one in found}, tokens_kept(conversation, scorer))

        def done(found: _Found | None) -> None:
            if found is not None:
                self._latest = found
                self._changed()

        space.background.start(LOOKING, "looking what is due", work, done, self._no)

    def look_after(self, run: MatrixRun | None) -> None:
        """The same, once after a run: for an engine that counts tokens over a wire it is work."""
        if run is not None and run is not self._looked_after:
            self._looked_after = run
            self.look()

    def _landed(self, scorer: bytes, key: str, history: tuple[ScoreAt, ...]) -> None:
        """A memory has been scored, or could not be; `history` is on disk."""
        latest = self._latest
        one = latest.standings.get(key)
        if scorer == latest.scorer and one is not None and one.history != history:
            stands = replace(one, state="fresh", reason="", history=history)
            self._latest = replace(latest, standings={**latest.standings, key: stands})
            self._changed()

    def score(self, done: Callable[[str], object], *, agreed: bool = False) -> None:
        """Scores what is due and tells what came of it in words. What costs much waits for a person's word, unless it
        is `agreed`."""
        space, conversation, settings = self._space, self.conversation, self._space.settings
        kept = space.kept
        if kept.database is None or not settings.store:
            why = f"cannot be used: {kept.trouble}" if kept.trouble else "is off"
            self._failed(
                UsageError(f"weights are kept in the store, which {why}", do="Start with a store to keep them.")
            )
            return

        def work(job: Job) -> IncrementalDocument | Estimate:
            with space.engines.lease(settings) as scorer:
                due = look_what_is_due(conversation, scorer, settings, job)
                if not agreed and (estimate := cost_of_due(due, scorer, settings, job)) is not None:
                    return estimate

                def told(key: str) -> None:
                    self._soon(partial(self._landed, scorer.digest, key, history_kept(conversation, scorer, key)))

                return score_due(due, scorer, settings, job, told=told)

        def ended(found: IncrementalDocument | Estimate) -> None:
            if isinstance(found, Estimate):
                space.tell(Change(phase=True, ask=found, go_on=lambda: self.score(done, agreed=True)))
                return
            self.look()
            space.tell(Change(phase=True))
            done(_words(found))

        def failed(error: MemscopeError) -> None:
            self.look()
            space.tell(Change(phase=True))
            self._no(error)

        space.background.start(SCORING, "scoring what is due", work, ended, failed)
        space.tell(Change(phase=True))

    def _no(self, error: MemscopeError) -> None:
        if not isinstance(error, Cancelled):
            self._failed(error)


def _words(document: IncrementalDocument) -> str:
    if document.reason is not None:
        return document.reason
    failed = f": {document.failed[0].error}" if document.failed else ""
    return " ".join(filter(None, incremental_lines(document))) + failed
