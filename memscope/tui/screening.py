"""The verdicts on the memories of a run: found in the background when a person asks, and kept as long as the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memscope.actions.cost import Estimate, cost_to_ask
from memscope.actions.redundancy import fill_screening, new_screening, try_pairs
from memscope.actions.tokens import memory_tokens
from memscope.base.errors import Cancelled, MemscopeError
from memscope.base.job import Job
from memscope.base.text import counted
from memscope.conversation.ablation import BASELINE
from memscope.reports.verdicts import MEANINGS, VerdictReader
from memscope.tui.workspace import Change, Workspace

if TYPE_CHECKING:
    from memscope.attribution.matrix import Matrix, MatrixRun
    from memscope.attribution.redundancy import Screening

GROUP, READING = "screening", "verdicts"


@dataclass(frozen=True, slots=True)
class _Found:
    """What a screening has brought: verdicts, with the matrix and the threshold they are read at, the threshold at
    which pairs were tried, and the tokens that memories take, where the engine counts them."""

    screening: Screening
    reader: VerdictReader
    read: tuple[Matrix | None, float]
    tried: float
    tokens: Mapping[str, int] | None


@dataclass(slots=True)
class _OfRun:
    """What there is of a run. `begun`: also a screening that was cancelled, whose scorings are not asked for again."""

    run: MatrixRun
    begun: Screening | None = None
    found: _Found | None = None


class Screened:
    """Knows the verdicts for all panes, and tells them of a change in how the numbers are looked at once there are
    some. They are found and read beside the screen: for a large matrix that takes a second."""

    def __init__(
        self, workspace: Workspace, say: Callable[[str], None], failed: Callable[[MemscopeError], None]
    ) -> None:
        self._space = workspace
        self._say = say
        self._failed = failed
        self._of: _OfRun | None = None

    @property
    def reader(self) -> VerdictReader | None:
        """The verdicts, as they were last read; None where nobody has asked for those of this run."""
        found = self._current
        return found.reader if found is not None else None

    @property
    def tokens(self) -> Mapping[str, int] | None:
        """The tokens that each memory takes in the conversation, where that is known."""
        found = self._current
        return found.tokens if found is not None else None

    @property
    def _current(self) -> _Found | None:
        """What was found of the run there is; of another it is forgotten."""
        if self._of is not None and self._of.run is not self._space.run:
            self._of = None
        return self._of.found if self._of is not None else None

    def keep_up(self) -> None:
        """Reads the verdicts again where the threshold is another, or something was scored again; to be called with
        every change."""
        space, found, of = self._space, self._current, self._of
        now = (space.matrix, space.view.threshold)
        if found is None or of is None or space.phase == "running" or now == found.read:
            return
        screening, of.found = found.screening, (asked := replace(found, read=now))

        def work(_: Job) -> VerdictReader:
            return VerdictReader(screening.snapshot(), now[1]).prepared()

        def done(reader: VerdictReader) -> None:
            if of.found is asked:
                of.found = replace(asked, reader=reader)
                space.tell(Change(view=True))

        space.background.start(READING, "reading verdicts", work, done, self._failed)

    def start(self, then: Callable[[], object] = lambda: None, *, agreed: bool = False) -> None:
        """Finds the verdicts of the run, or what is missing of them, and then calls `then`. What costs much waits for a
        person's word, unless it is `agreed`."""
        space = self._space
        run, settings = space.run, space.settings
        if run is None or run.reason is not None:
            self._say(run.reason or "" if run is not None else "nothing is open")
            return
        if space.phase in ("running", "loading"):
            self._say("verdicts can be asked for when the run is over")
            return
        if BASELINE in run.missing() or (space.phase != "done" and run.missing()):
            self._say("R scores what is missing first; verdicts can be asked for then")
            return
        found, now = self._current, (space.matrix, threshold := space.view.threshold)
        if found is not None and found.tried == threshold and not found.screening.missing():
            self._say(self._words())
            then()
            return
        self._of = of = self._of or _OfRun(run)

        def work(job: Job) -> _Found | Estimate:
            with space.engines.lease(settings) as scorer:
                of.begun = screening = of.begun or new_screening(run, scorer)
                asked = screening.at_most()
                if not agreed and (estimate := cost_to_ask(run.conversation, scorer, settings, job, asked)) is not None:
                    return estimate
                fill_screening(screening, scorer, job, workers=settings.workers)
                try_pairs(screening, threshold, scorer, job, workers=settings.workers)
                screen = screening.snapshot()
                tokens = memory_tokens(run.conversation, scorer, job) if screen.tried else None
                return _Found(screening, VerdictReader(screen, threshold).prepared(), now, threshold, tokens)

        def done(found: _Found | Estimate) -> None:
            if isinstance(found, Estimate):
                space.tell(Change(ask=found, go_on=lambda: self.start(then, agreed=True)))
                return
            of.found = found
            space.tell(Change(view=True, phase=True))
            self._say(self._words())
            then()

        space.background.start(GROUP, "finding verdicts", work, done, self._not_found)
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
