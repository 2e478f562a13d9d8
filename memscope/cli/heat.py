"""One response for a terminal: its memories, and its text with the words they moved."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from rich.text import Text

from memscope.base.text import clean, clean_line
from memscope.reports.response import RESPONSE, HeatSpan, ResponseDocument
from memscope.reports.view import nats

if TYPE_CHECKING:
    from memscope.cli.session import Session

_WORDS = 8
_LONGEST_TEXT = 4000  # characters of a response shown below its table


def print_response(opened: Session, document: ResponseDocument) -> None:
    """The document; as a table, with the response's text and strongest words below it."""
    console = opened.console
    console.heading(opened.heading(document.reason))
    if document.selection is not None and not opened.scorer.engine.capabilities.tokens:
        console.note("this engine gives no tokens: the effects are those on the whole response")
    if console.form != "table":
        console.document(RESPONSE, document)
        return
    if document.important:
        console.document(RESPONSE, document)
    elif document.text and not document.reason:
        console.text("no memory mattered to it above the cutoff")
    for said in document.already_said:
        console.text(f"{said.key}: already said in response #{said.message}")
    if document.text:
        console.text("", Text(f"#{document.message}", style="bold"), _shaded(document))
    if document.heat:
        console.text("", *_strongest_words(document))


def _shaded(document: ResponseDocument) -> Text:
    """The response's text, with the words that the memories moved in colour, and underlined where that is not seen."""
    end = min(len(document.text), _LONGEST_TEXT)
    text = Text()
    at = 0
    for span in document.heat:
        if span.start >= end:
            break
        text.append(clean(document.text[at : span.start]))
        text.append(clean(document.text[span.start : span.end]), _style(span))
        at = span.end
    text.append(clean(document.text[at:end]))
    return text.append("…") if end < len(document.text) else text


def _style(span: HeatSpan) -> str:
    if abs(span.effect) < log(2):
        return ""
    tens = abs(span.effect) / log(10)
    colour = "yellow" if span.effect > 0 else "red"
    return f"{'bold ' if tens >= 1 else ''}underline {colour}"


def _strongest_words(document: ResponseDocument) -> list[str]:
    """The words moved most, strongest first, and against what."""
    against = f"without {clean_line(document.memory)}" if document.memory is not None else "without any memory"
    spans = sorted(document.heat, key=lambda span: (-abs(span.effect), span.start))[:_WORDS]
    words = (
        f"{clean_line(document.text[s.start : s.end])} {'+' if s.effect > 0 else ''}{nats(s.effect)}"
        for s in spans
        if abs(s.effect) >= 0.1
    )
    said = " · ".join(words)
    return [f"words, against the conversation {against}: {said}"] if said else []
