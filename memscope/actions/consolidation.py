"""Consolidating lessons: rules proposed by a chat model, or from the episodes that scored high; looked at, then kept.

A model is asked outside the lock, and what it says goes into the file as it is by then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memscope.actions.chat import ask, is_answered, whom
from memscope.base.errors import Cancelled, EngineError, MemscopeError
from memscope.base.settings import CLASSIC
from memscope.base.text import character_count, counted
from memscope.lessons import classic_consolidation, consolidation, file
from memscope.reports.lessons_change import By, LessonsChangeDocument, change_document

if TYPE_CHECKING:
    from pathlib import Path

    from memscope.actions.lessons import Lessons
    from memscope.base.job import Job
    from memscope.base.settings import Settings
    from memscope.clients.kept_chat import KeptChat
    from memscope.lessons.model import AgentMemory

TIMEOUT = consolidation.TIMEOUT


@dataclass(frozen=True, slots=True)
class Proposal:
    """Rules that could be kept, of a file at `path` as it was `before`; `by` a `model`, or the scores. `trouble`: why
    the model derived none, "" where it did or was not asked; `cached`: its answer was on disk."""

    path: Path
    before: AgentMemory
    rules: tuple[str, ...]
    by: By
    classic: bool
    model: str = ""
    cached: bool = False
    trouble: str = ""

    def document(self, memory: AgentMemory | None = None) -> LessonsChangeDocument:
        """What keeping them would change in a `memory`; None: as the file was before."""
        memory = self.before if memory is None else memory
        return self._told(memory, self.applied(memory), written=False)

    def applied(self, memory: AgentMemory) -> AgentMemory:
        """A memory with these rules; the same object where that changes nothing. What was recorded since they were
        derived is still to be consolidated, and where a model failed, the rules of earlier ones stay."""
        total = self.before.total_episodes
        if self.classic:
            return classic_consolidation.consolidated(memory, self.rules, total=total)
        return consolidation.consolidated(memory, self.rules, total=total, sparing=bool(self.trouble))

    def _told(self, before: AgentMemory, after: AgentMemory, *, written: bool) -> LessonsChangeDocument:
        return change_document(
            *(self.path, "consolidate", before, after),
            written=written,
            by=self.by if self.rules else None,
            model=self.model,
            trouble=self.trouble,
        )


def sent_words(settings: Settings, memory: AgentMemory) -> str:
    """What is sent to have rules derived, and where, before it is."""
    messages = consolidation.messages(memory, classic=settings.compat == CLASSIC)
    size = sum(len(message["content"]) for message in messages)
    told = counted(min(len(memory.episode_log), consolidation.EPISODES), "episode")
    masked = "as they are" if settings.compat == CLASSIC else "without credentials"
    return (
        f"{character_count(size)}, with the scores and summaries of the last {told} {masked},"
        f" are sent to {whom(settings)}"
    )


def has_answer(lessons: Lessons, settings: Settings, chat: KeptChat) -> bool:
    """Whether an answer that names rules is on disk, so that nothing would be sent."""
    read, messages = _asking(lessons, classic=settings.compat == CLASSIC)
    return is_answered(chat, messages, read, max_tokens=consolidation.MAX_TOKENS)


def propose(
    lessons: Lessons,
    settings: Settings,
    chat: KeptChat | None,
    job: Job,
    *,
    again: bool = False,
    sending: Callable[[], object] = lambda: None,
) -> Proposal:
    """The rules that a chat model derives of the last episodes; where there is none, or it fails, those that the scores
    tell. `again`: it is asked even where its answer is kept; `sending` is called, in this thread, before anything is
    sent. Raises `Cancelled`."""
    memory, classic = lessons.memory, settings.compat == CLASSIC
    trouble = ""
    if chat is not None and memory.episode_log:
        try:
            return _by_model(lessons, chat, job, classic=classic, again=again, sending=sending)
        except Cancelled:
            raise
        except MemscopeError as error:
            trouble = str(error)
    rules = classic_consolidation.by_scores(memory) if classic else consolidation.by_scores(memory)
    return Proposal(lessons.path, memory, tuple(rules), "scores", classic, trouble=trouble)


def _by_model(
    lessons: Lessons, chat: KeptChat, job: Job, *, classic: bool, again: bool, sending: Callable[[], object]
) -> Proposal:
    read, messages = _asking(lessons, classic=classic)
    asked = ask(chat, messages, job, read, max_tokens=consolidation.MAX_TOKENS, again=again, sending=sending)
    if asked.made is None:
        do = "Ask again, or choose another model."
        raise EngineError(f"the chat model named no rules: {asked.problem}", where=chat.url, do=do)
    rules, said = consolidation.from_model(asked.made), asked.said
    return Proposal(lessons.path, lessons.memory, rules, "model", classic, said.model, said.cached)


def _asking(
    lessons: Lessons, *, classic: bool
) -> tuple[Callable[[str], tuple[str, ...]], list[consolidation.ChatMessage]]:
    """How an answer is read, and what is asked."""
    read = classic_consolidation.rules_in if classic else consolidation.rules_in
    return read, consolidation.messages(lessons.memory, classic=classic)


def nothing(lessons: Lessons) -> LessonsChangeDocument:
    """The document of a consolidation that is not done."""
    return change_document(lessons.path, "consolidate", lessons.memory, lessons.memory, written=False)


def keep(
    proposal: Proposal, wait: Callable[[], object] = lambda: None
) -> tuple[AgentMemory, AgentMemory, LessonsChangeDocument]:
    """Puts the rules into the file as it is now: what that was, what it is, and what has changed. Nothing is written
    where nothing changes. `wait` is called again and again while others change the file, and may raise to end that.
    Errors as `lessons.record`."""
    before, after = file.changing(proposal.path, proposal.applied, wait=wait)
    return before, after, proposal._told(before, after, written=after is not before)
