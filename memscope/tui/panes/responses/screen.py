"""The Responses pane: the transcript folded to its responses, and what mattered to the one under the cursor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Container
from textual.timer import Timer
from textual.widget import Widget

from memscope.actions.respond import Question
from memscope.base.text import Span
from memscope.conversation.model import Conversation
from memscope.conversation.render import response_text
from memscope.reports.figures import ResponseFigures, response_figures
from memscope.reports.response import ResponseDocument
from memscope.tui.explaining import Explaining
from memscope.tui.keys import key
from memscope.tui.marking import ask_mark, first_markable, undo_mark
from memscope.tui.pane import SCORING, THRESHOLD, WINDOWS, Exported, PaneScreen
from memscope.tui.panes.responses.response import (
    HELP,
    Item,
    bars_heading,
    bars_of,
    exports_of,
    memory_words,
    message_copied,
    no_bars,
    no_messages,
    not_found,
    text_heading,
)
from memscope.tui.widgets.bars import Bars
from memscope.tui.widgets.lines import LineScroll
from memscope.tui.widgets.token_text import TokenText
from memscope.tui.widgets.transcript import Transcript
from memscope.tui.widgets.words import Words
from memscope.tui.workspace import Change

_REST = 0.1  # seconds a cursor must stand still before something is asked for
_LIVE = 0.5  # seconds between two looks at a response while its numbers land


class ResponsesScreen(PaneScreen):
    """See the module."""

    NAME = "Responses"
    CSS_PATH = "screen.tcss"
    HELP = HELP

    BINDINGS: ClassVar[list[BindingType]] = [
        key("responses.heat", "a", "heat", "Heat", "Heat of all memories, or of the one at the bars' cursor"),
        key("responses.why", "w", "why", "Why", "Score the context up to this response alone"),
        THRESHOLD,
        *SCORING,
        *WINDOWS,
        *Transcript.BINDINGS,  # they act on the list from anywhere in the pane
    ]

    def __init__(self) -> None:
        super().__init__()
        self._message: int | None = None
        self._spans: tuple[Span, ...] = ()
        self._all = True  # the heat is that of all memories
        self._memory: str | None = None  # what the workspace pointed at when this pane last looked
        self._document: ResponseDocument | None = None
        self._figures: dict[int, ResponseFigures] = {}
        self._seen: tuple[object, float] | None = None
        self._timer: Timer | None = None
        self._explaining: Explaining | None = None

    def body(self) -> Iterable[Widget]:
        yield Container(
            Transcript(responses_only=True, id="responses-list"),
            Container(
                Bars(id="response-bars"),
                Words(id="response-memory"),
                Words(id="response-heat"),
                TokenText(id="response-text"),
                id="response",
            ),
            id="responses",
        )

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)

    @property
    def bars(self) -> Bars:
        return self.query_one(Bars)

    @property
    def text(self) -> TokenText:
        return self.query_one(TokenText)

    @property
    def explaining(self) -> Explaining:
        if self._explaining is None:
            self._explaining = Explaining(self.workspace, self._found, self.console.tell_error, self.console.screened)
        return self._explaining

    # What changes.

    def changed(self, change: Change) -> None:
        super().changed(change)
        if change.loaded:
            self._load()
        if change.loaded or change.view:
            self._count()
            self._ask_soon()
        elif change.rows:
            self._ask_soon(_LIVE, again=False)
        if change.selection:
            self._point()
        if change.phase:
            self.transcript.empty = no_messages(self.workspace)
            if self.workspace.phase != "running":
                self._ask_soon()
            self._say_why()

    def _load(self) -> None:
        """Another conversation, or coming here."""
        space = self.workspace
        conversation = space.conversation or Conversation(())
        self.transcript.empty = no_messages(space)
        if conversation is not self.transcript.conversation:
            self.explaining.forget()
            self.transcript.show(conversation)
            self._message, self._memory, self._all = None, None, True
            if space.response in conversation.responses:
                self.transcript.jump(space.response)
        if self.focused is None:
            self.transcript.focus()
        self._follow()

    def _count(self) -> None:
        """The numbers beside the responses."""
        space = self.workspace
        seen = (space.matrix, space.view.threshold)
        if seen != self._seen:
            self._seen = seen
            self._figures = response_figures(space.matrix, space.view.threshold) if space.matrix is not None else {}
            self.transcript.figures(self._figures)

    def _point(self) -> None:
        """To the response and the memory that the workspace points at."""
        space = self.workspace
        if space.response is not None and space.response != self._message:
            self.transcript.jump(space.response)
            self._follow()
        if space.memory is not None and space.memory != self._memory:
            self._memory, self._all = space.memory, False
            self._ask_soon()

    def _follow(self) -> None:
        """Shows the response under the list's cursor; another message leaves what is shown."""
        conversation, message = self.workspace.conversation, self.transcript.message
        there = conversation is not None and message is not None and conversation.messages[message].is_response
        if conversation is None or (self._message is None and not there):
            self._clear()
            self.text.show("")
            self._say_why()
            return
        if not there or message is None or message == self._message:
            return
        self._clear()
        self._message = message
        self._say_why()
        self.text.show(response_text(conversation, message))
        self.workspace.select(response=message)
        self._ask_soon()

    def _clear(self) -> None:
        self._message, self._document, self._spans = None, None, ()
        self.bars.show(())

    # Asking what mattered.

    def _ask_soon(self, seconds: float = _REST, *, again: bool = True) -> None:
        """Once the cursor stands still: a held key goes by many responses. `again`: what was to be asked can wait."""
        if self._timer is not None:
            if not again:
                return
            self._timer.stop()
        self._timer = self.set_timer(seconds, self._ask)

    def _ask(self) -> None:
        self._timer = None
        self._count()
        if self._message is not None and self.workspace.run is not None:
            figures = self._figures.get(self._message)
            self.explaining.ask(self._question, whole=figures is not None and figures.left_out == 0)

    @property
    def _question(self) -> Question:
        assert self._message is not None
        space, memory = self.workspace, None if self._all else self._memory
        of_words = bool(self._spans) and space.scorer is not None and space.scorer.engine.capabilities.tokens
        # The threshold is of whole responses: a few words are moved by less.
        threshold = 0.0 if of_words else space.view.threshold
        return Question(self._message, threshold, memory, self._spans, space.settings.workers)

    def _found(self, question: Question, document: ResponseDocument) -> None:
        if question.message != self._message:
            return
        of_these = [row.key for row in (*document.important, *document.against)]
        known = document.left_out == 0  # or its effect may still come
        if known and question.memory is not None and question.memory not in of_these and not question.spans:
            self._all = True  # it did nothing here that could be shown
            self._ask_soon()
        self._document = document
        self.bars.show(bars_of(document, self.signs))
        if question.memory is not None and not self.bars.has_focus:
            self.bars.select(Item("effect", question.memory))
        if not question.spans or not self.text.heated:
            self.text.heat(document.heat)
        self._say_why()

    def _say_why(self) -> None:
        """The lines around the bars and over the text."""
        space, document = self.workspace, self._document
        figures = self._figures.get(self._message) if self._message is not None else None
        tokens = space.scorer.engine.capabilities.tokens if space.scorer is not None else None
        self.bars.empty = no_bars(space, document) if self._message is not None else ""
        self.bars.heading = bars_heading(document, figures, tokens=tokens is not False) if document else self._waiting
        item, words = self._item, ""
        if document is not None and space.conversation is not None and item is not None:
            words = memory_words(space.conversation, document, item)
        self.query_one("#response-memory", Words).tell(words)
        whole = document is not None and document.stripped is not None
        heading = text_heading(document, self.text, tokens=tokens, whole=whole)
        self.query_one("#response-heat", Words).tell(heading)

    @property
    def _waiting(self) -> str:
        return f"#{self._message} …" if self._message is not None else ""

    @property
    def _item(self) -> Item | None:
        """What the bars' cursor is on."""
        found = self.bars.selected.key if self.bars.selected is not None else None
        return found if isinstance(found, Item) else None

    def arrive(self, hint: str) -> None:
        """`heat`: that of the memory pointed at; `why`: score this response too; `mark`: to make lines a memory."""
        self.transcript.focus()
        if hint == "mark":
            self.transcript.show_level(responses_only=False)
            self.transcript.jump(first_markable(self.workspace))
        elif self.workspace.memory is not None:
            self._memory, self._all = self.workspace.memory, False
            self._ask_soon()
        if hint == "why":
            self.action_why()

    # What is pointed at.

    def on_line_scroll_moved(self, event: LineScroll.Moved) -> None:
        if event.lines is self.transcript:
            self._follow()
        elif event.lines is self.bars:
            item = self._item
            if item is not None and self.bars.has_focus and item.key != self._memory:
                self._memory = item.key
                self.workspace.select(memory=item.key)
                if not self._all:
                    self._ask_soon()
            self._say_why()

    def on_line_scroll_chosen(self, event: LineScroll.Chosen) -> None:
        event.lines.focus()
        self.action_deeper()

    def on_token_text_pointed(self) -> None:
        self._say_why()

    def on_token_text_selected(self, event: TokenText.Selected) -> None:
        self._spans = event.spans
        self._ask_soon()
        self._say_why()

    # Keys.

    def action_deeper(self) -> None:
        if self.transcript.has_focus:
            self._deeper_from_list()
        elif self.text.has_focus:
            if not self.text.spans:
                self.text.mark()
                self.text.mark()
            self.bars.focus()
        elif self._item is not None:
            item = self._item
            if item.kind == "said":
                self.console.go("responses", memory=item.key, response=item.message)
            else:
                self.console.go("memories", memory=item.key)

    def _deeper_from_list(self) -> None:
        if self.transcript.message == self._message and self._message is not None:
            (self.bars if self.bars.bars or self._document is None else self.text).focus()
        else:
            self.transcript.action_fold()

    def inner_back(self) -> bool:
        if self.text.clear_selection() or self.transcript.clear_selection():
            return True
        if self.transcript.has_focus or self.focused is None:
            return False
        self.transcript.focus()
        return True

    def action_mark(self) -> None:
        if self.text.has_focus:
            self.text.mark()
        elif not self.transcript.has_focus or not self.transcript.mark():
            self.console.say("in the text, space selects words; in the list, lines of a message that z unfolds")

    def action_fold(self) -> None:
        self.transcript.action_fold()

    def action_level(self) -> None:
        self.transcript.action_level()

    def action_ask_mark(self) -> None:
        self.transcript.action_ask_mark()

    def action_heat(self) -> None:
        if self._all and self._item is None:
            self.console.say("there is no memory to take the heat of")
            return
        self._all = not self._all
        if self._item is not None:
            self._memory = self._item.key
        self._ask_soon()

    def action_why(self) -> None:
        space = self.workspace
        if self._message is None:
            self.console.say("there is no response here")
        elif space.phase == "running" and space.scorer is None:
            self.console.say("the engine is still being opened")
        elif self._scored:
            self.console.say("all of it is scored already")
        else:
            message = self._message
            self.explaining.why(self._question, lambda scored: self._scored_alone(message, scored))
            self.console.say(f"scoring the context up to #{message}; x cancels")

    @property
    def _scored(self) -> bool:
        """Whether the run has every number of the response that is shown, that of all memories included."""
        self._count()
        figures = self._figures.get(self._message) if self._message is not None else None
        return figures is not None and figures.left_out == 0 and figures.gap is not None

    def _scored_alone(self, message: int, scored: bool) -> None:
        """The scoring of a response by itself has ended, and so has what was said of it."""
        self.console.say(f"#{message} is scored by itself" if scored else f"#{message} is not scored by itself")

    def action_find_next(self) -> None:
        self._step(backwards=False)

    def action_find_previous(self) -> None:
        self._step(backwards=True)

    def _step(self, *, backwards: bool) -> None:
        if not self.transcript.find_next(backwards=backwards):
            self.console.say(
                "nothing is searched for; / does" if not self.transcript.searching else not_found(self.transcript)
            )

    def find_words(self, words: str) -> None:
        if not self.transcript.find(words):
            self.console.say(not_found(self.transcript))

    def on_transcript_mark_asked(self, event: Transcript.MarkAsked) -> None:
        ask_mark(self.console, event.message, event.start, event.end, self.transcript.clear_selection)

    def action_undo(self) -> None:
        undo_mark(self.console)

    # What leaves the pane.

    def copied(self) -> str | None:
        conversation, item = self.workspace.conversation, self._item
        if conversation is None:
            return None
        if self.text.has_focus:
            return "\n".join(self.text.text[start:end] for start, end in self.text.spans) or self.text.text
        if self.bars.has_focus:
            return conversation.memory_text(item.key, before=self._message or 0) if item is not None else None
        return message_copied(conversation, self.transcript)

    def exports(self) -> list[Exported]:
        return exports_of(self.workspace, self._document)
