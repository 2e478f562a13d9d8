"""The events of OpenHands' agent SDK, each with a `kind`, as the messages its agent sent and received."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from memscope.conversation.formats._content import arguments, compact, entries, joined, openai_calls, parts, string
from memscope.conversation.formats._openhands_history import Event, History, exit_code, said, terminal, time_of
from memscope.conversation.model import Message, Part, Skipped, Text, ToolCall, ToolResult
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

    def read(self, event: Event, name: str, line: int) -> Iterator[Record]:
        """The records of one event, which is called `name`."""
        kind = string(event.get("kind"))
        read = _READ.get(kind)
        if read is not None:
            yield from read(self, event, name, line)
        elif kind not in _SILENT:
            yield Skipped(line, "an event of an unknown kind", repr(kind))

    def _system(self, event: Event, name: str, line: int) -> Iterator[Record]:
        for tool in entries(event.get("tools")):
            yield Fact("tool", compact(tool), line)
        texts = [block for block in (event.get("system_prompt"), event.get("dynamic_context")) if block]
        yield Message("system", tuple(parts(texts)), "said", time_of(event), name, line=line)

    def _message(self, event: Event, name: str, line: int) -> Iterator[Record]:
        sent = event.get("llm_message")
        sent = sent if isinstance(sent, Mapping) else {}
        role = string(sent.get("role")) or ("user" if event.get("source") == "user" else "assistant")
        content = (*said(sent), *parts(event.get("extended_content") or None), *openai_calls(sent))
        by_software = role == "user" and event.get("source") == "environment"
        reply = string(event.get("llm_response_id")) or name
        yield Message(role, content, "synthetic" if by_software else "said", time_of(event), reply, line=line)

    def _action(self, event: Event, name: str, line: int) -> Iterator[Record]:
        call = event.get("tool_call")
        call = call if isinstance(call, Mapping) else {}
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

    def _observation(self, event: Event, name: str, line: int) -> Iterator[Record]:
        seen = event.get("observation")
        seen = seen if isinstance(seen, Mapping) else {"content": seen}
        content = list(parts(seen.get("content") or seen.get("output") or None))
        content += parts(event.get("extended_content") or None)
        text = joined(part.text for part in content if isinstance(part, Text))
        metadata = seen.get("metadata")
        metadata = metadata if isinstance(metadata, Mapping) else {}
        yield from self.history.changes.told("cwd", metadata.get("working_dir"), line)
        failed = seen.get("is_error") is True or bool(seen.get("error"))
        code = exit_code(seen.get("exit_code") if seen.get("exit_code") is not None else metadata.get("exit_code"))
        text = f"{_ERROR_HEADER if seen.get('is_error') is True else ''}{terminal(text, metadata)}"
        beside = (part for part in content if not isinstance(part, Text))
        yield from self._answer(event, text, line, failed=failed, code=code, beside=beside)

    def _refused(self, event: Event, name: str, line: int) -> Iterator[Record]:
        yield from self._answer(event, f"Action rejected: {string(event.get('rejection_reason'))}", line, failed=True)

    def _failed(self, event: Event, name: str, line: int) -> Iterator[Record]:
        yield from self._answer(event, string(event.get("error")), line, failed=True)

    def _answer(
        self, event: Event, text: str, line: int, *, failed: bool, code: int | None = None, beside: Iterable[Part] = ()
    ) -> Iterator[Record]:
        call_id = string(event.get("tool_call_id")) or self.history.calls.get(string(event.get("action_id")), "")
        result = ToolResult(call_id, text, failed, code)
        tool = string(event.get("tool_name"))
        yield Message("tool", (result, *beside), "said", time_of(event), name=tool, line=line)
        yield from outcome_facts(result, line)

    def _outer_call(self, event: Event, name: str, line: int) -> Iterator[Record]:
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

    def _broken(self, event: Event, name: str, line: int) -> Iterator[Record]:
        words = (string(event.get("code")), string(event.get("detail")))
        yield Fact("error", ": ".join(word for word in words if word), line)

    def _paused(self, event: Event, name: str, line: int) -> Iterator[Record]:
        yield Fact("interrupted", "the person paused the agent", line)

    def _condensed(self, event: Event, name: str, line: int) -> Iterator[Record]:
        yield from self.history.condensed(event, line)


_READ: dict[str, Callable[[SdkReader, Event, str, int], Iterator[Record]]] = {
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
