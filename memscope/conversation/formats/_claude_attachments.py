"""Attachments of Claude Code: what the program put into the context beside the words of the two speakers.

Three kinds hold memories: files of instructions in sub-folders, recalled memories, and what hooks add as context (the
way most memory plug-ins work). Others carry text that the model read, as hooks print it. The rest is bookkeeping.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from memscope.base.text import slug
from memscope.conversation.formats._content import compact, mappings, parts, string
from memscope.conversation.model import Kind, Memory, Message, Opaque, Part, Skipped, Text
from memscope.conversation.records import Record

# Whose text stands in one field, as it was sent.
_TEXT_IN = {
    "edited_text_file": "snippet",
    "skill_listing": "content",
    "read_truncation_notice": "banner",
    "total_tokens_reminder": "text",
    "batching_reminder_sent": "text",
    "silent_turn_reminder": "text",
    "critical_system_reminder": "content",
    "selected_lines_in_ide": "content",
    "directory": "content",
    "plan_file_reference": "planContent",
}
_LINES_IN = {
    "agent_listing_delta": "addedLines",
    "deferred_tools_delta": "addedLines",
    "mcp_instructions_delta": "addedBlocks",
}
# Switches, notices for the screen, and reminders whose wording is not stored.
_NO_TEXT = frozenset(
    """agent_mention async_hook_response auto_mode auto_mode_exit budget_usd command_permissions
    compact_file_reference compaction_reminder companion_intro context_efficiency current_session_memory date_change
    diagnostics dynamic_skill hook_cancelled hook_error_during_execution hook_non_blocking_error
    hook_permission_decision hook_stopped_continuation hook_system_message max_turns_reached mcp_resource
    opened_file_in_ide output_style pdf_reference plan_mode plan_mode_exit plan_mode_reentry skill_discovery
    structured_output task_reminder task_status team_context teammate_mailbox teammate_shutdown_batch todo_reminder
    token_usage ultra_effort_enter ultra_effort_exit ultrathink_effort verify_plan_reminder
    already_read_file""".split()
)
_WITH_TEXT = frozenset(
    """nested_memory relevant_memories hook_additional_context hook_success file queued_command invoked_skills
    hook_blocking_error""".split()
).union(_TEXT_IN, _LINES_IN)
# The events whose hooks' plain output becomes context; of all others it is shown to the person only.
_HOOKS_HEARD = frozenset({"SessionStart", "UserPromptSubmit"})


def attached(attachment: Mapping[str, Any], *, line: int, time: float | None, uuid: str) -> list[Record]:
    """The user messages an attachment stands for: one for each memory, one for other text, none for bookkeeping."""
    kind = string(attachment.get("type"))
    if kind in _NO_TEXT:
        return []
    if kind not in _WITH_TEXT:
        return [Skipped(line, "an attachment of an unknown type", repr(kind))]
    memories = _memories(kind, attachment)
    found: list[Record] = [Message("user", (memory,), "synthetic", time, uuid, line=line) for memory in memories]
    texts = Message("user", tuple(_texts(kind, attachment)), _kind(kind, attachment), time, uuid, line=line)
    return [*found, texts] if texts.parts else found


def _memories(kind: str, attachment: Mapping[str, Any]) -> Iterator[Memory]:
    if kind == "nested_memory":
        content = attachment.get("content")
        text = content.get("content") if isinstance(content, dict) else content
        yield from _memory(attachment.get("path") or attachment.get("displayPath"), text)
    elif kind == "relevant_memories":
        for entry in mappings(attachment.get("memories")):
            yield from _memory(entry.get("path"), entry.get("content"))
    elif kind == "hook_additional_context":
        yield from _from_hook(attachment)


def _memory(key: Any, text: Any) -> Iterator[Memory]:
    if isinstance(text, str) and text:
        yield Memory(string(key), text, "structured")


def _from_hook(attachment: Mapping[str, Any]) -> Iterator[Memory]:
    texts = _contents(attachment)
    key = f"hook:{string(attachment.get('hookName') or attachment.get('hookEvent'))}"
    if attachment.get("command"):  # several hooks of one event are several memories
        key = f"{key}/{slug(string(attachment['command']))}"
    for number, text in enumerate(texts, 1):
        yield Memory(key if len(texts) == 1 else f"{key}/{number}", text, "structured")


def _contents(attachment: Mapping[str, Any]) -> list[str]:
    content = attachment.get("content")
    return [t for t in (content if isinstance(content, list) else [content]) if isinstance(t, str) and t]


def _is_heard(attachment: Mapping[str, Any]) -> bool:
    return string(attachment.get("hookEvent")) in _HOOKS_HEARD


def _texts(kind: str, attachment: Mapping[str, Any]) -> Iterator[Part]:
    if kind in _TEXT_IN:
        yield Text(string(attachment.get(_TEXT_IN[kind])))
    elif kind in _LINES_IN:
        lines = attachment.get(_LINES_IN[kind])
        yield Text("\n".join(entry for entry in (lines if isinstance(lines, list) else []) if isinstance(entry, str)))
    elif kind == "file":
        yield from _file(attachment.get("content"))
    elif kind == "queued_command":
        yield from parts(attachment.get("prompt"))
    elif kind == "invoked_skills":
        yield from (Text(string(skill.get("content"))) for skill in mappings(attachment.get("skills")))
    elif kind == "hook_success" and _is_heard(attachment):
        yield from map(Text, _contents(attachment))
    elif kind == "hook_blocking_error":
        error = attachment.get("blockingError")
        yield Text(string(error.get("blockingError") if isinstance(error, dict) else error))


def _file(content: Any) -> Iterator[Part]:
    """A file the person named with @: its text, or the image or document as it is."""
    if not isinstance(content, dict):
        return
    file = content.get("file")
    text = file.get("content") if isinstance(file, dict) else None
    if isinstance(text, str):
        yield Text(text)
    elif content.get("type") != "file_unchanged":
        yield Opaque(string(content.get("type")) or "file", compact(content))


def _kind(kind: str, attachment: Mapping[str, Any]) -> Kind:
    """A prompt typed while the agent was at work is a person's; all else is the program's."""
    if kind != "queued_command" or attachment.get("isMeta") is True or attachment.get("commandMode") != "prompt":
        return "synthetic"
    origin = attachment.get("origin")
    return "said" if not isinstance(origin, dict) or origin.get("kind") == "human" else "synthetic"
