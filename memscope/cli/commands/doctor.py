"""`memscope doctor`: whether an engine's numbers are right, check by check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memscope.base.errors import Exit
from memscope.cli.command import Command
from memscope.cli.opening import Scoring
from memscope.cli.output import Console

if TYPE_CHECKING:
    from memscope.engines.checks import Check


def run(options: Scoring, console: Console) -> Exit:
    from memscope.actions.doctor import doctor, with_auto
    from memscope.base.job import Job
    from memscope.reports.doctor import DOCTOR, check_row

    def tell(check: Check) -> None:
        console.text(check_row(check).words(), *((f"  {check.do}",) if check.do else ()))

    document = doctor(with_auto(options.resolved()), Job(), tell if console.form == "table" else None)
    if console.form != "table":
        console.document(DOCTOR, document)
    elif document.ok:
        console.text("", f"{document.engine} can be used.")
    return Exit.DONE if document.ok else Exit.NOTHING if document.reached else Exit.ENGINE


COMMAND = Command(
    name="doctor",
    summary="Try whether an engine can be used, and whether its numbers are right.",
    details="Says which server answers, generates a few tokens and scores the same ones again, asks for values that a"
    " cache may hold, and scores twice. Each check says what to do. With an address and no --engine, the engine is"
    " found by what answers. The same checks are made unasked before an engine is first used, once in 24 hours. It ends"
    " with 0 when no check failed (! is a warning), 1 when one did, 3 when nothing answers.",
    options=Scoring,
    run=run,
    examples=(
        "memscope doctor --base-url http://127.0.0.1:8000/v1",
        "memscope doctor --engine vllm --base-url http://127.0.0.1:8000/v1 --model NAME --json",
    ),
    order=20,
)
