"""What the Matrix pane says where there is no heatmap: why, which key helps, and where no memories were found, what is
near the transcript and could be used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memscope.tui.pane import PaneScreen
from memscope.tui.widgets.no_memories import NoMemories, SourceCounts

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

    @property
    def lacks_memories(self) -> bool:
        """Whether a conversation is open that holds none."""
        conversation = self.workspace.conversation
        return conversation is not None and not conversation.memories

    def offer(self) -> None:
        """Shows what was searched, and looks in the background for what is near; once a conversation."""
        from memscope.actions.nearby import nearby_memories, searched

        conversation, space = self.workspace.conversation, self.workspace
        if conversation is None:
            return
        offered = self.query_one(NoMemories)
        if self.focused is None or not self.focused.is_on_screen:
            offered.focus()
        if conversation is self._offered:
            return
        self._offered = conversation
        offered.show_searched(searched(conversation, space.settings), SourceCounts.of(conversation))

        def work(_job: Job) -> list[Nearby]:
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
        self.workspace.reload(sources=event.kind)

    def on_no_memories_mark_lines(self) -> None:
        self.console.go("responses", hint="mark")
        self.console.say("Z shows all messages; space selects lines of one, m makes them a memory")
