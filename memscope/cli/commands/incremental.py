"""`memscope incremental`: scores the memories that are due, and keeps their weights."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from memscope.base.clock import from_iso, iso
from memscope.base.errors import Exit
from memscope.cli.command import Command
from memscope.cli.output import Console
from memscope.cli.session import Target, session

_SHOWN = 5  # failures that are told one by one


class IncrementalOptions(Target):
    MORE: ClassVar[tuple[str, ...]] = ("responses", "max_age", "cutoff")

    max_age: float | None = Field(
        None,
        ge=0,
        description="Seconds after which a memory is due again. [3600]",
        json_schema_extra={"metavar": "SECONDS"},
    )
    responses: int | None = Field(None, ge=1, description="How many responses after a memory are looked at. [100]")
    cutoff: float | None = Field(
        None, ge=0, le=1, description="Memories behind this part of the conversation are too recent. [0.60]"
    )
    now: str | None = Field(
        None,
        description="The time it is taken to be, in ISO 8601; UTC without a zone.",
        json_schema_extra={"metavar": "TIME"},
    )
    dry_run: bool = Field(False, description="Say what is due, and score nothing.", json_schema_extra={"alone": True})

    @field_validator("now")
    @classmethod
    def _a_time(cls, now: str | None) -> str | None:
        if now is not None:
            try:
                iso(from_iso(now))  # which another zone may take out of the years there are
            except (ValueError, OverflowError):
                raise ValueError(f"{now!r} is no time in ISO 8601, such as 2026-05-01T12:00:00Z") from None
        return now


def run(options: IncrementalOptions, console: Console) -> Exit:
    from memscope.actions.incremental import cost_of_due, look_what_is_due, score_due
    from memscope.reports.incremental import INCREMENTAL, incremental_lines

    with session(options, console) as opened:
        scorer, settings = opened.scorer, opened.settings
        at = None if options.now is None else from_iso(options.now)
        with console.job() as job:
            due = look_what_is_due(opened.conversation, scorer, settings, job, at=at)
            estimate = None if options.dry_run else cost_of_due(due, scorer, settings, job)
        opened.agree(estimate)
        with console.job() as job:
            document = score_due(due, scorer, settings, job, dry_run=options.dry_run)
        console.heading(opened.heading(document.reason))
        console.document(INCREMENTAL, document)
        if console.form == "table":
            console.text(*incremental_lines(document))
        for failed in document.failed[:_SHOWN]:
            console.note(f"failed: {failed.key}: {failed.error}")
        if len(document.failed) > _SHOWN:
            console.note(f"and {len(document.failed) - _SHOWN} more")
        if not document.kept and document.scored:
            console.note("the weights are not kept, because of --no-store")
        if document.reason is not None:
            return opened.exit_code(document.reason)
        return Exit.ENGINE if document.failed and not document.scored else Exit.DONE


COMMAND = Command(
    name="incremental",
    summary="Score the memories whose weight is out of date, and keep the new weights.",
    details="For a conversation that goes on: a memory is due when it was not scored for --max-age seconds. Those in"
    " the latest part of the conversation wait until there is more to judge them by, and those without a response"
    " after them. Its score is its largest effect on the responses that follow it; the weight goes half of the way to"
    " a higher score, a tenth of the way to a lower one. Each weight is kept as soon as it is known; every engine and"
    " model has weights of its own.",
    options=IncrementalOptions,
    run=run,
    examples=(
        "memscope incremental session.jsonl",
        "memscope incremental session.jsonl --dry-run",
        "memscope incremental session.jsonl --max-age 86400 --responses 20 --cutoff 0.8 --json",
    ),
    order=17,
)
