"""A credential in a line is told by its kind and place, and never shown."""

from __future__ import annotations

from dataclasses import replace

from memscope.conversation.model import Conversation, Message, ToolCall, ToolResult
from memscope.triage.chat_lines import Examples, reply_message
from memscope.triage.leaks import Leaks
from tests.fakes import assistant, memory, talk, user

KEY = "ghp_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3"
KIND = "a credential (GitHub token)"


def leak(conversation: Conversation, message: int, target: str | None = None, rejected: str = "no") -> str | None:
    return Leaks().found(Examples(conversation).example(message, target), reply_message(rejected))


def test_the_message_of_the_conversation_is_named() -> None:
    told = talk(memory("k", "One."), user(f"Use {KEY}."), assistant("Yes."), user("Now?"), assistant("Now."))

    assert leak(told, 4) == f"{KIND} in message #1"


def test_calls_and_what_tools_answer_are_looked_through() -> None:
    call = ToolCall("a", "run", f'{{"command": "TOKEN={KEY} deploy"}}')
    asked = talk(user("?"), Message("assistant", (call,)), Message("tool", (ToolResult("a", "ok"),)), assistant("So."))
    answered = asked.with_messages(
        [
            user("?"),
            Message("assistant", (replace(call, arguments="{}"),)),
            Message("tool", (ToolResult("a", KEY),)),
            assistant("So."),
        ]
    )

    assert leak(asked, 3) == f"{KIND} in message #1"
    assert leak(answered, 3) == f"{KIND} in message #2"


def test_the_target_the_alternate_and_the_tools_are_too() -> None:
    told = talk(user("?"), assistant(f"It is {KEY}."))
    clean = talk(user("?"), assistant("It is secret."))
    tools = replace(clean, tools=(f'{{"name": "a", "description": "e.g. {KEY}"}}',))

    assert leak(told, 1) == f"{KIND} in the target, #1"
    assert leak(told, 1, target="It is secret.") is None
    assert leak(clean, 1, target=KEY) == f"{KIND} in the target, #1"
    assert leak(clean, 1, rejected=KEY) == f"{KIND} in the alternate to #1"
    assert leak(tools, 1) == f"{KIND} in the definitions of the tools"


def test_what_comes_after_a_response_does_not_count_nor_do_memories() -> None:
    told = talk(memory("k", KEY), user("?"), assistant("So."), user(KEY), assistant("Oh."))

    assert leak(told, 2) is None
    assert leak(told, 4) == f"{KIND} in message #3"
