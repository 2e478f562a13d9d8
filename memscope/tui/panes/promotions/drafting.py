"""Drafts by a chat model: said first what is sent and where, asked for beside the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from memscope.actions.chat import chat, chat_is_set
from memscope.actions.promotion_chat import ChatDraft, draft_by_chat, sent_words
from memscope.base.errors import Cancelled, MemscopeError
from memscope.base.job import Job

if TYPE_CHECKING:
    from memscope.actions.promotion_decisions import Said
    from memscope.promotion.pattern import Pattern
    from memscope.tui.app import MemscopeApp
    from memscope.tui.background import Task

GROUP = "promotion draft"
NOT_SET = "no chat server is set: the setting chat_url (, shows them), or MEMSCOPE_CHAT_URL"


class Drafting:
    """`wrote` is told of what a chat model wrote, and says whether that is kept; `ended` is called when nothing is
    asked for any more."""

    def __init__(
        self, console: MemscopeApp, wrote: Callable[[Pattern, ChatDraft], bool], ended: Callable[[], object]
    ) -> None:
        self._console = console
        self._wrote = wrote
        self._ended = ended
        self._agreed: set[tuple[str, str]] = set()  # whom to ask, a person has said yes to
        self._asked: set[str] = set()  # patterns for which an answer came and was kept
        self._signature = ""  # of the pattern that was asked for last

    @property
    def task(self) -> Task | None:
        """What runs; None where nothing does."""
        return self._console.workspace.background.task(GROUP)

    def cancel(self) -> bool:
        """False where nothing was asked for."""
        return self._console.workspace.background.cancel(GROUP)

    def ask(self, pattern: Pattern, said: Said) -> None:
        """Asks for a draft, the first time once a person has agreed."""
        console, settings = self._console, self._console.workspace.settings
        if not chat_is_set(settings):
            console.say(NOT_SET, "warning")
            return
        if self.task is not None:
            which = "this pattern" if self._signature == pattern.signature else "another pattern"
            console.say(f"the chat model is asked about {which} still; x stops that")
            return
        try:
            words = sent_words(settings, pattern, said)
        except MemscopeError as error:
            console.say(str(error), "warning")
            return
        whom = settings.chat_url, settings.chat_model
        if whom in self._agreed:
            self._start(pattern, said, words)
            return
        from memscope.tui.dialogs.choice import Confirm

        def answered(yes: bool | None) -> None:
            if yes:
                self._agreed.add(whom)
                self._start(pattern, said, words)

        console.push_screen(
            Confirm("Send this pattern to the chat model?", "Send it", "Not now", hint=f"{words}."), answered
        )

    def _start(self, pattern: Pattern, said: Said, words: str) -> None:
        """`words`: what is sent, said once something is: an answer that was kept is taken."""
        space, again = self._console.workspace, pattern.signature in self._asked
        settings, database = space.settings, space.kept.database
        self._signature = pattern.signature

        def tell() -> None:  # in the working thread
            self._console.call_soon(self._console.say, words)

        def work(job: Job) -> ChatDraft:
            with chat(settings, database) as model:
                return draft_by_chat(pattern, said, model, job, again=again, sending=tell)

        def done(draft: ChatDraft) -> None:
            if self._wrote(pattern, draft):
                self._asked.add(pattern.signature)
            self._ended()

        def failed(error: MemscopeError) -> None:
            if isinstance(error, Cancelled):
                self._console.say("no draft is asked for any more")
            else:
                self._console.tell_error(error)
            self._ended()

        space.background.start(GROUP, "asking the chat model for a draft", work, done, failed)
        self._ended()
