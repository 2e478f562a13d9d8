"""What a chat model answers in place of responses when it sees no memory."""

from __future__ import annotations

from functools import cached_property

from memscope.actions.chat import TEMPERATURE
from memscope.base.errors import UsageError
from memscope.base.job import Job
from memscope.clients.kept_chat import KeptChat
from memscope.conversation.model import Conversation
from memscope.reports.alternate import Alternate, alternate_row
from memscope.triage.chat_lines import Example, Examples


class Alternates:
    """The alternates to the responses of one conversation, from one chat model. Safe to use from any thread.

    They are kept by what was asked, which is what a line of training data has before the response: so they outlast
    another engine, other memories and a conversation that goes on.
    """

    def __init__(self, conversation: Conversation, model: KeptChat) -> None:
        self._conversation = conversation
        self._model = model

    def ask(self, message: int, job: Job, *, again: bool = False) -> Alternate:
        """What the model answers to the prompt up to the response at `message` with all memories removed, at
        temperature 0. `again`: it is asked even where its answer is kept. Raises `UsageError`, `EngineError`,
        `Cancelled`."""
        asked = self._asked(message)
        kept = self._model.reply(asked.prompt, job, tools=asked.tools, temperature=TEMPERATURE, again=again)
        return alternate_row(message, kept)

    def cached(self, message: int) -> Alternate | None:
        """What the model was found to answer before; None where it was not asked yet. Asks nobody. Raises `UsageError`,
        `StoreError`."""
        asked = self._asked(message)
        kept = self._model.look(asked.prompt, tools=asked.tools, temperature=TEMPERATURE)
        return alternate_row(message, kept) if kept is not None else None

    @cached_property
    def _examples(self) -> Examples:
        return Examples(self._conversation)

    def _asked(self, message: int) -> Example:
        """What was said before a response."""
        if message not in self._conversation.responses:
            raise UsageError(f"#{message} is no response", do="Only the place of one has an alternate.")
        example = self._examples.example(message)
        if not example.prompt:
            raise UsageError(f"nothing stands before #{message} without the memories, so there is nothing to ask")
        return example
