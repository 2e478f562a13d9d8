"""What mattered to one response, found in the background: as far as the run has come, or from the context up to it.

It never makes a scoring that nobody asked for: where what is wanted has not landed, the document comes without it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from memscope.actions.respond import explain
from memscope.actions.score import score_matrix
from memscope.base.errors import Cancelled, MemscopeError
from memscope.base.job import Job
from memscope.reports.response import HeatSpan, ResponseDocument, response_document
from memscope.tui.workspace import Workspace

if TYPE_CHECKING:
    from memscope.actions.engine import Scorer
    from memscope.attribution.matrix import MatrixRun

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the response at `message`: the heat of a `memory` (None: of all of them together), and the
    memories ranked for the words of `spans`, where there are any."""

    message: int
    memory: str | None = None
    spans: tuple[Span, ...] = ()


class _Looking(NamedTuple):
    threshold: float
    workers: int | None


Answer = Callable[[Question, ResponseDocument], None]


class Explaining:
    """Asks for one response at a time; a new question takes the place of the one before."""

    def __init__(self, workspace: Workspace, found: Answer, failed: Callable[[MemscopeError], None]) -> None:
        self._space = workspace
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

    def alone(self, message: int) -> bool:
        """Whether the response was scored by itself (`why`)."""
        return message in self._alone

    def ask(self, question: Question, *, whole: bool) -> None:
        """Answers from the run as far as it has come, or, unless all of the response's numbers are there (`whole`),
        from the scoring of it alone where there is one."""
        self.forget()
        run = self._space.run if whole else self._alone.get(question.message, self._space.run)
        if run is None:
            return
        scorer, looking = self._space.scorer, self._looking

        def work(job: Job) -> ResponseDocument:
            return self._answer(run, question, scorer, job, looking)

        self._space.background.start("explain", "explaining", work, lambda found: self._take(question, found), self._no)

    def why(self, question: Question) -> None:
        """Scores the context up to the response, and answers from that."""
        self.forget()
        space = self._space
        conversation, settings = space.conversation, space.settings
        if conversation is None:
            return
        looking = self._looking

        def work(job: Job) -> ResponseDocument:
            scorer = space.scorer_for(settings)
            run, _ = score_matrix(conversation.upto(question.message), scorer, job, workers=looking.workers)
            self._alone[question.message] = run
            return self._answer(run, question, scorer, job, looking)

        name = f"scoring up to #{question.message}"
        space.background.start("why", name, work, lambda found: self._take(question, found), self._no)

    @property
    def _looking(self) -> _Looking:
        return _Looking(self._space.view.threshold, self._space.settings.workers)

    def _answer(
        self, run: MatrixRun, question: Question, scorer: Scorer | None, job: Job, looking: _Looking
    ) -> ResponseDocument:
        message, memory = question.message, question.memory
        threshold, workers = looking
        matrix = run.snapshot()
        document = response_document(run.conversation, matrix, message, threshold, memory=memory)
        if document.reason is not None or scorer is None or not document.text:
            return document
        kept = self._heat.get((message, memory))
        if kept is not None and not question.spans:
            return document.model_copy(update={"heat": kept})
        landed = document.stripped is not None
        if memory is not None and not question.spans:
            landed = any(row.key == memory for row in (*document.important, *document.against))
        if not landed:
            return document
        return explain(
            run, message, scorer, job, threshold=threshold, workers=workers, memory=memory, spans=question.spans
        )

    def _take(self, question: Question, document: ResponseDocument) -> None:
        if document.heat and not question.spans:
            self._heat[question.message, question.memory] = document.heat
        self._found(question, document)

    def _no(self, error: MemscopeError) -> None:
        if not isinstance(error, Cancelled):
            self._failed(error)
