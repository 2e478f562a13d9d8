"""What the Matrix pane says where there is no heatmap: why, which key helps, and where no memories were found, what is
near the transcript and could be used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

from memscope.tui.bindings import bindings_of, keys_of
from memscope.tui.pane import RETRY, PaneScreen
from memscope.tui.panes.matrix.sources import use_sources
from memscope.tui.widgets.no_memories import NoMemories

if TYPE_CHECKING:
    from memscope.actions.nearby import Nearby
    from memscope.base.errors import MemscopeError
    from memscope.base.job import Job
    from memscope.conversation.model import Conversation


class Nothing(PaneScreen):
    """The half of a pane that has nothing to show. It holds a `NoMemories`."""

    _offered: Conversation | None = None

    def why_nothing(self, words: str) -> str:
        """Why there is no heatmap, and which key helps; nothing where there is one. `words`: the filter that leaves no
        row."""
        space = self.workspace
        conversation, matrix = space.conversation, space.matrix
        if conversation is None:
            if space.phase == "loading":
                return "The conversation is being read.\n\nx cancels."
            if space.trouble is not None:
                return f"{space.trouble}\n\nEsc leads to the conversations there are."
            return "No conversation is open.\n\nEsc leads to those there are; : finds every command."
        if not conversation.responses:
            windows = " [ and ] lead to its other context windows." if conversation.windows > 1 else ""
            return f"The conversation has no response, so there is nothing to explain.\n\nEsc leads back.{windows}"
        if matrix is not None and matrix.reason is not None and conversation.memories:
            return f"{matrix.reason}\n\nR tries again, E chooses another engine."
        if space.trouble is not None and space.phase == "failed":
            return f"{space.trouble}\n\nR tries again, E chooses another engine."
        return f"No memory has {words!r} in its key or text.\n\nEsc ends the filter." if words else ""

    def on_key(self, event: events.Key) -> None:
        """A key of the heatmap says that there is none. The event also comes here where the key does something."""
        if not self.has_class("-said") and not self.has_class("-no-memories"):
            return
        moved = self.workspace.settings.keys
        for binding in bindings_of(type(self)):
            idle = binding is not RETRY and self.check_action(binding.action.partition("(")[0], ()) is False
            if idle and event.key in keys_of(binding, moved):
                self.console.say("there is no heatmap here that this key could be for")

    @property
    def lacks_memories(self) -> bool:
        """Whether a conversation is open that holds none."""
        conversation = self.workspace.conversation
        return conversation is not None and not conversation.memories

    def offer(self) -> None:
        """Shows what was searched, and looks in the background for what is near; once a conversation."""
        from memscope.actions.nearby import SourceCounts, count_sources, nearby_memories, searched

        console, space = self.console, self.workspace
        conversation = space.conversation
        if conversation is None:
            return
        if conversation is self._offered:
            return
        self._offered, offered = conversation, self.query_one(NoMemories)
        offered.show_searched(searched(conversation, space.settings))

        def counted(counts: SourceCounts) -> None:
            if conversation is self._offered:  # none was offered since
                offered.counted(counts)

        def work(_job: Job) -> list[Nearby]:
            console.call_soon(counted, count_sources(conversation))
            return nearby_memories(conversation)

        def failed(error: MemscopeError) -> None:
            offered.found(())
            self.console.say(str(error), "warning")

        space.background.start("nearby", "looking for memory files", work, offered.found, failed)

    def on_no_memories_use(self, event: NoMemories.Use) -> None:
        opened = self.workspace.opened
        if opened is not None:
            self.workspace.reload(memories=(*opened.opening.memories, *event.paths))

    def on_no_memories_use_sources(self, event: NoMemories.UseSources) -> None:
        use_sources(self.console, event.kind)

    def on_no_memories_mark_lines(self) -> None:
        self.console.go("responses", hint="mark")
        self.console.say("z unfolds a message; space selects lines of it, m makes them a memory")
