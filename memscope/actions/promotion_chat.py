"""A draft by a chat model: the members' words are sent, without credentials, and one answer that is no skill is asked
for again with what is wrong with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memscope.actions.promoting import origin_of
from memscope.base.errors import EngineError
from memscope.base.text import character_count, counted
from memscope.promotion.chat_draft import draft_messages, read_answer, retry_messages
from memscope.promotion.skill_file import written

if TYPE_CHECKING:
    from memscope.actions.promotion_decisions import Said
    from memscope.base.job import Job
    from memscope.base.settings import Settings
    from memscope.clients.kept_chat import KeptChat
    from memscope.promotion.pattern import Pattern
    from memscope.promotion.skill_file import Finding

TEMPERATURE = 0.0
_LONGEST = 4000  # tokens of an answer


@dataclass(frozen=True, slots=True)
class ChatDraft:
    """The `text` of the SKILL.md that a `model` wrote, and what is not recommended in it. `again`: its first answer was
    no skill; `cached`: nothing was asked, the answer is on disk."""

    text: str
    model: str
    findings: tuple[Finding, ...]
    again: bool
    cached: bool


def sent_words(settings: Settings, pattern: Pattern, said: Said) -> str:
    """What is sent for a draft, and where, before it is. Errors as `promoting.origin_of`."""
    size = sum(len(message["content"]) for message in draft_messages(origin_of(pattern, said), said.name))
    model = settings.chat_model or "the model it serves"
    messages = counted(len(pattern.members) - len(said.dropped), "message")
    return (
        f"{character_count(size)}, with the words of {messages} as far as they fit and without credentials,"
        f" are sent to {settings.chat_url}, for {model}"
    )


def draft_by_chat(pattern: Pattern, said: Said, chat: KeptChat, job: Job, *, again: bool = False) -> ChatDraft:
    """What a chat model makes of a pattern. `again`: it is asked even where its answer is kept. Raises `EngineError`
    where it does not answer, or twice what is no skill; `UsageError`, `Cancelled`."""
    origin = origin_of(pattern, said)
    messages = draft_messages(origin, said.name)
    repeated = False
    while True:
        job.progress(0, None, "", "asking the chat model once more" if repeated else "asking the chat model")
        reply = chat.reply(messages, job, temperature=TEMPERATURE, max_tokens=_LONGEST, again=again)
        answer = read_answer(reply.reply.text, origin, said.name)
        if answer.skill is not None and not answer.errors:
            return ChatDraft(written(answer.skill), reply.model, answer.findings, repeated, reply.cached)
        if repeated:
            do = "Ask again, choose another model, or write it by hand."
            raise EngineError(f"the chat model wrote no skill: {answer.errors[0]}", where=chat.url, do=do)
        messages, repeated = retry_messages(messages, reply.reply.text, answer.errors), True
