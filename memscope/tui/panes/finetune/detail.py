"""The candidate under the cursor: the prompt before it, its words by heat, the memories it leaned on, its alternate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container
from textual.timer import Timer

from memscope.actions.respond import Question
from memscope.base.errors import MemscopeError
from memscope.conversation.render import response_text
from memscope.reports.response import ResponseDocument
from memscope.tui.explaining import Explaining
from memscope.tui.panes.finetune.alternates import NOT_SET, Alternating
from memscope.tui.panes.finetune.candidate import leaned_on_none, show_alternate, told
from memscope.tui.panes.responses.response import Item, bars_of, text_heading
from memscope.tui.widgets.bars import Bars
from memscope.tui.widgets.diff_text import DiffText
from memscope.tui.widgets.paragraphs import Paragraphs
from memscope.tui.widgets.token_text import TokenText
from memscope.tui.widgets.words import Words

if TYPE_CHECKING:
    from memscope.conversation.model import Conversation
    from memscope.reports.candidates import Candidate
    from memscope.tui.pane import PaneScreen
    from memscope.tui.workspace import Workspace

_REST = 0.1  # seconds a cursor must stand still before something is asked for
_ALTERNATE = "-alternate"  # the class while alternates are shown


class CandidateDetail(Container):
    """See the module. `pane`: the one it is in; `ahead`: the responses that will be looked at next, whose alternates
    are fetched ahead."""

    def __init__(self, pane: PaneScreen, ahead: Callable[[], Sequence[int]]) -> None:
        super().__init__(id="candidate")
        self._pane = pane
        self._ahead = ahead
        self._conversation: Conversation | None = None
        self.message: int | None = None
        self._document: ResponseDocument | None = None
        self._timer: Timer | None = None
        self._explaining: Explaining | None = None
        self._alternating: Alternating | None = None

    def compose(self) -> ComposeResult:
        yield Paragraphs(id="candidate-prompt")
        with Container(id="candidate-read"):
            yield Words(id="candidate-heat")
            with Container(id="candidate-texts"):
                yield TokenText(id="candidate-text")
                yield DiffText(id="candidate-diff")
            yield Bars(id="candidate-bars")

    @property
    def bars(self) -> Bars:
        return self.query_one(Bars)

    @property
    def text(self) -> TokenText:
        return self.query_one(TokenText)

    @property
    def diff(self) -> DiffText:
        return self.query_one(DiffText)

    @property
    def _space(self) -> Workspace:
        return self._pane.workspace

    @property
    def _explains(self) -> Explaining:
        if self._explaining is None:
            console = self._pane.console
            self._explaining = Explaining(console.workspace, lambda _, found: self._found(found), console.tell_error)
        return self._explaining

    # What it shows.

    def show(self, conversation: Conversation | None, row: Candidate | None) -> None:
        """Another candidate, or news of the same; None: there is none."""
        self.display = row is not None
        if row is None or conversation is None:
            self._conversation = self.message = None
            return
        self.query_one("#candidate-prompt", Paragraphs).show(told(conversation, row))
        if row.message != self.message or conversation is not self._conversation:
            self._conversation, self.message, self._document = conversation, row.message, None
            self.text.show(response_text(conversation, row.message))
            self.text.heat(())
            self.bars.show(())
            self._space.select(response=row.message)
            self.ask_soon()
        self._say_why()
        self._show_alternate()

    def ask_soon(self) -> None:
        """What mattered to the response, once the cursor stands still."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_REST, self._ask)

    def _ask(self) -> None:
        self._timer = None
        space = self._space
        if self.message is None or space.run is None or space.conversation is not self._conversation:
            return
        question = Question(self.message, space.view.threshold, workers=space.settings.workers)
        self._explains.ask(question, whole=True)
        self._ask_alternate()

    def _found(self, document: ResponseDocument) -> None:
        if document.message != self.message:
            return
        self._document = document
        self.text.heat(document.heat)
        self.bars.show(bars_of(document, self._pane.signs))
        self._say_why()

    def _say_why(self) -> None:
        """The lines over the text and the bars."""
        scorer, document = self._space.scorer, self._document
        tokens = scorer.engine.capabilities.tokens if scorer is not None else None
        whole = document is not None and document.stripped is not None
        heading = text_heading(document, self.text, tokens=tokens, whole=whole)
        self.query_one("#candidate-heat", Words).tell(heading or f"#{self.message}")
        self.bars.heading = "the memories it leaned on, in nats" if self.bars.bars else ""
        self.bars.empty = leaned_on_none(document)

    def on_token_text_pointed(self) -> None:
        self._say_why()

    @property
    def memory(self) -> str | None:
        """The memory at the bars' cursor, while that is where the focus is."""
        here = self.bars.selected if self.bars.has_focus else None
        return here.key.key if here is not None and isinstance(here.key, Item) else None

    def copied(self) -> str | None:
        """What is copied where the focus is; None: it is not here."""
        if self.text.has_focus and self.text.spans:
            return "\n".join(self.text.text[start:end] for start, end in self.text.spans)
        if self.diff.has_focus and self._alternating is not None and self._conversation is not None:
            found = self._alternating.outcome(self._conversation, self.message) if self.message is not None else None
            return None if found is None or isinstance(found, MemscopeError) else found.written
        if self.memory is not None and self._conversation is not None and self.message is not None:
            return self._conversation.memory_text(self.memory, before=self.message)
        return None

    # The alternate.

    @property
    def _alternates(self) -> bool:
        return self.has_class(_ALTERNATE)

    def toggle_alternates(self) -> None:
        """Shows what a chat model answers without the memories, or no longer does."""
        console, space = self._pane.console, self._space
        if self._alternating is None:
            self._alternating = Alternating(space, lambda: console.call_soon(self._alternate_came))
        if not self._alternates and not self._alternating.possible:
            console.say(NOT_SET, "warning")
            return
        self.toggle_class(_ALTERNATE)
        if self._alternates and self.message is not None:
            self._ask_alternate()
            if self._alternates:  # there was an address to ask at
                console.say(f"prompts without memories, #{self.message} and the next, go to {space.settings.chat_url}")

    def ask_again(self) -> None:
        """Asks once more for the alternate that is shown, or could not be."""
        if self._alternates and self.message is not None:
            self._ask_alternate(again=True)
        else:
            self._pane.console.say("no alternate is shown; v shows it")

    def _ask_alternate(self, *, again: bool = False) -> None:
        """For the response that is shown, where alternates are, and for the next ones behind it. `again`: for the one
        that is shown, though it may be there."""
        alternating, conversation, message = self._alternating, self._conversation, self.message
        if not self._alternates or alternating is None or conversation is None or message is None:
            return
        try:
            alternating.ask(conversation, message, self._ahead(), again=again)
        except MemscopeError as error:
            self.remove_class(_ALTERNATE)
            self._pane.console.tell_error(error)
        self._show_alternate()

    def _show_alternate(self) -> None:
        alternating, conversation, message = self._alternating, self._conversation, self.message
        if alternating is None or conversation is None or message is None or not self._alternates:
            return
        waits = alternating.busy and alternating.asking in (None, message)
        said = response_text(replace(conversation, thinking=False), message)  # an alternate is shown without, too
        show_alternate(self.diff, said, message, alternating.outcome(conversation, message), asking=waits)

    def _alternate_came(self) -> None:
        if self.is_attached:
            self._show_alternate()
            self.screen.refresh_bindings()

    @property
    def asking(self) -> bool:
        """Whether a chat model is being asked."""
        return self._alternating is not None and self._alternating.busy

    def cancel(self) -> bool:
        """Asks for no alternate any more; False where none was."""
        cancelled = self._alternating is not None and self._alternating.cancel()
        self._show_alternate()
        return cancelled
