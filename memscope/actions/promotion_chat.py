"""A draft by a chat model: the members' words are sent, without credentials, and one answer that is no skill is asked
for again with what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memscope.actions.chat import CUT, TEMPERATURE, whom
from memscope.actions.promoting import origin_of
from memscope.base.errors import EngineError
from memscope.base.text import character_count, counted
from memscope.promotion.chat_draft import draft_messages, read_answer, retry_messages
from memscope.promotion.skill_file import Finding, written

if TYPE_CHECKING:
    from memscope.actions.promotion_decisions import Said
    from memscope.base.job import Job
    from memscope.base.settings import Settings
    from memscope.clients.kept_chat import KeptChat, KeptReply
    from memscope.promotion.chat_draft import ChatMessage
    from memscope.promotion.draft import Origin
    from memscope.promotion.pattern import Pattern

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
    messages = counted(len(pattern.members) - len(said.dropped), "message")
    return (
        f"{character_count(size)}, with the words of {messages} as far as they fit and without credentials,"
        f" are sent to {whom(settings)}"
    )


def draft_by_chat(
    pattern: Pattern,
    said: Said,
    chat: KeptChat,
    job: Job,
    *,
    again: bool = False,
    sending: Callable[[], object] = lambda: None,
) -> ChatDraft:
    """What a chat model makes of a pattern. An answer that is kept is taken, unless it is to be asked `again`; answers
    that came to no skill are never the last word, but asked for anew. `sending` is called, in this thread, before the
    first words are sent; not where none are.

    Raises `EngineError` where it does not answer, or twice what is no skill; `UsageError`, `Cancelled`.
    """
    origin = origin_of(pattern, said)
    asked = False

    def reply(messages: list[ChatMessage], *, again: bool) -> KeptReply:
        nonlocal asked
        kept = None if again else chat.kept_reply(messages, temperature=TEMPERATURE, max_tokens=_LONGEST)
        if kept is None and not asked:
            asked = True
            sending()
        return kept or chat.reply(messages, job, temperature=TEMPERATURE, max_tokens=_LONGEST, again=again)

    made = _asked(origin, said.name, reply, job, again=again)
    if not isinstance(made, ChatDraft) and not asked:
        made = _asked(origin, said.name, reply, job, again=True)
    if isinstance(made, ChatDraft):
        return made
    do = "Ask again, choose another model, or write it by hand."
    raise EngineError(f"the chat model wrote no skill: {made}", where=chat.url, do=do)


def _asked(origin: Origin, name: str, reply: Callable[..., KeptReply], job: Job, *, again: bool) -> ChatDraft | Finding:
    """The draft, at the second try where the first answer is none; or what is wrong with the second too."""
    messages = draft_messages(origin, name)
    repeated = False
    while True:
        job.progress(0, None, "", "asking the chat model once more" if repeated else "asking the chat model")
        found = reply(messages, again=again)
        answer = read_answer(found.reply.text, origin, name)
        errors = answer.errors
        if found.reply.finish == CUT:
            errors = (Finding("error", "", "it was cut off, for it is too long; write a shorter one"), *errors)
        if answer.skill is not None and not errors:
            return ChatDraft(written(answer.skill), found.model, answer.findings, repeated, found.cached)
        if repeated:
            return errors[0]
        messages, repeated = retry_messages(messages, found.reply.text, errors), True
