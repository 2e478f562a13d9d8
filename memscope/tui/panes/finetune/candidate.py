"""What the Fine-tune pane says of one candidate, and of there being none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from memscope.base.errors import MemscopeError
from memscope.base.text import counted
from memscope.reports.alternate import Alternate, word_diff
from memscope.reports.candidates import Candidate, CandidateReader, told_before
from memscope.reports.view import nats
from memscope.tui.widgets.bucket_line import ALL
from memscope.tui.widgets.diff_text import DiffText
from memscope.tui.widgets.paragraphs import Paragraph

if TYPE_CHECKING:
    from memscope.conversation.model import Conversation
    from memscope.reports.response import ResponseDocument
    from memscope.tui.workspace import Workspace

HELP = (
    "Responses that owe much to the memories, all of them together: what the model has not taken in, and may be worth "
    "training on. The divergence is in nats: how much likelier the memories made the wording, 0 where they did not.\n\n"
    "a accepts the response under the cursor, r rejects it, z skips it; the next undecided one is selected. u takes "
    "the latest decision back, again and again, also those of earlier days; what was decided at once goes back so. "
    "space marks, A accepts the marked. c changes what is to be trained on in its place, w notes something. A decision "
    "is on disk at the key, and belongs to the response and what was said before it without the memories: another "
    "engine, other memories or a longer conversation never offer it again.\n\n"
    "b goes through the buckets: what is undecided, accepted, rejected, skipped, and all. + and - move the threshold, "
    "t sets it. v shows what a chat model answers without the memories, beside the response, as a difference in "
    "words: what only the response has is struck through, what only the alternate has is underlined. What was answered "
    "once is taken from disk; f asks once more.\n\n"
    "e writes the accepted ones of this file as training data; memscope export writes those of all.\n\n"
    "Enter leads to the response in its conversation. Tab goes from the table to the prompt, the text and the memories."
)


def number_words(row: Candidate) -> str:
    """How much a response owes to its memories."""
    if row.divergence is None:
        return "not measured"
    each = f", {nats(row.per_token)} a token" if row.per_token is not None else ""
    return f"{nats(row.divergence)} nats{each}"


def told(conversation: Conversation, row: Candidate) -> list[Paragraph]:
    """What is read of a candidate: its numbers, what was said of it, and the prompt before it."""
    said = [Paragraph(f"#{row.message}, {row.decision}: {number_words(row)}", "title")]
    if row.note:
        said.append(Paragraph(f"note: {row.note}", "note"))
    if row.target is not None:
        said += [Paragraph("trained on in place of its words:", "note"), Paragraph(row.target)]
    before, more = told_before(conversation, row.message)
    earlier = f", after {counted(more, 'earlier message')}" if more else ""
    said.append(Paragraph(f"the prompt without its memories{earlier}:", "note"))
    if not before:
        said.append(Paragraph("(nothing but memories stands before it)", "note"))
    for one in before:
        said += [Paragraph(f"{one.who}:", "note"), Paragraph(one.text or "(empty)")]
    return said


def show_alternate(
    widget: DiffText, response: str, message: int, outcome: Alternate | MemscopeError | None, *, asking: bool
) -> None:
    """The alternate to a response as a difference, or why there is none."""
    heading = Paragraph(f"the alternate to #{message}", "title")
    if outcome is None:
        waiting = "being asked for; x cancels" if asking else "not asked for; f asks"
        widget.show([heading, Paragraph(waiting, "note")])
    elif isinstance(outcome, MemscopeError):
        widget.show([heading, Paragraph(str(outcome), "warning"), Paragraph("f asks once more", "note")])
    else:
        kept = ", from disk" if outcome.cached else ""
        same = outcome.written.strip() == response.strip()
        note = "the same words" if same else "- the response alone, + the alternate alone"
        head = [heading, Paragraph(f"{outcome.model}{kept}: {note}", "note")]
        widget.show_diff(head, word_diff(response, outcome.written))


def no_candidates(
    space: Workspace, reader: CandidateReader | None, bucket: str, counts: Mapping[str, int], *, ready: bool
) -> str:
    """Why there is no row, and which key helps."""
    if space.phase == "loading":
        return "The conversation is being read.\nx cancels."
    if space.conversation is None or reader is None:
        return "No conversation is open.\nEsc leads to those there are; : finds every command."
    if not ready:
        return "What was decided is being read."
    if sum(counts.values()):
        return _no_more(bucket, counts)
    seen, worth = reader.seen, space.view.worth
    if seen.error is not None and not seen.known:
        return f"{_sentence(seen.error)}\n{_helps(space)}"
    if space.phase == "running" and seen.known < seen.responses:
        return "Being scored. Responses come once they are scored without any memory."
    if space.phase in ("idle", "cancelled", "failed") and not seen.known:
        return "Nothing is scored.\nR scores; E chooses another engine."
    lower = "- lowers the threshold, t sets it." if worth > 0 else "There is nothing to lower: the threshold is 0."
    return f"{seen.words(worth)}\n{lower if seen.known else 'R tries again.'}"


def leaned_on_none(document: ResponseDocument | None) -> str:
    """Why there are no bars."""
    if document is None:
        return "…"
    if document.reason is not None or document.cutoff is None:
        return document.reason or ""
    if document.left_out:
        return f"{counted(document.left_out, 'memory', 'memories')} not scored by itself yet."
    return f"None alone gave it more than {document.cutoff:.4g} nats: they stand in for each other, or work together."


def _no_more(bucket: str, counts: Mapping[str, int]) -> str:
    if bucket == "undecided":
        told = ", ".join(f"{number} {name}" for name, number in counts.items() if number and name != ALL)
        writes = "e writes the accepted as training data; " if counts.get("accepted") else ""
        return f"All are decided: {told}.\n{writes}b shows them; - lowers the threshold; u takes the latest back."
    return f"None is {bucket}.\nb shows another bucket."


def _helps(space: Workspace) -> str:
    """The key that helps where nothing could be scored."""
    conversation = space.conversation
    if conversation is not None and conversation.responses and not conversation.memories:
        return "1 shows where was searched for memories, and what can be used instead."
    if conversation is not None and not conversation.responses:
        return "Esc leads to other conversations."
    return "R tries again; E chooses another engine."


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}".rstrip(".") + "."
