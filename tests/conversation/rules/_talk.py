"""What the rules' tests share: conversations made by hand, and what must hold of any text."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation, Memory, Message, Text, ToolCall, ToolResult
from memscope.conversation.render import render
from memscope.conversation.rules import Pattern, find_memories

DATA = Path(__file__).parents[3].parent / "shared" / "data"

# Lines of every kind that a rule looks for, so that texts drawn from them nest, break off and overlap.
_LINES = """
|plain words|- a bullet|- key: value|  continued|[id7]: a value|# Memories|User Memories:|- Relevant Memories/Facts: one
<memory key="a">|</memory>|<memory>|<memories>|</memories>|<memory key="b">in a line</memory>|```|~~~|`<memories>`
<memory_blocks>|</memory_blocks>|<human>|</human>|<value>|</value>|<memory-context>|</memory-context>|[System note: x]
# AGENTS.md instructions for /x|<INSTRUCTIONS>|</INSTRUCTIONS>|## Heading|§
══════════════════════════════════════════════|MEMORY (your personal notes) [1% — 12/99 chars]
USER PROFILE (who the user is)|========= MEMORY_SUMMARY BEGINS =========|========= MEMORY_SUMMARY ENDS =========
<claude-mem-context>|</claude-mem-context>|\r|\x0c|MINE k: v"""
LINES = st.sampled_from(_LINES.strip("\n").replace("\n", "|").split("|"))
TEXTS = st.builds(lambda lines, end: "\n".join(lines) + end, st.lists(LINES, max_size=24), st.sampled_from(["", "\n"]))
MINE = Pattern("mine", r"^MINE (?P<key>\w+): (?P<text>.*)$")


def asked(*texts: str, role: str = "user") -> Conversation:
    """One message of these texts, and a response."""
    return Conversation((Message(role, tuple(map(Text, texts))), Message("assistant", (Text("Done."),))))


def called(name: str, arguments: str, answer: str, **result: object) -> Conversation:
    """A call of a tool and its answer, between a request and a response."""
    return Conversation(
        (
            Message("user", (Text("Go on."),)),
            Message("assistant", (ToolCall("c1", name, arguments),)),
            Message("tool", (ToolResult("c1", answer, **result),)),  # type: ignore[arg-type]
            Message("assistant", (Text("Done."),)),
        )
    )


def found(conversation: Conversation, **how: object) -> list[tuple[str, str]]:
    """The keys and texts of the memories that the rules find."""
    marked = find_memories(conversation, **how)  # type: ignore[arg-type]
    return [(memory.key, memory.text) for message in marked.messages for memory in message.memories]


def check_only_marked(conversation: Conversation) -> None:
    """What holds of every search: texts stay, a memory owns whole lines, responses are left alone, twice is once."""
    marked = find_memories(conversation, patterns=[MINE])
    assert find_memories(marked, patterns=[MINE]) == marked
    assert [m.text for m in marked.messages] == [m.text for m in conversation.messages]
    for message in marked.messages:
        assert message.role != "assistant" or not message.memories
    for entry in marked.memories:
        _check_removal(marked, entry.key)


def _check_removal(marked: Conversation, key: str) -> None:
    """Removing a memory leaves the message's other lines as they were."""
    left = [turn.content for turn in render(marked, Ablation.of(key)).turns]
    expected = []
    for message in marked.messages:
        kept = message.text
        at = 0
        for part in message.parts:
            text = getattr(part, "text", "")
            if isinstance(part, Memory) and part.key == key:
                assert at == 0 or kept[at - 1] == "\n"
                assert text.endswith("\n") or at + len(text) == len(kept)
                kept = kept[:at] + kept[at + len(text) :]
            else:
                at += len(text)
        if not message.is_memory or any(m.key != key for m in message.memories):
            expected.append(kept)
    assert left == expected
