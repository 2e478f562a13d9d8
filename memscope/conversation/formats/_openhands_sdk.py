"""The events of OpenHands' agent SDK, each with a `kind`, as the messages its agent sent and received."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from memscope.conversation.formats._content import arguments, compact, entries, joined, openai_calls, parts, string
from memscope.conversation.formats._json import Json, at
from memscope.conversation.formats._openhands_history import History, exit_code, said, terminal, time_of
from memscope.conversation.formats._openhands_skills import of_repository, triggered
from memscope.conversation.model import Kind, Message, Part, Skipped, Text, ToolCall, ToolResult
from memscope.conversation.records import Fact, Record, outcome_facts

_SILENT = frozenset(
    """CondensationRequest ConversationStateUpdateEvent HookExecutionEvent LLMCompletionLogEvent StreamingDeltaEvent
    TokenEvent""".split()
)
_ERROR_HEADER = "[An error occurred during execution.]\n"


class SdkReader:
    """Reads such events in their order."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.acted: dict[str, str] = {}  # the last state of calls that are told anew as they go on

    def read(self, event: Json, name: str, line: int) -> Iterator[Record]:
        """The records of one event, which is called `name`."""
        kind = string(event.get("kind"))
        read = _READ.get(kind)
        if read is not None:
            yield from read(self, event, name, line)
        elif kind not in _SILENT:
            yield Skipped(line, "an event of an unknown kind", repr(kind))

    def _system(self, event: Json, name: str, line: int) -> Iterator[Record]:
        for tool in entries(event.get("tools")):
            yield Fact("tool", compact(tool), line)
        content = parts(event.get("system_prompt") or None)
        for part in parts(event.get("dynamic_context") or None):
            content.extend(of_repository(part.text) if isinstance(part, Text) else [part])
        yield Message("system", tuple(content), "said", time_of(event), name, line=line)

    def _message(self, event: Json, name: str, line: int) -> Iterator[Record]:
        sent = at(event, "llm_message")
        role = string(sent.get("role")) or ("user" if event.get("source") == "user" else "assistant")
        by_software = role == "user" and event.get("source") == "environment"
        reply = string(event.get("llm_response_id")) or name
        kind: Kind = "synthetic" if by_software else "said"
        yield Message(role, (*said(sent), *openai_calls(sent)), kind, time_of(event), reply, line=line)
        added = parts(event.get("extended_content") or None)
        if added:
            names = [name for name in entries(event.get("activated_skills")) if isinstance(name, str) and name]
            found = triggered(joined(part.text for part in added if isinstance(part, Text)), names)
            beside = (part for part in added if not isinstance(part, Text))
            yield Message("user", (*found, *beside), "synthetic", time_of(event), name, line=line)

    def _action(self, event: Json, name: str, line: int) -> Iterator[Record]:
        call = at(event, "tool_call")
        made = list(openai_calls({"tool_calls": [call]})) if call else []
        tool = string(event.get("tool_name"))
        made = (
            [replace(made[0], name=made[0].name or tool)]
            if made
            else [ToolCall(string(event.get("tool_call_id")), tool, arguments(event.get("action")))]
        )
        words = said({**event, "content": event.get("thought") or None})
        self.history.calls[name] = made[0].id
        reply = string(event.get("llm_response_id")) or name
        yield Message("assistant", (*words, *made), "said", time_of(event), reply, line=line)

    def _observation(self, event: Json, name: str, line: int) -> Iterator[Record]:
        seen = event.get("observation")
        seen = seen if isinstance(seen, dict) else {"content": seen}
        content = list(parts(seen.get("content") or seen.get("output") or None))
        content += parts(event.get("extended_content") or None)
        text = joined(part.text for part in content if isinstance(part, Text))
        metadata = at(seen, "metadata")
        yield from self.history.changes.told("cwd", metadata.get("working_dir"), line)
        failed = seen.get("is_error") is True or bool(seen.get("error"))
        code = exit_code(seen.get("exit_code") if seen.get("exit_code") is not None else metadata.get("exit_code"))
        text = f"{_ERROR_HEADER if seen.get('is_error') is True else ''}{terminal(text, metadata)}"
        beside = (part for part in content if not isinstance(part, Text))
        yield from self._answer(event, text, line, failed=failed, code=code, beside=beside)

    def _refused(self, event: Json, name: str, line: int) -> Iterator[Record]:
        yield from self._answer(event, f"Action rejected: {string(event.get('rejection_reason'))}", line, failed=True)

    def _failed(self, event: Json, name: str, line: int) -> Iterator[Record]:
        yield from self._answer(event, string(event.get("error")), line, failed=True)

    def _answer(
        self, event: Json, text: str, line: int, *, failed: bool, code: int | None = None, beside: Iterable[Part] = ()
    ) -> Iterator[Record]:
        call_id = string(event.get("tool_call_id")) or self.history.calls.get(string(event.get("action_id")), "")
        result = ToolResult(call_id, text, failed, code)
        tool = string(event.get("tool_name"))
        yield Message("tool", (result, *beside), "said", time_of(event), name=tool, line=line)
        yield from outcome_facts(result, line)

    def _outer_call(self, event: Json, name: str, line: int) -> Iterator[Record]:
        """A call of another agent's (ACP), told anew as it goes on: the call when it is first told, its end as the
        answer."""
        call_id, state = string(event.get("tool_call_id")) or name, string(event.get("status"))
        if call_id not in self.acted:
            call = ToolCall(call_id, string(event.get("title")), arguments(event.get("raw_input")))
            yield Message("assistant", (call,), "said", time_of(event), name, line=line)
        ended = state in ("completed", "failed") and self.acted.get(call_id) not in ("completed", "failed")
        self.acted[call_id] = state
        if ended:
            answer = event.get("raw_output") if event.get("raw_output") is not None else event.get("content")
            failed = event.get("is_error") is True or state == "failed"
            yield from self._answer({**event, "tool_call_id": call_id}, string(answer), line, failed=failed)

    def _broken(self, event: Json, name: str, line: int) -> Iterator[Record]:
        words = (string(event.get("code")), string(event.get("detail")))
        yield Fact("error", ": ".join(word for word in words if word), line)

    def _paused(self, event: Json, name: str, line: int) -> Iterator[Record]:
        yield Fact("interrupted", "the person paused the agent", line)

    def _condensed(self, event: Json, name: str, line: int) -> Iterator[Record]:
        yield from self.history.condensed(event, line)


_READ: dict[str, Callable[[SdkReader, Json, str, int], Iterator[Record]]] = {
    "SystemPromptEvent": SdkReader._system,
    "MessageEvent": SdkReader._message,
    "ActionEvent": SdkReader._action,
    "ObservationEvent": SdkReader._observation,
    "UserRejectObservation": SdkReader._refused,
    "AgentErrorEvent": SdkReader._failed,
    "ACPToolCallEvent": SdkReader._outer_call,
    "ConversationErrorEvent": SdkReader._broken,
    "PauseEvent": SdkReader._paused,
    "InterruptEvent": SdkReader._paused,
    "Condensation": SdkReader._condensed,
}
