"""What a chat model would be sent, as it would be, and what it answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from memscope.base.errors import Cancelled, MemscopeError
from memscope.base.text import counted
from memscope.reports.insights_prompt import prompt_words
from memscope.tui.widgets.paragraphs import Paragraph, Paragraphs

if TYPE_CHECKING:
    from memscope.actions.synthesis import Synthesis
    from memscope.reports.insights_prompt import InsightsPromptDocument

NOT_SET = "no chat server is set: the setting chat_url (, shows them), or MEMSCOPE_CHAT_URL"
NOTHING = (
    "f shows here what a chat model would be sent to synthesize insights; nothing is sent before f is pressed again."
)
UNDER_WAY = "The prompt is being made from the newest sessions. x stops that."


class PromptView(Paragraphs):
    """The prompt below what is said of it; between them an answer, once there is one."""

    HELP = (
        "What a chat model would be sent, to the letter: how to answer, what happened in the newest sessions as far as "
        "there is room, what the rules saw, and the task. f sends it; what was answered stands above it then. y copies "
        "all of it."
    )

    def tell(
        self,
        document: InsightsPromptDocument | None,
        outcome: Synthesis | None,
        trouble: MemscopeError | None,
        *,
        preparing: bool,
        asking: bool,
    ) -> None:
        """Shows a prompt and what came of it; None: there is none yet. `trouble`: why the latest question has no
        answer."""
        if preparing or document is None:
            self.show([Paragraph(UNDER_WAY if preparing else NOTHING, "note")])
            return
        lines = [
            *_said(document, outcome, trouble, asking=asking),
            Paragraph(""),
            Paragraph(prompt_words(document), "note"),
        ]
        for message in document.messages:
            lines += [Paragraph(""), Paragraph(message.role, "title"), Paragraph(message.content)]
        self.show(lines)


def _said(
    document: InsightsPromptDocument, outcome: Synthesis | None, trouble: MemscopeError | None, *, asking: bool
) -> Iterator[Paragraph]:
    """How it stands with the prompt, and what to do."""
    if asking:
        yield Paragraph("The chat model is asked. x stops that.", "title")
    elif trouble is not None:
        if isinstance(trouble, Cancelled):
            yield Paragraph("No answer was waited for", "title")
        else:
            yield Paragraph("No answer came", "title")
            yield Paragraph(str(trouble), "warning")
        yield Paragraph("F asks anew", "note")
        if outcome is not None:
            yield from (Paragraph(""), *_reply(outcome, "what was answered before"))
    elif outcome is not None:
        yield from _answered(outcome)
    elif not document.sessions:
        yield Paragraph("There is nothing to send: no session says anything.", "title")
    elif document.url is None:
        yield Paragraph("Not sent.", "title")
        yield Paragraph(NOT_SET, "warning")
    else:
        yield Paragraph("Not sent yet: f sends it, as it stands here.", "title")


def _answered(outcome: Synthesis) -> Iterator[Paragraph]:
    cached = ", from disk" if outcome.cached else ""
    if outcome.parse_error:
        yield Paragraph(f"{outcome.model} answered{cached}, but no insight could be made of it", "title")
        yield Paragraph(outcome.parse_error, "warning")
        keep = "w makes one insight of it as it is, " if outcome.may_be_kept else ""
        yield Paragraph(f"{keep}F asks anew", "note")
    else:
        yield Paragraph(f"{outcome.model} answered{cached}: {counted(len(outcome.insights), 'insight')}", "title")
        yield Paragraph("F asks anew", "note")
    yield from (Paragraph(""), *_reply(outcome, "the answer"))


def _reply(outcome: Synthesis, title: str) -> Iterator[Paragraph]:
    yield Paragraph(title, "title")
    yield Paragraph(outcome.reply if outcome.reply.strip() else "(empty)")
