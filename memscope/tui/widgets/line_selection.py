"""Lines of one message that are selected, to be made a memory: whole lines of its text, however they are wrapped."""

from __future__ import annotations

from memscope.base.text import Span
from memscope.conversation.model import Conversation
from memscope.tui.widgets.outline import Line


class LineSelection:
    """`selected`: a message and [start, end) of its text; `growing`: it still follows the cursor."""

    def __init__(self) -> None:
        self.selected: tuple[int, Span] | None = None
        self._anchor: Span | None = None

    @property
    def growing(self) -> bool:
        return self._anchor is not None

    def begin(self, conversation: Conversation, line: Line) -> bool:
        """Begins at a line, or ends the one that grows; False where there is no line of a message's text."""
        if line.span is None:
            return False
        if self._anchor is not None:
            self._anchor = None
        else:
            self._anchor = line.span
            self.selected = line.message, whole_lines(conversation, line.message, line.span)
        return True

    def follow(self, conversation: Conversation, line: Line) -> bool:
        """Grows or shrinks to a line; False where that changes nothing: another message, or nothing to grow."""
        if self._anchor is None or self.selected is None or line.span is None or line.message != self.selected[0]:
            return False
        hull = min(self._anchor[0], line.span[0]), max(self._anchor[1], line.span[1])
        self.selected = line.message, whole_lines(conversation, line.message, hull)
        return True

    def clear(self) -> bool:
        """False where nothing was selected."""
        had, self.selected, self._anchor = self.selected is not None, None, None
        return had

    def holds(self, line: Line) -> bool:
        """Whether a line is, in part or as a whole, selected."""
        if self.selected is None or line.span is None or line.message != self.selected[0]:
            return False
        start, end = self.selected[1]
        return line.span[0] < end and line.span[1] > start


def whole_lines(conversation: Conversation, message: int, span: Span) -> Span:
    """The lines of a message's text that a part of it touches."""
    text = conversation.messages[message].text
    end = text.find("\n", max(span[0], span[1] - 1))
    return text.rfind("\n", 0, span[0]) + 1, len(text) if end < 0 else end + 1
