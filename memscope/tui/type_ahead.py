"""Keys typed faster than they are answered: each waits until what the one before it did is there.

The toolkit sends a key to what has the focus when the key comes. One that comes while a pane or a dialog is on its way
would go to what is about to leave, or to nobody, and be lost: a held key, a paste, a slow line, a script that types.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from textual import events
from textual.app import App
from textual.message import Message
from textual.screen import Screen

_PATIENCE = 1.0  # seconds after which keys no longer wait for the one before them

Typed = events.Key | events.Paste


class Answered(Message):
    """Goes the way that a key has gone, from what has the focus up to the app, and so comes after it; `late`: comes
    without the key, which is still on its way."""

    def __init__(self, turn: int, *, late: bool = False) -> None:
        super().__init__()
        self.turn = turn
        self.late = late


class TypeAhead:
    """Hands keys on, one at a time. `send` gives one to what has the focus."""

    def __init__(self, app: App[Any], send: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app = app
        self._send = send
        self._typed: deque[Typed] = deque()
        self._turn = 0
        self._sent_to: Screen[Any] | None = None  # where the key went whose answer is waited for
        self._known = False  # whether its answer is there, and only the screen that came of it is waited for
        self._late: asyncio.TimerHandle | None = None

    @property
    def busy(self) -> bool:
        """Whether a key is still being answered."""
        return self._late is not None

    async def take(self, typed: Typed) -> None:
        """A key that was typed just now."""
        self._typed.append(typed)
        if not self.busy:
            await self._next()

    async def answered(self, message: Answered) -> None:
        """The key, or the screen that came of it, has been seen to by all that had to."""
        if not self.busy or message.turn != self._turn:
            return  # given up on
        if message.late:
            while len(self._typed) > 1:  # something hangs: a key that quits must not wait for all before it
                await self._send(self._typed.popleft())
        if message.late or self._known:
            await self._next()
        else:
            self._known = True
            self._follow(painted=self._app.screen is not self._sent_to)

    async def _next(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
        if not self._typed:
            self._sent_to = None
            return
        self._turn += 1
        self._known, self._sent_to = False, self._app.screen
        self._late = asyncio.get_running_loop().call_later(_PATIENCE, self._give_up, self._turn)
        await self._send(self._typed.popleft())
        self._follow()

    def _follow(self, *, painted: bool = False) -> None:
        """Sends a message after the key; `painted`: once the screen is painted."""
        screen, turn = self._app.screen, self._turn
        if painted:
            screen.call_after_refresh(lambda: screen.post_message(Answered(turn)))
        else:
            (self._app.focused or screen).post_message(Answered(turn))

    def _give_up(self, turn: int) -> None:
        self._app.post_message(Answered(turn, late=True))
