"""What a failed tool call answered, and the names of tools."""

from __future__ import annotations

import re

from memscope.conversation.failed_calls import out_of_json
from memscope.conversation.model import ToolResult

SAMPLE = 200  # characters of a failed call's answer that are told

_NAME = 80  # characters of a tool's name
_TAG = re.compile(r"</?tool_use_error>")
# What Codex puts before what a command said.
_HEADER = re.compile(
    r"\A(?:(?:Chunk ID|Wall time|Exit code|Process exited with code|Original token count|Total output lines"
    r"|Script failed)\b[^\n]{0,80}\n){1,8}Output:[ \t]*(?:\n|$)"
)


def tool_name(name: str) -> str:
    """The name of a tool, without line breaks; "?" for one without."""
    return " ".join(name[:_NAME].split()) or "?"


def failed_words(result: ToolResult) -> str:
    """What the tool said, as found, without what its agent or a JSON object puts around it; where that is nothing, its
    exit code, or all of the answer. Never "", so that it is seen to have failed."""
    code = f"exit code {result.exit_code}" if result.exit_code else ""
    said = _TAG.sub("", _HEADER.sub("", out_of_json(result.text), count=1)).strip()
    return said or code or result.text.strip() or "(no answer)"
