"""`memscope why`: one response, or some words of it, from the context up to it alone."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from memscope.base.errors import Exit, UsageError
from memscope.cli.command import Command
from memscope.cli.output import Console
from memscope.cli.session import Target, session


class WhyOptions(Target):
    message: int = Field(description="The response, by message index.")
    span: str | None = Field(None, description="Only these characters of it.", json_schema_extra={"metavar": "A:B"})
    text: str | None = Field(None, description="Only these words of it.", json_schema_extra={"metavar": "WORDS"})
    verdicts: bool = Field(
        False,
        description="Also say what each memory is to the response, which takes as many scorings again.",
        json_schema_extra={"alone": True},
    )

    @field_validator("span")
    @classmethod
    def _two_numbers(cls, span: str | None) -> str | None:
        if span is not None and not re.fullmatch(r"\d{1,9}:\d{1,9}", span):
            raise ValueError(f"{span!r} is not of the form A:B, two character offsets")
        return span


def run(options: WhyOptions, console: Console) -> Exit:
    from memscope.actions.respond import Question, why
    from memscope.cli.heat import print_response

    if options.span and options.text is not None:
        raise UsageError("--span and --text both choose words", do="Give one of them.")
    first, _, last = (options.span or "").partition(":")
    with session(options, console) as opened:
        if options.message in opened.conversation.responses:
            ask = opened.ask_screening if options.verdicts else opened.ask
            ask(opened.conversation.upto(options.message))
        with console.job() as job:
            document = why(
                opened.conversation,
                Question(
                    options.message,
                    opened.settings.threshold,
                    workers=opened.settings.workers,
                    verdicts=options.verdicts,
                ),
                opened.scorer,
                job,
                span=(int(first), int(last)) if options.span else None,
                text=options.text,
            )
        print_response(opened, document)
        if options.message not in opened.conversation.responses:
            return Exit.DONE
        return opened.exit_code(document.reason, opened.conversation.upto(options.message))


COMMAND = Command(
    name="why",
    summary="Why a response, or some words of it, came out so: the memories behind them.",
    details="Scores only the context up to that response, so it is quicker than a whole matrix. An effect measures"
    " support for this wording under this engine, not what the model would otherwise have done.",
    options=WhyOptions,
    run=run,
    examples=(
        "memscope why session.jsonl --message 14",
        'memscope why session.jsonl --message 14 --text "pnpm install"',
    ),
    order=13,
)
