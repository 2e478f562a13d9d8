"""Alternates to the responses that are looked at: asked for beside the screen, the next ones ahead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from memscope.actions.ahead import Ahead
from memscope.actions.alternates import Alternates
from memscope.actions.chat import chat_is_set, open_chat
from memscope.base.errors import MemscopeError

if TYPE_CHECKING:
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
        self._of: tuple[object, ...] = ()
        self._chat: KeptChat | None = None
        self._ahead: Ahead[int, Alternate] | None = None

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

    def ask(self, conversation: Conversation, message: int, then: Sequence[int]) -> None:
        """Asks for the alternate of one response, and for the first few of others behind it. Raises `UsageError`."""
        settings = self._space.settings
        of = (id(conversation), settings.chat_url, settings.chat_model, settings.timeout)
        if of != self._of or self._ahead is None:
            self.close()
            self._chat = open_chat(settings, self._space.kept.database)
            self._ahead = Ahead(Alternates(conversation, self._chat).ask, self._changed)
            self._of = of
        self._ahead.want(message, then[:_AHEAD])

    def again(self, message: int) -> None:
        """Asks once more where it failed."""
        if self._ahead is not None:
            self._ahead.again(message)

    def outcome(self, message: int) -> Alternate | MemscopeError | None:
        """What came of it; None: nothing yet."""
        return self._ahead.outcome(message) if self._ahead is not None else None

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
        self._of, self._ahead, self._chat = (), None, None
