"""What every scoring command goes through: open the conversation, open the engine, score, say what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memscope.base.errors import Cancelled, Exit, UsageError
from memscope.base.settings import Settings
from memscope.cli.opening import Consent, OpeningOptions, Scoring, place
from memscope.cli.output import Console
from memscope.conversation.model import Conversation

if TYPE_CHECKING:
    from memscope.actions.engine import Scorer
    from memscope.attribution.matrix import Matrix, MatrixRun
    from memscope.reports.matrix import MatrixDocument

_SHOWN = 5  # failures, or kinds of records passed over, that are told one by one


class Target(OpeningOptions, Consent, Scoring):
    """A conversation, and what to score it with."""


@dataclass
class Session:
    """A conversation and the engine it is scored with, for as long as a command runs. `yes`: a person has agreed to
    whatever it costs."""

    conversation: Conversation
    settings: Settings
    scorer: Scorer
    console: Console
    yes: bool = False

    def ask(self, conversation: Conversation | None = None) -> None:
        """Asks a person before a run over `conversation` (None: all of it) that costs much. Raises `UsageError` where
        there is nobody to ask, `Cancelled` when they say no."""
        from memscope.actions.cost import cost_to_ask

        if self.yes:
            return
        settings = self.settings
        with self.console.job() as job:
            estimate = cost_to_ask(conversation or self.conversation, self.scorer, settings, job)
        if estimate is None:
            return
        limit = f"more than {settings.ask_above:,} tokens, the setting ask_above"
        agreed = self.console.confirm(f"{estimate.words()}: {limit}. Go on?")
        if agreed is None:
            raise UsageError(f"a long run is not begun unasked: {estimate.words()}, {limit}", do="Go on with --yes.")
        if not agreed:
            raise Cancelled("not begun")

    def matrix(self) -> tuple[MatrixRun, MatrixDocument]:
        """The whole matrix, with its progress shown; reasons for failed rows go to standard error."""
        from memscope.actions.score import score_matrix
        from memscope.reports.matrix import CostPart, matrix_document

        self.ask()
        with self.console.job() as job:
            run, cost = score_matrix(self.conversation, self.scorer, job, workers=self.settings.workers)
        matrix = run.snapshot()
        self._note_failures(matrix)
        part = CostPart(scorings=cost.scorings, from_store=cost.from_store, seconds=cost.seconds)
        identity = self.scorer.engine.identity
        return run, matrix_document(self.conversation, matrix, identity, self.settings.threshold, part)

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

    def exit_code(self, reason: str | None) -> Exit:
        """3 when the baseline failed, 1 when there is nothing to score, else 0 (failed rows are told, not fatal)."""
        if reason is None:
            return Exit.DONE
        if self.conversation.memories and self.conversation.responses:
            self.console.note(reason)
            return Exit.ENGINE
        if not self.conversation.memories:
            self.console.note(
                "most transcripts do not hold the text of their memories: give the files with --memories PATH"
                " (CLAUDE.md, AGENTS.md, memory/*.md, MEMORY.md)"
            )
        return Exit.NOTHING

    def heading(self, reason: str | None = None) -> str:
        """The conversation, the engine and, where there is no matrix, why."""
        engine = self.scorer.engine
        model = engine.identity.model if engine.identity.url else ""  # the embedded model's is a version number
        scored_by = f"{engine.capabilities.label} {model}".strip()
        said = [self.conversation.title or "untitled", place(self.conversation), scored_by]
        return " · ".join(filter(None, said)) + (f"\n{reason}" if reason else "")


@contextmanager
def session(target: Target, console: Console) -> Iterator[Session]:
    """The conversation opened and the engine ready; what loading passed over goes to standard error."""
    settings = target.resolved().settings
    conversation = target.open(settings)
    yield from _scoring(conversation, settings, console, yes=target.yes)


@contextmanager
def session_of(
    conversation: Conversation, settings: Settings, console: Console, *, yes: bool = False
) -> Iterator[Session]:
    """The same for a conversation that is open already."""
    yield from _scoring(conversation, settings, console, yes=yes)


def _scoring(conversation: Conversation, settings: Settings, console: Console, *, yes: bool) -> Iterator[Session]:
    from memscope.actions.engine import open_scorer

    note_skipped(conversation, console)
    scorer = open_scorer(settings)
    try:
        yield Session(conversation, settings, scorer, console, yes)
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
