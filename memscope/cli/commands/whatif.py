"""`memscope whatif`: what would be without some memories: which responses change, and which memories take over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from pydantic import Field

from memscope.base.errors import Exit
from memscope.cli.command import Command
from memscope.cli.output import Console
from memscope.cli.session import Session, Target, session

if TYPE_CHECKING:
    from memscope.attribution.whatif import WhatIf
    from memscope.reports.view import Column
    from memscope.reports.whatif import WhatIfReader

Row = TypeVar("Row")
_ROWS = 10  # of each table


class WhatIfOptions(Target):
    without: tuple[str, ...] = Field(
        description="The memories to leave out together, by key.", json_schema_extra={"metavar": "KEY..."}
    )


def run(options: WhatIfOptions, console: Console) -> Exit:
    from memscope.actions.score import cost_part
    from memscope.actions.whatif import tokens_saved, what_if
    from memscope.reports.whatif import WHATIF, WhatIfReader

    with session(options, console) as opened:
        conversation, scorer, settings = opened.conversation, opened.scorer, opened.settings
        _ask(opened, options.without)
        with console.job() as job:
            scored, cost = what_if(conversation, options.without, scorer, job, workers=settings.workers)
            tokens = tokens_saved(scored, scorer, job)
        reader = WhatIfReader(conversation, scored.snapshot(), settings.threshold, tokens)
        document = reader.document(scorer.engine.identity, settings, cost_part(cost))
        _note_failures(opened, reader.found)
        console.heading(opened.heading(document.reason))
        if console.form != "table":
            console.document(WHATIF, document)
        elif document.reason is None:
            _print(console, reader)
        return opened.exit_code(document.reason)


def _ask(opened: Session, keys: tuple[str, ...]) -> None:
    """Asks before both runs, if together they cost much. Raises `UsageError` for an unknown key."""
    from memscope.actions.cost import cost_to_ask
    from memscope.actions.score import new_run
    from memscope.actions.whatif import new_what_if, what_if_plan

    classic = opened.scorer.classic
    planned = new_what_if(new_run(opened.conversation, keep_tokens=False, classic=classic), keys, classic=classic)
    if not opened.yes:
        plan = tuple(dict.fromkeys((*planned.whole.plan, *what_if_plan(planned))))
        with opened.console.job() as job:
            estimate = cost_to_ask(opened.conversation, opened.scorer, opened.settings, job, plan)
        opened.agree(estimate)


def _print(console: Console, reader: WhatIfReader) -> None:
    """In words, then the responses that change most and the memories that take over."""
    from memscope.base.text import clean_line, counted
    from memscope.reports.whatif import listed, memory_columns, response_columns

    tokens = f"{counted(reader.tokens, 'token')}, " if reader.tokens is not None else ""
    console.text(
        clean_line(f"without {listed(reader.found.removed)}: saves {tokens}{counted(reader.chars, 'character')}"),
        clean_line(reader.result_words),
    )
    _print_first(console, response_columns(reader.responses), reader.changed, "responses change")
    _print_first(console, memory_columns(reader.memories), reader.takers, "memories take over")


def _print_first(console: Console, columns: Sequence[Column[Row]], rows: Sequence[Row], what: str) -> None:
    if rows:
        console.text("")
        console.table(columns, rows[:_ROWS])
    if len(rows) > _ROWS:
        console.text(f"and {len(rows) - _ROWS} more {what}: --json has all")


def _note_failures(opened: Session, found: WhatIf) -> None:
    """What could not be scored on either side; a reason says it all."""
    if found.reason is not None:
        return
    for failed in (found.errors, *(errors for m in (found.whole, found.less) for errors in (m.errors, m.cell_errors))):
        if failed:
            first = next(iter(failed.values()))
            opened.console.note(f"not all could be scored, and what is not known is left out: {first}")
            return


COMMAND = Command(
    name="whatif",
    summary="Leave memories out together, and say which responses change and which memories take over.",
    details="All other memories are scored again in the conversation without these. The change of a response is its"
    " score without them minus its score as it was, in nats: below 0, its wording becomes less likely. The total of a"
    " memory that stays rises where it takes over what they did. Nothing is changed in the conversation or in memory"
    " files.",
    options=WhatIfOptions,
    run=run,
    examples=(
        "memscope whatif session.jsonl --without user/dark-theme",
        "memscope whatif session.jsonl --without build-with-bun build-with-pnpm --json",
    ),
    order=15,
)
