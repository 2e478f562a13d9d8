"""One response for a terminal: its memories, and its text with the words they moved."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from rich.text import Text

from memscope.base.text import clean, clean_line
from memscope.cli.colours import effect_style
from memscope.reports.response import RESPONSE, ResponseDocument
from memscope.reports.view import nats

if TYPE_CHECKING:
    from memscope.cli.session import Session

_WORDS = 8
_LONGEST_TEXT = 4000  # characters of a response shown
_SMALL = 0.5  # nats: what a table folds away


def print_response(opened: Session, document: ResponseDocument) -> None:
    """The document; as a table, with the response's text and strongest words below it."""
    console = opened.console
    if document.selection is not None and not opened.scorer.engine.capabilities.tokens:
        console.note("this engine gives no tokens: the effects are those on the whole response")
    if console.form != "table":
        console.document(RESPONSE, document)
        return
    console.heading(opened.heading(document.reason))
    if document.text:
        console.text(Text(_title(document), style="bold"), _shaded(document), "")
    if document.text and document.reason is None:
        _print_memories(opened, document)
    if document.heat:
        console.text("", *_strongest_words(document))


def _title(document: ResponseDocument) -> str:
    if document.selection is None:
        return f"#{document.message}"
    places = len(document.selection.spans)
    said = f"#{document.message}, for {clean_line(document.selection.text)!r}"
    return said if places == 1 else f"{said} in {places} places"


def _print_memories(opened: Session, document: ResponseDocument) -> None:
    """What mattered, what spoke against it, and what is not known."""
    console = opened.console
    clear = [row for row in document.important if row.effect >= _SMALL or row.verdict == "redundant"]
    clear = clear or document.important[:1]
    small = len(document.important) - len(clear)
    if rows := [*clear, *document.redundant]:
        console.table(RESPONSE.columns(document), rows)
    else:
        console.text("no memory mattered to it above the cutoff")
    if small:
        console.text(Text(f"and {small} more under half a nat", "dim"))
    for row in document.against:
        if row.effect <= -_SMALL:
            console.text(f"less likely with {clean_line(row.key)}: {nats(row.effect)} nats")
    for said in document.already_said:
        console.text(f"{clean_line(said.key)}: already said in response #{said.message}")
    for failed in document.failed:
        console.text(f"could not be scored: {clean_line(failed.key)}: {clean_line(failed.error)}")


def _shaded(document: ResponseDocument) -> Text:
    """The response's text, with the words that the memories moved in colour, and underlined where that is not seen."""
    end = min(len(document.text), _LONGEST_TEXT)
    text = Text()
    at = 0
    for span in document.heat:
        if span.start >= end:
            break
        text.append(clean(document.text[at : span.start]))
        moved = abs(span.effect) >= log(2)
        style = effect_style(span.effect, underline=True) if moved else None
        text.append(clean(document.text[span.start : span.end]), style)
        at = span.end
    text.append(clean(document.text[at:end]))
    return text.append("…") if end < len(document.text) else text


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
