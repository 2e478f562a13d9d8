"""The events of an OpenHands history, as the messages its agent sent and received.

Three generations: flat (`{"action": "run", "command", "thought"}`), nested (`args`, `extras`; since function calling a
`tool_call_metadata` that holds the model's whole reply), and those of the agent SDK (`_openhands_sdk`). Several calls
of one reply are as many actions, each with its observation behind it: they share the reply's id, and are put together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from memscope.conversation.formats._content import arguments, compact, entries, mappings, openai_calls, parts, string
from memscope.conversation.formats._json import Json, at
from memscope.conversation.formats._openhands_history import History, exit_code, said, terminal, time_of
from memscope.conversation.formats._openhands_sdk import SdkReader
from memscope.conversation.model import Memory, Message, Part, Skipped, Text, ToolCall, ToolResult
from memscope.conversation.records import Fact, Record, outcome_facts

_TOP = frozenset("id timestamp source message cause action observation tool_call_metadata llm_metrics timeout".split())
_NO_ARGUMENTS = frozenset(
    """thought keep_prompt is_confirmed confirmation_state action_risk security_risk blocking hidden images_urls
    image_urls kernel_init_code include_extra wait_for_response""".split()
)
_SILENT_ACTIONS = frozenset("null start pause resume stop change_agent_state recall condensation_request".split())
_SILENT_OBSERVATIONS = frozenset("null condense loop_detection".split())


def is_event(value: Any) -> bool:
    """Whether a JSON value is an event of any generation but the flat one, which only a history tells."""
    if not isinstance(value, dict) or not isinstance(value.get("source"), str):
        return False
    if isinstance(value.get("kind"), str):
        return "timestamp" in value and value["kind"].endswith(("Event", "Observation", "Condensation"))
    return (isinstance(value.get("action"), str) and isinstance(value.get("args"), dict)) or (
        isinstance(value.get("observation"), str) and isinstance(value.get("extras"), dict)
    )


class Reader:
    """Reads the events of one history in their order."""

    def __init__(self) -> None:
        self.history = History()
        self.sdk = SdkReader(self.history)
        self.events = 0
        self.has_user = False
        self.agent_spoke = False  # last, so that a message without a source is the user's
        self.replies: set[str] = set()  # whose text was told
        self.call = ""  # the latest

    def read(self, event: Any, line: int) -> Iterator[Record]:
        """The records of one event. Anything but an event is skipped."""
        self.events += 1
        if not isinstance(event, dict):
            yield Skipped(line, "the entry is no event")
            return
        name = string(event.get("id")) if event.get("id") is not None else f"event {self.events}"
        for record in self._told(event, name, line):
            if isinstance(record, Message):
                self.has_user = self.has_user or record.role == "user"
                self.agent_spoke = record.role == "assistant" and not record.calls
            if isinstance(record, Message) and record.kind != "summary":
                yield from self.history.told(name, record)
            else:  # what a condensation left is in the context already
                yield record

    def _told(self, event: Json, name: str, line: int) -> Iterator[Record]:
        action, observation, kind = event.get("action"), event.get("observation"), event.get("kind")
        if isinstance(kind, str) and not isinstance(action, str):
            yield from self.sdk.read(event, name, line)
        elif isinstance(action, str):
            yield from self._action(action, event, name, line)
        elif isinstance(observation, str):
            yield from self._observation(observation, event, name, line)
        else:
            yield Skipped(line, "an event that is neither an action nor an observation")

    # Actions.

    def _action(self, what: str, event: Json, name: str, line: int) -> Iterator[Record]:
        args = event.get("args")
        args = args if isinstance(args, dict) else {k: v for k, v in event.items() if k not in _TOP}
        time, is_user = time_of(event), event.get("source") == "user"
        if what in _SILENT_ACTIONS:
            return
        if what == "system":
            for tool in entries(args.get("tools")):
                yield Fact("tool", compact(tool), line)
            yield Message("system", (Text(string(args.get("content"))),), "said", time, name, line=line)
        elif what == "message":
            yield self._message(
                args, is_user or (event.get("source") is None and self._is_users_turn), time, name, line
            )
        elif what == "condensation":
            yield from self.history.condensed(args, line)
        elif is_user:
            done = string(args.get("command") or args.get("thought"))
            if done and what != "finish":
                text = Text(f"User executed the command:\n{done}")
                yield Message("user", (text,), "synthetic", time, name, line=line)
        else:
            yield from self._done(what, event, args, name, line)

    @property
    def _is_users_turn(self) -> bool:
        return not self.has_user or self.agent_spoke

    def _message(self, args: Json, is_user: bool, time: float | None, name: str, line: int) -> Message:
        images = entries(args.get("image_urls") or args.get("images_urls"))
        shown = parts([{"type": "image_url", "image_url": {"url": url}} for url in images])
        role = "user" if is_user else "assistant"
        return Message(role, (Text(string(args.get("content"))), *shown), "said", time, name, line=line)

    def _done(self, what: str, event: Json, args: Json, name: str, line: int) -> Iterator[Record]:
        """What the agent does: the model's reply where it is kept, else its thought and the action as a call."""
        meta = at(event, "tool_call_metadata")
        response = at(meta, "model_response")
        replies = (choice.get("message") for choice in mappings(response.get("choices")))
        reply = next((reply for reply in replies if isinstance(reply, dict)), None)
        yield from self.history.changes.told("model", response.get("model"), line)
        call_id, reply_id = string(meta.get("tool_call_id")) or f"call {name}", string(response.get("id")) or name
        words: list[Part] = []
        call: ToolCall | None = None
        if reply is not None:
            call = next((c for c in openai_calls(reply) if c.id == call_id), None)
            if reply_id not in self.replies:
                words.extend(said(reply))
        elif string(args.get("thought")):
            words.append(Text(string(args["thought"])))
        self.replies.add(reply_id)
        if call is None and what == "finish" and reply is None:
            words.extend(
                Text(text) for text in [string(args.get("final_thought"))] if text and text != args.get("thought")
            )
        elif call is None:
            sent = {key: value for key, value in args.items() if key not in _NO_ARGUMENTS and value is not None}
            if what == "call_tool_mcp":
                call = ToolCall(call_id, string(args.get("name")), arguments(args.get("arguments")))
            else:
                call = ToolCall(call_id, string(meta.get("function_name")) or what, arguments(sent))
        if call is not None:
            self.history.calls[name], self.call = call.id, call.id
            words.append(call)
        yield Message("assistant", tuple(words), "said", time_of(event), reply_id, line=line)

    # Observations.

    def _observation(self, what: str, event: Json, name: str, line: int) -> Iterator[Record]:
        extras = event.get("extras")
        extras = extras if isinstance(extras, dict) else {k: v for k, v in event.items() if k not in _TOP}
        time, text = time_of(event), string(event.get("content"))
        if what == "recall":
            yield from self._recalled(extras, time, name, line)
        elif what == "agent_state_changed":
            if extras.get("agent_state") == "error":
                yield Fact("error", string(extras.get("reason")) or "the agent stopped with an error", line)
        elif what not in _SILENT_OBSERVATIONS:
            metadata = at(extras, "metadata")
            yield from self.history.changes.told("cwd", metadata.get("working_dir"), line)
            code = exit_code(metadata.get("exit_code", extras.get("exit_code")))
            text = terminal(text, metadata)
            if what == "error":
                text += "\n[Error occurred in processing last action]"
            elif what == "user_rejected":
                text = f"OBSERVATION:\n{text}\n[Last action has been rejected by the user]"
            yield from self._answer(event, text, what in ("error", "user_rejected"), code, line)

    def _answer(self, event: Json, text: str, failed: bool, code: int | None, line: int) -> Iterator[Record]:
        """An observation: a tool's answer, or words of the software where no call waits for one."""
        meta, cause = at(event, "tool_call_metadata"), string(event.get("cause"))
        call_id = string(meta.get("tool_call_id")) or self.history.calls.get(cause) or ("" if cause else self.call)
        if call_id:
            self.call = ""
            result = ToolResult(call_id, text, failed, code)
            tool = string(meta.get("function_name"))
            yield Message("tool", (result,), "said", time_of(event), name=tool, line=line)
            yield from outcome_facts(result, line)
            return
        if text:
            yield Message("user", (Text(text),), "synthetic", time_of(event), line=line)
        if failed:
            yield Fact("error", text, line)

    def _recalled(self, extras: Json, time: float | None, name: str, line: int) -> Iterator[Record]:
        """What was surfaced beside a turn: the repository's instructions, and knowledge that a word in it triggered."""
        yield from self.history.changes.told("repository", extras.get("repo_name"), line)
        yield from self.history.changes.told("branch", extras.get("repo_branch"), line)
        yield from self.history.changes.told("cwd", extras.get("repo_directory") or extras.get("working_dir"), line)
        known = [("instructions of the repository", extras.get("repo_instructions"))]
        known += [(string(k.get("name")), k.get("content")) for k in mappings(extras.get("microagent_knowledge"))]
        notes = (extras.get(name) for name in ("additional_agent_instructions", "conversation_instructions"))
        found: list[Part] = [Text(note) for note in notes if isinstance(note, str) and note.strip()]
        found += [Memory(key, text, "structured") for key, text in known if isinstance(text, str) and text.strip()]
        if found:
            self.history.recalls.add(name)
            yield Message("user", tuple(found), "synthetic", time, line=line)
