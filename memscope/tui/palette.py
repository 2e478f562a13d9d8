"""Everything that can be done now, by name: the keys' actions, the panes, themes, and conversations to open.

What is listed may come from a transcript: it is only ever `Content` made of clean text. The toolkit's own highlighting
reads markup, so it is not used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from memscope.base.text import clean_line, preview
from memscope.tui.commands import commands
from memscope.tui.keys import MOVES

if TYPE_CHECKING:
    from memscope.actions.recent import RecentConversation
    from memscope.base.errors import MemscopeError
    from memscope.tui.app import MemscopeApp

_PATIENCE = 2.0  # seconds that recent conversations are waited for
_RECENT = 30
_MOVES = {binding.id for binding in MOVES}


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be done: its name, what it is, and the doing. Both texts are clean."""

    name: str
    tip: str
    do: Callable[[], Awaitable[Any] | None]
    offered: bool = True  # before anything is typed


class MemscopeCommands(Provider):
    """What the command palette lists."""

    _recent: tuple[RecentConversation, ...] = ()

    @property
    def _console(self) -> MemscopeApp:
        from memscope.tui.app import MemscopeApp

        assert isinstance(self.app, MemscopeApp)
        return self.app

    async def startup(self) -> None:
        """Looks for recent conversations, beside the screen."""
        from memscope.actions.recent import recent_conversations

        found: asyncio.Future[list[RecentConversation]] = asyncio.get_running_loop().create_future()

        def done(recent: list[RecentConversation]) -> None:
            if not found.done():
                found.set_result(recent)

        def failed(_: MemscopeError) -> None:
            done([])

        space = self._console.workspace
        database = space.kept.database
        space.background.start(
            "palette", "looking for conversations", lambda _: recent_conversations(database, _RECENT), done, failed
        )
        with suppress(TimeoutError):
            self._recent = tuple(await asyncio.wait_for(found, _PATIENCE))

    async def discover(self) -> Hits:
        """What is listed before anything is typed: what can be done here, then the panes."""
        for entry in self._entries():
            if entry.offered:
                yield DiscoveryHit(Content(entry.name), entry.do, entry.name, Content(entry.tip))  # type: ignore[arg-type]

    async def search(self, query: str) -> Hits:
        """What matches by name, and then by what it is."""
        matcher = self.matcher(query)
        for entry in self._entries():
            score, places = matcher.fuzzy_search.match(query, entry.name)
            if not score:
                score = matcher.match(entry.tip) / 2
            if score:
                name = Content(entry.name)
                for place in places:
                    name = name.stylize(matcher.match_style, place, place + 1)
                yield Hit(score, name, entry.do, entry.name, Content(entry.tip))  # type: ignore[arg-type]

    def _entries(self) -> Iterator[Entry]:
        yield from self._actions()
        console = self._console
        for doable in commands(console):
            yield Entry(*doable)
        for name, pane in console.panes.items():
            yield Entry(f"Pane: {pane.name}", f"Go to the pane {pane.name} ({pane.number})", partial(console.go, name))
        for theme in sorted(console.available_themes):
            yield Entry(f"Theme: {theme}", "Colours for this session", partial(self._dress, theme), offered=False)
        for recent in self._recent:
            title = preview(recent.title or Path(recent.path).name)
            yield Entry(f"Open: {title}", clean_line(str(recent.path)), partial(self._open, recent), offered=False)

    def _actions(self) -> Iterator[Entry]:
        """What the keys do here, once each."""
        listed: set[str] = set()
        for active in self.screen.active_bindings.values():
            binding = active.binding
            words = binding.tooltip or binding.description
            if not binding.id or not active.enabled or binding.id.startswith("pane."):
                continue  # without an id it is the toolkit's own
            name = f"{binding.description} ({self.app.get_key_display(binding)})"
            if binding.action not in listed and binding.id != "palette":
                listed.add(binding.action)
                act = partial(self.app.run_action, binding.action, active.node)
                yield Entry(clean_line(name), clean_line(words), act, offered=binding.id not in _MOVES)

    def _dress(self, theme: str) -> None:
        self.app.theme = theme

    def _open(self, recent: RecentConversation) -> None:
        from memscope.tui.offered import open_again

        open_again(self._console, recent)
