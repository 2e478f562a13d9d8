"""What the Responses pane says of one response: its memories as bars, and the lines around them."""

from __future__ import annotations

from typing import Literal, NamedTuple

from memscope.base.text import preview
from memscope.conversation.model import Conversation
from memscope.conversation.render import response_text
from memscope.reports.failures import advice
from memscope.reports.figures import ResponseFigures
from memscope.reports.matrix import RESPONSES, ResponsesDocument, all_responses
from memscope.reports.response import RESPONSE, FailedMemory, ImportantMemory, ResponseDocument, effect_on, percent
from memscope.reports.verdicts import MEANINGS
from memscope.reports.view import nats, signed
from memscope.tui.colours import Signs
from memscope.tui.pane import Exported
from memscope.tui.widgets.bars import Bar
from memscope.tui.widgets.token_text import TokenText
from memscope.tui.widgets.transcript import Transcript
from memscope.tui.workspace import Workspace

HELP = (
    "The responses of the conversation; for the one under the cursor, the memories that mattered to it, strongest "
    "first (negative: with the memory the wording became less likely), and its text with the words they moved. "
    "“Said in #5”: the memory has little effect here because response #5 had already said what it says.\n\n"
    "Tab goes from the list to the bars and the text. Enter leads from a response to its memories, from a memory "
    "to the Memories pane. In the text, space and the moving keys select words, as the mouse does: the memories "
    "are then ranked for these words, however small their effects. a changes between the heat of all memories and "
    "of the one at the bars' cursor.\n\n"
    "w scores the context up to the response alone, where the whole conversation is not scored. Z shows all "
    "messages; m makes the selected lines of one a memory, u takes that back.\n\n"
    "V adds what each memory is to a response, from further scorings: needed; redundant (alone it would do, without it "
    "others do); together (only with others); suppressor (likelier without it); unused."
)
_VERDICT = max(map(len, MEANINGS))


class Item(NamedTuple):
    """What a bar stands for. `redundant`: no effect, for others do what the memory would. `said`: `message` had already
    said what the memory says."""

    kind: Literal["effect", "redundant", "said", "failed"]
    key: str
    message: int = -1


def bars_of(document: ResponseDocument, signs: Signs) -> list[Bar]:
    """The memories that mattered, those that spoke against, those that would have mattered without others, those that
    an earlier response explains, and those that could not be scored."""
    effects = [*document.important, *document.against]
    return [
        *(Bar(row.key, row.effect, _figure(row), key=Item("effect", row.key)) for row in effects),
        *(Bar(row.key, None, _figure(row), key=Item("redundant", row.key)) for row in document.redundant),
        *(
            Bar(said.key, None, f"said in #{said.message}", key=Item("said", said.key, said.message), dim=True)
            for said in document.already_said
        ),
        *(
            Bar(failed.key, None, f"{signs.failed} failed", key=Item("failed", failed.key), dim=True)
            for failed in document.failed
        ),
    ]


def _figure(row: ImportantMemory) -> str:
    """The effect, and the verdict where there is one, as wide as any."""
    return signed(row.effect) + (f" {row.verdict:<{_VERDICT}}" if row.verdict is not None else "")


def bars_heading(document: ResponseDocument, figures: ResponseFigures | None, *, tokens: bool) -> str:
    """What the bars are, and the numbers of the response as a whole, all in nats."""
    if document.selection is not None:
        words = preview(document.selection.text, 30)
        return f"for “{words}”" if tokens else f"no tokens from this engine: on all of the response, not “{words}”"
    said = [f"nats on #{document.message}"]
    if document.stripped is not None:
        said.append(f"all {nats(document.stripped)}")
    if figures is not None and figures.gap is not None:
        said.append(f"gap {signed(figures.gap)}")
    if document.cutoff is not None:
        noise = f" (noise {nats(document.noise)})" if document.noise is not None else ""
        said.append(f"cutoff {document.cutoff:.4g}{noise}")
    return ", ".join(said)


def no_bars(space: Workspace, document: ResponseDocument | None) -> str:
    """Why there are no bars, and which key helps."""
    conversation = space.conversation
    if conversation is None:
        return ""
    if not conversation.memories:
        return "No memory was found in this conversation.\nZ and m make lines one; 1 shows what else there is."
    if document is None:
        return "…"
    if document.reason is not None:
        return f"{document.reason}\nR tries again; E chooses another engine."
    if document.left_out:
        if space.phase == "running":
            return f"Being scored: {document.left_out} of {len(conversation.memories)} memories are still to come."
        return "Not scored.\nw scores this response alone, R all of them."
    if document.cutoff is None:
        return ""
    where = "these words" if document.selection is not None else "this response"
    return f"No memory mattered to {where} above {document.cutoff:.4g} nats.\nt changes the threshold."


def no_messages(space: Workspace) -> str:
    """Why there is no response to list, and which key helps."""
    if space.phase == "loading":
        return "The conversation is being read.\nx cancels."
    if space.conversation is None:
        return "No conversation is open.\nEsc leads to those there are; : finds every command."
    if not space.conversation.messages:
        return "The conversation has no message."
    return "The conversation has no response.\nZ shows all messages."


def memory_words(conversation: Conversation, document: ResponseDocument, item: Item) -> str:
    """What is said of the bar at the cursor: how much it is, and the memory's text."""
    text = f"“{preview(conversation.memory_text(item.key, before=document.message), 300)}”"
    if item.kind == "said":
        return f"Already said in response #{item.message}, which explains its small effect here. {text}"
    if item.kind == "failed":
        failed = next((failed for failed in document.failed if failed.key == item.key), None)
        return f"{_failed(failed) if failed is not None else ''}{text}"
    if item.kind == "redundant":
        return f"{MEANINGS['redundant']}. {text}"
    row = next((row for row in (*document.important, *document.against) if row.key == item.key), None)
    if row is None:
        return text
    if row.verdict is not None and row.effect >= 0:
        return f"{MEANINGS[row.verdict]}. {_numbers(row)}{text}"
    if row.effect < 0:
        return f"Less likely with it: did the memory mislead, or does the response not follow it? {text}"
    return f"{_numbers(row)}{text}"


def _failed(failed: FailedMemory) -> str:
    if failed.again:
        return f"Could not be scored: {preview(failed.error, 200)} (R tries again). "
    return " ".join(
        [f"Could not be measured: {preview(failed.error, 200)}.", *filter(None, [advice(failed.error)]), ""]
    )


def _numbers(row: ImportantMemory) -> str:
    said = [f"{percent(row.share)} of what all gave"] if row.share is not None else []
    if row.per_token is not None:
        said.append(f"{nats(row.per_token)} a token")
    return f"{', '.join(said)}. " if said else ""


def text_heading(document: ResponseDocument | None, text: TokenText, *, tokens: bool | None, whole: bool) -> str:
    """What the text is shaded by, and the effect on the word at the cursor, or on those selected. `tokens`: whether
    the engine gives them (None: not known); `whole`: whether the response is scored."""
    if document is None or not text.text:
        return ""
    if tokens is False:
        return f"#{document.message} · no heat: this engine gives no tokens"
    if not text.heated:
        of = document.memory if document.memory is not None else "this"
        return f"#{document.message}" + (f" · no heat of {of}" if whole and tokens else "")
    said = [f"heat of {document.memory}" if document.memory is not None else "heat of all memories"]
    spans = text.spans
    asked = spans or ((text.span_here,) if text.span_here is not None else ())
    effect = effect_on(text.heated, asked)
    words = preview(" … ".join(text.text[start:end] for start, end in asked), 40)
    if effect is not None and words:
        said.append(f"“{words}” {signed(effect)} nats")
    return " · ".join([f"#{document.message}", *said])


def exports_of(space: Workspace, document: ResponseDocument | None) -> list[Exported]:
    """What can be written of the responses: the one that is shown, and the list of all."""
    conversation, matrix, scorer = space.conversation, space.matrix, space.scorer
    if conversation is None or matrix is None or scorer is None:
        return []
    identity, threshold = scorer.engine.identity, space.view.threshold

    def responses() -> ResponsesDocument:
        return all_responses(conversation, matrix, identity, threshold)

    one = [Exported(f"response {document.message}", RESPONSE, lambda: document)] if document is not None else []
    return [*one, Exported("responses", RESPONSES, responses)]


def message_copied(conversation: Conversation, transcript: Transcript) -> str | None:
    """The selected lines, or the message at the cursor: a response as it is scored, another by its own words."""
    if transcript.selected is not None:
        message, span = transcript.selected
        return conversation.messages[message].text[slice(*span)]
    if transcript.message is None:
        return None
    found = conversation.messages[transcript.message]
    return response_text(conversation, transcript.message) if found.is_response else found.text


def not_found(transcript: Transcript) -> str:
    """What is said where the words searched for are nowhere."""
    return "not in the responses; Z shows all messages" if transcript.responses_only else "not in this conversation"
