"""Insights by a chat model: the prompt is shown first, and sent when a person says so; beside the screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memscope.actions.chat import chat, chat_is_set
from memscope.actions.synthesis import Prepared, Synthesis, as_insight, has_answer, prepare, sent_words, synthesize
from memscope.base.errors import Cancelled, MemscopeError
from memscope.base.job import Job
from memscope.tui.panes.insights.asking import ask_sent
from memscope.tui.panes.insights.prompt_view import NOT_SET

if TYPE_CHECKING:
    from memscope.actions.insights import Observed
    from memscope.base.settings import Settings
    from memscope.insights.model import Insight
    from memscope.reports.insights_prompt import InsightsPromptDocument
    from memscope.tui.app import MemscopeApp
    from memscope.tui.background import Task

_PREPARING, _ASKING = "insight prompt", "insight synthesis"  # groups of work


@dataclass(frozen=True, slots=True)
class Prompted:
    """A prompt, and what it was made of: what was `observed`, in all sessions (None) or in these, and the settings."""

    observed: Observed
    sessions: frozenset[str] | None
    settings: Settings
    prepared: Prepared
    document: InsightsPromptDocument


class Synthesizing:
    """`said` is told of the insights there are of an answer; `changed` is called when there is something else to show.

    `prompted`: the prompt that is shown; `outcome`: what was answered to it last; `trouble`: why the latest question
    after that has no answer."""

    def __init__(
        self, console: MemscopeApp, said: Callable[[Sequence[Insight]], object], changed: Callable[[], object]
    ) -> None:
        self.prompted: Prompted | None = None
        self.outcome: Synthesis | None = None
        self.trouble: MemscopeError | None = None
        self._console = console
        self._said = said
        self._changed = changed
        self._agreed: set[tuple[str, str]] = set()  # whom to ask, a person has said yes to

    @property
    def preparing(self) -> Task | None:
        return self._console.workspace.background.task(_PREPARING)

    @property
    def asking(self) -> Task | None:
        return self._console.workspace.background.task(_ASKING)

    @property
    def task(self) -> Task | None:
        """What runs; None where nothing does."""
        return self.asking or self.preparing

    def cancel(self) -> bool:
        """False where nothing runs."""
        background = self._console.workspace.background
        return background.cancel(_ASKING) or background.cancel(_PREPARING)  # one at a time

    # The prompt.

    def is_of(self, observed: Observed, sessions: frozenset[str] | None) -> bool:
        """Whether the prompt that is shown is one of these, and would be the same now."""
        one = self.prompted
        return one is not None and one.observed is observed and one.sessions == sessions and self._is_as_set(one)

    def _is_as_set(self, one: Prompted) -> bool:
        return _asking_part(one.settings) == _asking_part(self._console.workspace.settings)

    def as_set(self) -> None:
        """Makes the prompt that is shown anew, where the settings of what is asked, or whom, are others now."""
        one = self.prompted
        if one is not None and self.task is None and not self._is_as_set(one):
            self.show_prompt(one.observed, one.sessions)

    def show_prompt(self, observed: Observed, sessions: frozenset[str] | None) -> None:
        """Makes the prompt of what was observed in all sessions, or in these; nothing is sent."""
        space = self._console.workspace
        settings, database = space.settings, space.kept.database

        def work(job: Job) -> Prompted:
            prepared, cached = prepare(observed, settings, job, sessions=sessions), False
            if chat_is_set(settings):
                with chat(settings, database) as model:
                    cached = has_answer(prepared, model)
            return Prompted(observed, sessions, settings, prepared, prepared.document(settings, cached=cached))

        def done(prompted: Prompted) -> None:
            self.prompted, self.outcome, self.trouble = prompted, None, None
            self._changed()

        def failed(error: MemscopeError) -> None:
            self._failed(error, "no prompt was made")

        space.background.start(_PREPARING, "making the prompt", work, done, failed)
        self._changed()

    # Asking.

    def send(self, *, again: bool = False) -> None:
        """Asks with the prompt that is shown, the first time of a server and model once a person has agreed; an answer
        that is kept is taken, unless it is to be asked `again`."""
        one, settings = self.prompted, self._console.workspace.settings
        whom = settings.chat_url, settings.chat_model
        if one is None or not one.document.sessions:
            self._console.say("there is nothing to send: no session says anything")
        elif not chat_is_set(settings):
            self._console.say(NOT_SET, "warning")
        elif whom in self._agreed or (one.document.cached and not again):
            self._ask(one, again=again)
        else:

            def agreed() -> None:
                self._agreed.add(whom)
                if self.prompted is one and self.task is None:
                    self._ask(one, again=again, told=True)

            ask_sent(self._console, sent_words(settings, one.prepared), agreed)

    def _ask(self, one: Prompted, *, again: bool, told: bool = False) -> None:
        """`told`: it was said just now what is sent where."""
        database, words = self._console.workspace.kept.database, sent_words(one.settings, one.prepared)

        def tell() -> None:  # in the working thread
            if not told:
                self._console.call_soon(self._console.say, words)

        def work(job: Job) -> tuple[Synthesis, MemscopeError | None]:
            with chat(one.settings, database) as model:
                return synthesize(one.prepared, model, job, again=again, sending=tell), model.trouble

        def done(answer: tuple[Synthesis, MemscopeError | None]) -> None:
            outcome, trouble = answer
            if self.prompted is one:
                self.outcome, self.trouble = outcome, None
            if trouble is not None:
                self._console.say(f"the answer is not kept: {trouble}", "warning")
            if outcome.insights:
                self._said(outcome.insights)
            elif outcome.parse_error:
                self._console.say("no insight could be made of the answer; v shows it", "warning")
            else:
                self._console.say(f"{outcome.model} sees nothing to remember in this")
            self._changed()

        def failed(error: MemscopeError) -> None:
            if self.prompted is one:
                self.trouble = error
            self._failed(error, "no answer is waited for any more")

        background = self._console.workspace.background
        background.start(_ASKING, "asking the chat model for insights", work, done, failed)
        self._changed()

    def keep_reply(self) -> None:
        """Makes an insight of an answer of which none could be made."""
        one, outcome = self.prompted, self.outcome
        if one is None or outcome is None or not outcome.parse_error:
            self._console.say("w makes an insight of an answer that cannot be read, and there is none")
        elif not outcome.may_be_kept:
            self._console.say("the answer is empty: there is nothing to make an insight of")
        else:
            insight = as_insight(outcome, one.prepared)
            self.outcome = replace(outcome.without_error(), insights=(insight,))
            self._said([insight])
            self._changed()

    def _failed(self, error: MemscopeError, stopped: str) -> None:
        if isinstance(error, Cancelled):
            self._console.say(stopped)
        else:
            self._console.tell_error(error)
        self._changed()


def _asking_part(settings: Settings) -> Mapping[str, object]:
    """The settings that say what is asked, and whom."""
    told = settings.model_dump()
    return {name: value for name, value in told.items() if name == "compat" or name.startswith(("chat_", "insight_"))}
