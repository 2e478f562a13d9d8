"""What of a stretch of work failed, in a line each: the tool, and the words of its answer that tell most."""

from __future__ import annotations

import re

from pydantic_core import from_json

from memscope.base.masking import masked
from memscope.base.text import preview
from memscope.conversation.model import ToolResult

MOST = 8  # failures of a stretch that are told

_LINE = 160  # characters
_LOOKED_AT = 4000  # characters of an answer's beginning, and of its end, in which its line is looked for
_TELLING = re.compile(
    r"error|exception|fail|fatal|panic|cannot|can't|could not|not found|no such|denied|refused|invalid|timed out",
    re.IGNORECASE,
)
_SAYS_SOMETHING = re.compile(r"[^\W\d_]{3}")
_SAYS_NOTHING = re.compile(
    r"(?:(?:error: )?|(?:command|process) )exit(?:ed with)? code:? -?\d+$|output:$|original token count: \d+$",
    re.IGNORECASE,
)
_PARSED = 1_000_000  # characters of an answer in JSON: longer ones are not looked into
_TAG = re.compile(r"</?[a-z_-]{1,40}>")


# How agents tell that a person stopped a call: that it was not wanted once says nothing of the work.
_STOPPED = re.compile(
    r"\W{0,4}(?:<tool_use_error>)?\W{0,4}(?:error: ?)?(?:the )?"
    r"(?:user (?:doesn['’]?t want to|does not want to|rejected|denied|declined|cancell?ed|refused|skipped|chose to)"
    r"|(?:tool (?:use|call|execution)|command|exec command|patch|action|operation|request|edit)"
    r" (?:was )?(?:rejected|denied|cancell?ed|declined|interrupted|aborted)\b.{0,20}\b(?:user|person|human)"
    r"|request interrupted by user|(?:rejected|denied|cancell?ed|declined|aborted|interrupted) by (?:the )?user"
    r"|operation cancell?ed|permission (?:was )?denied by (?:the )?user|sibling tool call errored)",
    re.IGNORECASE,
)


def has_failed(result: ToolResult) -> bool:
    """Whether the agent marked it so, or its exit code says so; not where a person stopped it."""
    return (result.is_error or bool(result.exit_code)) and _STOPPED.match(out_of_json(result.text)) is None


def failure_of(result: ToolResult, tool: str) -> str:
    """A failed call of `tool` ("": not known) on one clean line: "Bash: exit code 2: no such file"; "" where its answer
    says nothing of it."""
    words = _telling_line(result.text)
    code = f"exit code {result.exit_code}" if result.exit_code else ""
    # What is cut in two is no longer found, so that it is masked before.
    return preview(masked(": ".join(filter(None, (tool, code, words))))[0], _LINE) if words else ""


def _telling_line(text: str) -> str:
    """The first line that speaks of a failure, else the last that says something."""
    text = out_of_json(text)
    if len(text) > 2 * _LOOKED_AT:
        text = f"{text[:_LOOKED_AT]}\n{text[-_LOOKED_AT:]}"
    lines = [_TAG.sub("", line[:_LOOKED_AT]).strip() for line in text.splitlines()]
    lines = [line for line in lines if _SAYS_SOMETHING.search(line) and not _SAYS_NOTHING.match(line)]
    return next((line for line in lines if _TELLING.search(line)), lines[-1] if lines else "")


def out_of_json(text: str) -> str:
    """The error or the output of an answer that is a JSON object; other answers as they are."""
    if not text.startswith("{") or len(text) > _PARSED:
        return text
    try:
        found = from_json(text)
    except ValueError:
        return text
    told = (found.get(name) for name in ("error", "message", "stderr", "output", "stdout"))
    return next((words for words in told if isinstance(words, str) and words and not words.isspace()), "")
