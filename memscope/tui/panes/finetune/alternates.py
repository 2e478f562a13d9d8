"""Alternates to the responses that are looked at: asked for beside the screen, the next ones ahead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from memscope.actions.ahead import Ahead
from memscope.actions.alternates import Alternates
from memscope.actions.chat import chat_is_set, open_chat
from memscope.base.errors import MemscopeError

if TYPE_CHECKING:
    from memscope.base.job import Job
    from memscope.clients.kept_chat import KeptChat
    from memscope.conversation.model import Conversation
    from memscope.reports.alternate import Alternate
    from memscope.tui.workspace import Workspace

_AHEAD = 3
NOT_SET = "no chat server is set: the setting chat_url (, shows them), or MEMSCOPE_CHAT_URL"


class Alternating:
    """`changed` is called in any thread when something came, or did not. Nothing is asked before `ask`."""

    def __init__(self, space: Workspace, changed: Callable[[], None]) -> None:
        self._space = space
        self._changed = changed
        self._conversation: Conversation | None = None
        self._asked: tuple[object, ...] = ()  # of whom
        self._chat: KeptChat | None = None
        self._ahead: Ahead[int, Alternate] | None = None
        self._afresh: set[int] = set()  # to be asked for, though the answer may be kept

    @property
    def possible(self) -> bool:
        """Whether there is a chat server to ask."""
        return chat_is_set(self._space.settings)

    @property
    def asking(self) -> int | None:
        """The response whose alternate is being asked for."""
        return self._ahead.current if self._ahead is not None else None

    @property
    def busy(self) -> bool:
        return self._ahead is not None and self._ahead.busy

    def ask(self, conversation: Conversation, message: int, then: Sequence[int], *, again: bool = False) -> None:
        """Asks for the alternate of one response, and for the first few of others behind it. `again`: what came of the
        one before, or was kept, does not count. Raises `UsageError`."""
        settings = self._space.settings
        asked = (settings.chat_url, settings.chat_model, settings.timeout)
        if self._ahead is None or conversation is not self._conversation or asked != self._asked:
            self.close()
            self._chat = open_chat(settings, self._space.kept.database)
            self._ahead = self._asking(Alternates(conversation, self._chat))
            self._conversation, self._asked = conversation, asked
        if again:
            self._afresh.add(message)
            self._ahead.again(message)
        else:
            self._ahead.want(message, then[:_AHEAD])

    def _asking(self, alternates: Alternates) -> Ahead[int, Alternate]:
        self._afresh = afresh = set[int]()

        def fetch(message: int, job: Job) -> Alternate:
            again = message in afresh
            afresh.discard(message)
            return alternates.ask(message, job, again=again)

        return Ahead(fetch, self._changed)

    def outcome(self, conversation: Conversation, message: int) -> Alternate | MemscopeError | None:
        """What came of it; None: nothing yet."""
        if self._ahead is None or conversation is not self._conversation:
            return None
        return self._ahead.outcome(message)

    def cancel(self) -> bool:
        """False where nothing was asked for."""
        if not self.busy or self._ahead is None:
            return False
        self._ahead.cancel()
        return True

    def close(self) -> None:
        """Forgets what was found; what is on its way is dropped."""
        if self._ahead is not None:
            self._ahead.cancel()
        if self._chat is not None:
            self._chat.close()
        self._conversation = self._ahead = self._chat = None
