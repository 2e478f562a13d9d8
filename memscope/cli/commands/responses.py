"""`memscope responses`: the responses of a conversation, or what mattered to one of them."""

from __future__ import annotations

from pydantic import Field

from memscope.base.errors import Exit, UsageError
from memscope.cli.command import Command
from memscope.cli.output import Console
from memscope.cli.session import Session, Target, session


class ResponsesOptions(Target):
    message: int | None = Field(None, description="One response, by message index: the memories that mattered to it.")
    memory: str | None = Field(None, description="With --message: show the heat of this memory alone.")
    verdicts: bool = Field(
        False,
        description="With --message: also say what each memory is to it, which takes as many scorings again.",
        json_schema_extra={"alone": True},
    )


def run(options: ResponsesOptions, console: Console) -> Exit:
    if options.memory is not None and options.message is None:
        raise UsageError("--memory needs --message", do="Name the response whose heat you want.")
    if options.verdicts and options.message is None:
        raise UsageError("--verdicts needs --message", do="`memscope redundancy FILE` has those on all responses.")
    with session(options, console) as opened:
        return _all(opened) if options.message is None else _one(opened, options.message, options)


def _all(opened: Session) -> Exit:
    from memscope.reports.matrix import RESPONSES, responses_document

    _, document = opened.matrix()
    opened.console.heading(opened.heading(document.reason))
    opened.console.document(RESPONSES, responses_document(document))
    return opened.exit_code(document.reason)


def _one(opened: Session, message: int, options: ResponsesOptions) -> Exit:
    from memscope.actions.respond import Question, explain_response
    from memscope.cli.heat import print_response

    if message in opened.conversation.responses and options.verdicts:
        opened.ask_screening(opened.conversation)
    elif message in opened.conversation.responses:
        opened.ask()
    with opened.console.job() as job:
        settings = opened.settings
        question = Question(
            message, settings.threshold, options.memory, workers=settings.workers, verdicts=options.verdicts
        )
        document = explain_response(opened.conversation, question, opened.scorer, job)
    print_response(opened, document)
    responded = message in opened.conversation.responses
    return opened.exit_code(document.reason) if responded else Exit.DONE


COMMAND = Command(
    name="responses",
    summary="List the responses and the memory each leaned on most; or all that mattered to one of them.",
    options=ResponsesOptions,
    run=run,
    examples=("memscope responses session.jsonl", "memscope responses session.jsonl --message 14 --json"),
    order=11,
)
