"""What every scoring command goes through: open the conversation, open the engine, score, say what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memscope.base.errors import Cancelled, Exit, StoreError, UsageError
from memscope.base.settings import Settings
from memscope.cli.opening import Consent, OpeningOptions, Scoring, place
from memscope.cli.output import Console
from memscope.conversation.model import Conversation

if TYPE_CHECKING:
    from memscope.actions.cost import Estimate
    from memscope.actions.engine import Scorer
    from memscope.actions.open import Opening
    from memscope.attribution.matrix import Matrix, MatrixRun
    from memscope.reports.matrix import MatrixDocument

_SHOWN = 5  # failures, or kinds of records passed over, that are told one by one


class Target(OpeningOptions, Consent, Scoring):
    """A conversation, and what to score it with."""


@dataclass
class Session:
    """A conversation and the engine it is scored with, for as long as a command runs. `yes`: a person has agreed to
    whatever it costs; `opening`: how the conversation was opened."""

    conversation: Conversation
    settings: Settings
    scorer: Scorer
    console: Console
    yes: bool = False
    opening: Opening | None = None

    def ask(self, conversation: Conversation | None = None) -> None:
        """Asks a person before a run over `conversation` (None: all of it) that costs much. Raises `UsageError` where
        there is nobody to ask, `Cancelled` when they say no."""
        from memscope.actions.cost import cost_to_ask

        if not self.yes:
            with self.console.job() as job:
                estimate = cost_to_ask(conversation or self.conversation, self.scorer, self.settings, job)
            self.agree(estimate)

    def ask_screening(self, conversation: Conversation, *, pairs: bool = False) -> None:
        """Asks before a run over `conversation` with its verdicts, and the trying of `pairs`. Errors as `ask`."""
        from memscope.actions.cost import cost_to_ask
        from memscope.actions.redundancy import screening_plan

        if not self.yes:
            with self.console.job() as job:
                plan = screening_plan(conversation, self.scorer, pairs=pairs)
                estimate = cost_to_ask(conversation, self.scorer, self.settings, job, plan)
            self.agree(estimate)

    def agree(self, estimate: Estimate | None) -> None:
        """Asks a person before what costs so much; None: before nothing. Errors as `ask`."""
        if estimate is not None and not self.yes:
            ask(estimate, self.settings, self.console)

    def matrix(self) -> tuple[MatrixRun, MatrixDocument]:
        """The whole matrix, with its progress shown; reasons for failed rows go to standard error."""
        from memscope.actions.known import with_known
        from memscope.actions.runs import kept_run
        from memscope.actions.score import cost_part, document_matrix, score_matrix
        from memscope.reports.matrix import matrix_document

        self.ask()
        threshold = self.settings.threshold
        with self.console.job() as job:
            run, cost = score_matrix(self.conversation, self.scorer, job, workers=self.settings.workers)
            cost = kept_run(cost, run, self.scorer, job, threshold=threshold, opening=self.opening)
        if cost.note:
            self.console.note(cost.note)
        self._note_failures(run.snapshot())
        identity, part = self.scorer.engine.identity, cost_part(cost)
        matrix = document_matrix(run)
        document = matrix_document(self.conversation, matrix, identity, threshold, part, settings=self.settings)
        try:
            return run, with_known(document, self.conversation, self.scorer)
        except StoreError as error:
            self.console.note(f"the weights of the memories, and what was decided of them, are not known: {error}")
            return run, document

    def _note_failures(self, matrix: Matrix) -> None:
        from memscope.reports.failures import advice, failures

        if matrix.reason is not None:
            return  # which says it all
        said = failures(matrix)
        for line in said[:_SHOWN]:
            self.console.note(f"failed: {line}")
        more = [f"and {len(said) - _SHOWN} more"] if len(said) > _SHOWN else []
        if matrix.errors:
            those = "those that failed as a whole" if matrix.cell_errors else "these"
            more.append(f"run the same again to try only {those}")
        if more:
            self.console.note("; ".join(more))
        for do in filter(None, map(advice, dict.fromkeys(matrix.cell_errors.values()))):
            self.console.note(do)

    def exit_code(self, reason: str | None, scored: Conversation | None = None) -> Exit:
        """3 when the baseline failed, 1 when there is nothing to score, else 0 (failed rows are told, not fatal).
        `scored`: the part of the conversation that it is about, if not all of it."""
        if reason is None:
            return Exit.DONE
        part = scored or self.conversation
        if part.memories and part.responses:
            self.console.note(reason)
            return Exit.ENGINE
        if self.conversation.memories and not part.memories:
            self.console.note(reason)
        elif not self.conversation.memories:
            self.console.note(
                "most transcripts do not hold the text of their memories: give the files with --memories PATH"
                " (CLAUDE.md, AGENTS.md, memory/*.md, MEMORY.md)"
            )
        return Exit.NOTHING

    @property
    def mode(self) -> str:
        """Classic mode, where it is on, in words."""
        return f"{self.settings.compat} mode" if self.settings.compat else ""

    def heading(self, reason: str | None = None) -> str:
        """The conversation, the engine and, where there is no matrix, why."""
        engine = self.scorer.engine
        model = engine.identity.model if engine.identity.url else ""  # the embedded model's is a version number
        scored_by = f"{engine.capabilities.label} {model}".strip()
        said = [self.conversation.title or "untitled", place(self.conversation), scored_by, self.mode]
        return " · ".join(filter(None, said)) + (f"\n{reason}" if reason else "")


def ask(estimate: Estimate, settings: Settings, console: Console) -> None:
    """Asks a person before what costs so much. Raises `UsageError` where there is nobody to ask, `Cancelled` when they
    say no."""
    limit = f"more than {settings.ask_above:,} tokens, the setting ask_above"
    agreed = console.confirm(f"{estimate.words()}: {limit}. Go on?")
    if agreed is None:
        raise UsageError(f"a long run is not begun unasked: {estimate.words()}, {limit}", do="Go on with --yes.")
    if not agreed:
        raise Cancelled("not begun")


@contextmanager
def session(target: Target, console: Console) -> Iterator[Session]:
    """The conversation opened and the engine ready; what loading passed over goes to standard error."""
    settings = target.resolved().settings
    conversation = target.open(settings)
    yield from _scoring(conversation, settings, console, yes=target.yes, opening=target.opening())


@contextmanager
def session_of(
    conversation: Conversation, settings: Settings, console: Console, *, yes: bool = False
) -> Iterator[Session]:
    """The same for a conversation that is open already."""
    yield from _scoring(conversation, settings, console, yes=yes)


def _scoring(
    conversation: Conversation, settings: Settings, console: Console, *, yes: bool, opening: Opening | None = None
) -> Iterator[Session]:
    with scorer_of(settings, console) as scorer:  # a store that cannot be used is told once, and not as a note before
        note_skipped(conversation, console)
        yield Session(conversation, settings, scorer, console, yes, opening)


@contextmanager
def scorer_of(settings: Settings, console: Console) -> Iterator[Scorer]:
    """The engine ready, and closed in the end; what becomes of scores is told."""
    from memscope.actions.engine import open_scorer

    scorer = open_scorer(settings)
    try:
        yield scorer
    except KeyboardInterrupt:
        kept = "is kept: run the same again to go on" if scorer.database else "is not kept, because of --no-store"
        console.note(f"what had been scored {kept}")
        raise
    finally:
        if scorer.trouble:
            console.note(f"scores are not being kept: {scorer.trouble}")
        scorer.close()


def note_skipped(conversation: Conversation, console: Console) -> None:
    """What loading passed over, counted by reason, on standard error."""
    lines: dict[str, list[int]] = {}
    for skipped in conversation.skipped:
        lines.setdefault(skipped.reason, []).append(skipped.line)
    for reason, where in list(lines.items())[:_SHOWN]:
        times = "once" if len(where) == 1 else f"{len(where)} times"
        console.note(f"passed over {times} (line {where[0]}{', ...' if len(where) > 1 else ''}): {reason}")
    if len(lines) > _SHOWN:
        left = sum(map(len, list(lines.values())[_SHOWN:]))
        console.note(f"passed over {left} more for {len(lines) - _SHOWN} other reasons")
    for note in conversation.notes[: 4 * _SHOWN]:
        console.note(note)
