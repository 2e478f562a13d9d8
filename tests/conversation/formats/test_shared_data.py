"""Every file of the shared sample data loads in its format, or is refused for a reason that a person understands."""

from __future__ import annotations

from pathlib import Path

import pytest

from memscope.base.errors import SourceError
from memscope.conversation.load import load
from tests.conversation.formats._lines import DATA

FILES = sorted(path for path in DATA.rglob("*") if path.is_file())
# By the folder or the beginning of the path, the longest that fits: the format, or else the reason.
FORMATS = {
    **{
        name: name
        for name in ("claude-code", "codex", "gemini", "hermes", "mini-swe-agent", "openhands", "pi", "swe-agent")
    },
    "langfuse-otel": "langfuse",
    "letta-af": "letta",
    "openai-chat": "openai",
    "planted": "openai",
    "other-agents/openclaw": "pi",
}
REFUSED = {
    "codex/fixture-codex_05": "holds no message at all",
    "hermes/memories": "Markdown with memories is given with --memories",
    "langfuse-otel/agno-2025-06-11.chatml": "in none of its observations Langfuse recognised messages",
    "longmemeval": "looks like questions of a memory benchmark",
    "MANIFEST.md": "holds no JSON",
    "memory-qa": "looks like questions of a benchmark with the right answers",
    "other-agents/cursor": "looks like a session of Cursor",
    "other-agents/kimi": "looks like a session of Kimi",
    **{f"planted/p{n}.truth": "looks like the right answers to a conversation" for n in range(6)},
}


@pytest.mark.skipif(not FILES, reason="the shared sample files are not here")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_loads_or_is_refused_with_a_reason(path: Path) -> None:
    name = path.relative_to(DATA).as_posix()
    known = max((start for start in (*FORMATS, *REFUSED) if name.startswith(start)), key=len)
    if known in REFUSED:
        with pytest.raises(SourceError, match=REFUSED[known]):
            load(path)
        return
    conversation = load(path)
    assert conversation.source is not None
    assert conversation.source.format == FORMATS[known]
    assert conversation.messages
    for item in range(conversation.items):
        told = load(path, item=item)
        assert all(message.role and message.line > 0 for message in told.messages)
