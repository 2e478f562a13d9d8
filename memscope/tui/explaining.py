"""What mattered to one response, found in the background: as far as the run has come, or from the context up to it.

It never makes a scoring that nobody asked for: where what is wanted has not landed, the document comes without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from memscope.actions.cost import Estimate, cost_to_ask
from memscope.actions.respond import Question, explain
from memscope.actions.score import score_matrix
from memscope.base.errors import Cancelled, MemscopeError
from memscope.base.job import Job
from memscope.reports.response import HeatSpan, ResponseDocument
from memscope.tui.screening import Screened
from memscope.tui.workspace import Change, Workspace

if TYPE_CHECKING:
    from memscope.attribution.matrix import MatrixRun

Answer = Callable[[Question, ResponseDocument], None]


class Explaining:
    """Asks for one response at a time; a new question takes the place of the one before."""

    def __init__(
        self,
        workspace: Workspace,
        found: Answer,
        failed: Callable[[MemscopeError], None],
        screened: Screened | None = None,
    ) -> None:
        """`screened`: where there may be verdicts on the run."""
        self._space = workspace
        self._screened = screened
        self._found = found
        self._failed = failed
        self._alone: dict[int, MatrixRun] = {}  # runs of the context up to one response
        self._heat: dict[tuple[int, str | None], list[HeatSpan]] = {}
        self._of: MatrixRun | None = None
        self._scored = False

    def forget(self) -> None:
        """What was found is of another run, if it is: another conversation, engine or start."""
        running = self._space.phase == "running"
        if running and self._scored:  # something is scored again
            self._heat.clear()
        self._scored = not running
        if self._of is not self._space.run:
            self._of = self._space.run
            self._alone.clear()
            self._heat.clear()
            for group in ("explain", "why"):
                self._space.background.drop(group)

    def ask(self, question: Question, *, whole: bool) -> None:
        """Answers from the run as far as it has come, or, unless all of the response's numbers are there (`whole`),
        from the scoring of it alone where there is one."""
        self.forget()
        run = self._space.run if whole else self._alone.get(question.message, self._space.run)
        if run is None:
            return
        kept = self._heat.get((question.message, question.memory)) if not question.spans else None
        engines = self._space.engines
        verdicts = self._screened.reader if self._screened is not None and run is self._space.run else None

        def work(job: Job) -> ResponseDocument:
            if kept is not None:
                return explain(run, question, None, job, verdicts=verdicts).model_copy(update={"heat": kept})
            with engines.borrow() as scorer:
                return explain(run, question, scorer, job, only_landed=True, verdicts=verdicts)

        self._space.background.start("explain", "explaining", work, lambda found: self._take(question, found), self._no)

    def why(
        self, question: Question, ended: Callable[[bool], object] = lambda _: None, *, agreed: bool = False
    ) -> None:
        """Scores the context up to the response, and answers from that. `ended` is told whether it was scored, unless
        other work takes its place. What costs much waits for a person's word, unless it is `agreed`."""
        self.forget()
        space = self._space
        conversation, settings = space.conversation, space.settings
        if conversation is None:
            return

        def work(job: Job) -> tuple[MatrixRun, ResponseDocument] | Estimate:
            context = conversation.upto(question.message)
            with space.engines.lease(settings) as scorer:
                if not agreed and (estimate := cost_to_ask(context, scorer, settings, job)) is not None:
                    return estimate
                run, _ = score_matrix(context, scorer, job, workers=question.workers)
                return run, explain(run, question, scorer, job, only_landed=True)

        def done(found: tuple[MatrixRun, ResponseDocument] | Estimate) -> None:
            if isinstance(found, Estimate):
                ended(False)
                space.tell(Change(ask=found, go_on=lambda: self.why(question, ended, agreed=True)))
                return
            self._alone[question.message], document = found
            ended(True)
            self._take(question, document)

        def failed(error: MemscopeError) -> None:
            ended(False)
            self._no(error)

        space.background.start("why", f"scoring up to #{question.message}", work, done, failed)

    def _take(self, question: Question, document: ResponseDocument) -> None:
        if document.heat and not question.spans:
            self._heat[question.message, question.memory] = document.heat
        self._found(question, document)

    def _no(self, error: MemscopeError) -> None:
        if not isinstance(error, Cancelled):
            self._failed(error)
