"""Rules derived from the episodes: said first what is sent and where, asked for beside the screen, then looked at.

An answer that is on disk is taken without a question: nothing is sent for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from memscope.actions import consolidation
from memscope.actions.chat import chat, chat_is_set
from memscope.actions.consolidation import Proposal, has_answer, propose, sent_words
from memscope.base.errors import Cancelled, MemscopeError, UsageError
from memscope.tui.panes.lessons.asking import ask_sent

if TYPE_CHECKING:
    from memscope.actions.lessons import Lessons
    from memscope.base.job import Job
    from memscope.tui.app import MemscopeApp
    from memscope.tui.background import Task

GROUP = "lessons rules"


class Consolidating:
    """`derived` is told of what was proposed; `ended` is called when nothing is asked for any more."""

    def __init__(
        self, console: MemscopeApp, derived: Callable[[Proposal], object], ended: Callable[[], object]
    ) -> None:
        self._console = console
        self._derived = derived
        self._ended = ended
        self._agreed: set[tuple[str, str, str]] = set()  # whom to ask, and how, a person has said yes to
        self._refused: Proposal | None = None  # the latest that a person did not want

    @property
    def task(self) -> Task | None:
        """What runs; None where nothing does."""
        return self._console.workspace.background.task(GROUP)

    def cancel(self) -> bool:
        """False where nothing was asked for."""
        return self._console.workspace.background.cancel(GROUP)

    def refused(self, proposal: Proposal) -> None:
        """A person did not want it: the same is not offered again where a model may think of another."""
        self._refused = proposal

    def ask(self, lessons: Lessons) -> None:
        """Derives rules; where episodes are sent for that, the first time once a person has agreed."""
        if self.task is not None:
            self._console.say("rules are being derived; x stops that")
        else:
            self._start(lessons, has_just_agreed=False)

    def _start(self, lessons: Lessons, *, has_just_agreed: bool) -> None:
        console, space = self._console, self._console.workspace
        settings, database = space.settings, space.kept.database
        whom = settings.chat_url, settings.chat_model, settings.compat
        is_agreed, screen, refused = whom in self._agreed, console.screen, self._refused
        again = refused is not None and refused.path == lessons.path and refused.before == lessons.memory

        def tell() -> None:  # in the working thread
            if not has_just_agreed:  # else the dialog before said it
                console.call_soon(console.say, sent_words(settings, lessons.memory))

        def work(job: Job) -> Proposal | str:
            """What is proposed, or the words for what would be sent, where nobody agreed to that yet."""
            if not chat_is_set(settings):
                return propose(lessons, settings, None, job)
            try:
                with chat(settings, database, timeout=consolidation.TIMEOUT) as model:
                    if not is_agreed and (again or not has_answer(lessons, settings, model)):
                        return sent_words(settings, lessons.memory)
                    return propose(lessons, settings, model, job, again=again, sending=tell)
            except UsageError as error:  # its address is none
                return replace(propose(lessons, settings, None, job), trouble=str(error))

        def go_on() -> None:
            self._agreed.add(whom)
            self._start(lessons, has_just_agreed=True)

        def done(made: Proposal | str) -> None:
            self._ended()
            if isinstance(made, Proposal):
                self._derived(made)
            elif console.screen is screen:
                ask_sent(console, made, go_on)
            else:
                console.say("nothing was sent to derive rules; c in Lessons asks about that")

        def failed(error: MemscopeError) -> None:
            if isinstance(error, Cancelled):
                self._console.say("no rules are derived any more; nothing was written")
            else:
                self._console.tell_error(error)
            self._ended()

        space.background.start(GROUP, "deriving rules", work, done, failed)
        self._ended()
