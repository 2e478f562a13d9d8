"""Conversations of any shape, for what must hold of all of them."""

from __future__ import annotations

from hypothesis import strategies as st

from memscope.conversation.model import (
    Conversation,
    Memory,
    Message,
    Opaque,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

LINES = st.sampled_from(["one", "two", "", " ", "- three", "one"])
WORDS = st.builds(lambda lines, end: "\n".join(lines) + end, st.lists(LINES, max_size=4), st.sampled_from(["", "\n"]))
KEYS = st.sampled_from(["a", "b", "turn/0 one", "tool/1 grep"])
TEXTS = st.builds(Text, WORDS)
MEMORIES = st.builds(Memory, KEYS, WORDS, st.sampled_from(["explicit", "fenced", "mark", "turn"]))
RESULTS = st.builds(ToolResult, st.sampled_from(["c1", "c2"]), WORDS, st.booleans())
ASIDES: st.SearchStrategy[Part] = st.sampled_from([Thinking("hm"), Opaque("image", "{}")])
CALLS = st.builds(ToolCall, st.sampled_from(["c1", "c2"]), st.sampled_from(["grep", "mcp__x__read"]), st.just("{}"))


@st.composite
def messages(draw: st.DrawFn) -> Message:
    role = draw(st.sampled_from(["system", "user", "user", "assistant", "tool"]))
    parts: list[Part] = draw(st.lists(TEXTS | ASIDES | (CALLS if role == "assistant" else MEMORIES), max_size=4))
    if role == "tool" or (role == "user" and draw(st.booleans())):
        parts[0:0] = draw(st.lists(RESULTS, max_size=2))
    return Message(role, tuple(parts), draw(st.sampled_from(["said", "said", "synthetic", "summary"])))


CONVERSATIONS = st.builds(lambda told: Conversation(tuple(told)), st.lists(messages(), max_size=4))


def kept_memories(before: Message, after: Message) -> bool:
    """Whether every memory of `before` stands in `after`, in order."""
    rest = iter(after.memories)
    return all(any(memory == other for other in rest) for memory in before.memories)
