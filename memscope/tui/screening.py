"""The verdicts on the memories of a run: found in the background when a person asks, and kept as long as the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from memscope.actions.cost import Estimate, cost_to_ask
from memscope.actions.redundancy import planned, screen_run, try_pairs
from memscope.actions.tokens import memory_tokens
from memscope.base.errors import Cancelled, MemscopeError
from memscope.base.job import Job
from memscope.base.text import counted
from memscope.reports.verdicts import MEANINGS, VerdictReader
from memscope.tui.workspace import Change, Workspace

if TYPE_CHECKING:
    from memscope.attribution.matrix import Matrix
    from memscope.attribution.redundancy import Screen, Screening


class _Found(NamedTuple):
    """What a screening has brought, and the tokens that memories take, where the engine counts them."""

    screening: Screening
    screen: Screen
    tokens: Mapping[str, int] | None


class Screened:
    """Knows the verdicts for all panes, and tells them of a change in how the numbers are looked at once there are
    some."""

    def __init__(
        self, workspace: Workspace, say: Callable[[str], None], failed: Callable[[MemscopeError], None]
    ) -> None:
        self._space = workspace
        self._say = say
        self._failed = failed
        self._found: _Found | None = None
        self._reader: VerdictReader | None = None
        self._read: tuple[Matrix | None, float] = (None, 0.0)

    @property
    def reader(self) -> VerdictReader | None:
        """The verdicts at the threshold in force; None where nobody has asked for those of this run."""
        space, found = self._space, self._found
        if found is None or found.screening.run is not space.run:
            self._found = self._reader = None
            return None
        seen = (space.matrix, space.view.threshold)
        if self._reader is None or (seen != self._read and space.phase != "running"):
            screen = found.screen if self._reader is None else found.screening.snapshot()  # something is scored again
            self._reader, self._read = VerdictReader(screen, space.view.threshold), seen
        return self._reader

    @property
    def tokens(self) -> Mapping[str, int] | None:
        """The tokens that each memory takes in the conversation, where that is known."""
        return self._found.tokens if self._found is not None else None

    def start(self, then: Callable[[], object] = lambda: None, *, agreed: bool = False) -> None:
        """Finds the verdicts of the run, or what is missing of them, and then calls `then`. What costs much waits for a
        person's word, unless it is `agreed`."""
        space = self._space
        run, settings, threshold = space.run, space.settings, space.view.threshold
        if run is None or run.reason is not None:
            self._say(run.reason or "" if run is not None else "nothing is open")
            return
        if space.phase in ("running", "loading"):
            self._say("verdicts can be asked for when the run is over")
            return
        if space.phase in ("idle", "cancelled") and run.missing():
            self._say("R scores what is missing first; verdicts can be asked for then")
            return
        if self.reader is not None and self._found is not None and not self._found.screening.missing():
            self._say(self._words())
            then()
            return

        def work(job: Job) -> _Found | Estimate:
            with space.engines.lease(settings) as scorer:
                asked = planned(run)
                if not agreed and (estimate := cost_to_ask(run.conversation, scorer, settings, job, asked)) is not None:
                    return estimate
                screening = screen_run(run, scorer, job, workers=settings.workers)
                screen = try_pairs(screening, threshold, scorer, job, workers=settings.workers).snapshot()
                tokens = memory_tokens(run.conversation, scorer, job) if screen.tried else None
                return _Found(screening, screen, tokens)

        def done(found: _Found | Estimate) -> None:
            if isinstance(found, Estimate):
                space.tell(Change(ask=found, go_on=lambda: self.start(then, agreed=True)))
                return
            self._found, self._reader = found, None
            space.tell(Change(view=True, phase=True))
            self._say(self._words())
            then()

        space.background.start("screening", "finding verdicts", work, done, self._not_found)
        space.tell(Change(phase=True))

    def _not_found(self, error: MemscopeError) -> None:
        self._space.tell(Change(phase=True))
        if isinstance(error, Cancelled):
            self._say("no verdicts; V goes on where it stopped")
        else:
            self._failed(error)

    def _words(self) -> str:
        """What was found, in a line."""
        reader = self.reader
        if reader is None:
            return ""
        total: Counter[str] = Counter()
        for summary in reader.summaries():
            total.update(summary.counts)
        said = ", ".join(f"{total[verdict]} {verdict}" for verdict in MEANINGS if total[verdict]) or "no verdict"
        if reader.pairs:
            said += f"; {counted(len(reader.pairs), 'pair')}"
        if reader.screen.errors:
            said += f"; {counted(len(reader.screen.errors), 'scoring')} failed, V tries again"
        return said
