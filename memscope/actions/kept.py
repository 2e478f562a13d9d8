"""What the console remembers from one time to the next: where you were, how you looked, what you opened.

It is a convenience, so nothing of that ever fails aloud: a store that cannot be read remembers nothing, and writing is
left to a thread, because another process may hold the store for a moment.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Any

from memscope.base.errors import StoreError, UsageError
from memscope.conversation.model import Conversation
from memscope.store.database import Database
from memscope.store.recents import Recents
from memscope.store.view_state import ViewState


class Kept:
    """`database`: None keeps nothing. `trouble`: what went wrong first, if anything did."""

    def __init__(self, database: Database | None) -> None:
        self.database = database
        self.trouble: StoreError | None = None
        self._waiting: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._writer: threading.Thread | None = None

    def needed_for(self, what: str) -> Database:
        """The store, for what is kept nowhere else; `what` in the plural. Raises `UsageError` where there is none."""
        if self.database is None:
            why = f"cannot be used: {self.trouble}" if self.trouble else "is off (--no-store)"
            do = "Start memscope with a store that can be written."
            raise UsageError(f"{what} are kept in the store, which {why}", do=do)
        return self.database

    def state(self, name: str) -> dict[str, Any]:
        """What was kept under a name; empty when nothing was."""
        if self.database is None:
            return {}
        try:
            return ViewState(self.database).get(name)
        except StoreError as error:
            self.trouble = self.trouble or error
            return {}

    def keep(self, name: str, state: Mapping[str, Any]) -> None:
        """Keeps a small object of JSON values under a name, soon."""
        if self.database is not None:
            store, frozen = ViewState(self.database), json.loads(json.dumps(state))
            self._soon(lambda: store.put(name, frozen))

    def opened(self, conversation: Conversation, memories: tuple[str, ...] = ()) -> None:
        """Remembers that a conversation was opened."""
        source = conversation.source
        if self.database is not None and source is not None:
            recents = Recents(self.database)
            path, item, window, title = str(source.path.absolute()), source.item, source.window, conversation.title
            self._soon(lambda: recents.opened(path, item, window, title, memories))

    def close(self, patience: float = 0.3) -> None:
        """Waits at most so many seconds for what is still to be written."""
        if self._writer is not None:
            self._waiting.put(None)
            self._writer.join(patience)

    def _soon(self, write: Callable[[], None]) -> None:
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="keeping the view", daemon=True)
            self._writer.start()
        self._waiting.put(write)

    def _write(self) -> None:
        while (write := self._waiting.get()) is not None:
            try:
                write()
            except StoreError as error:
                self.trouble = self.trouble or error


def view_name(conversation: Conversation | None) -> str:
    """The name under which the way a conversation is looked at is kept; empty where it has none."""
    source = conversation.source if conversation is not None else None
    return f"view {source.path.absolute()}#{source.item}" if source is not None else ""
