"""Insights synthesized by a chat model: the prompt, which is looked at first, and what an answer comes to.

The traces are read anew from the newest sessions, as many as there is room for. Nothing is sent unless a person, or a
command, asks for it; an answer of which nothing can be made is handed over as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from memscope.actions.chat import ask, is_answered, whom
from memscope.actions.insights import Observed, Session
from memscope.actions.newest_traces import NewestTraces
from memscope.base.clock import now
from memscope.base.settings import CLASSIC
from memscope.base.text import character_count
from memscope.insights.answer import Said, read_answer
from memscope.insights.classic import classic_answer, classic_prompt
from memscope.insights.curation import merged
from memscope.insights.model import Evidence, Insight
from memscope.insights.prompt import Prompt, prompt
from memscope.insights.traces import TraceLine
from memscope.reports.insights_prompt import InsightsPromptDocument, PromptMessage, told_words

if TYPE_CHECKING:
    from memscope.base.job import Job
    from memscope.base.settings import Settings
    from memscope.clients.kept_chat import KeptChat

_LONGEST = 4000  # tokens of an answer
_TOKEN = 4  # characters, about
_CONFIDENCE = 0.5  # of a reply that somebody keeps as it is
_WORDS = 300  # characters of that


@dataclass(frozen=True, slots=True)
class Prepared:
    """A synthesis before anything is sent: the `prompt`, the `sessions` whose traces are in it, and how many more there
    are that are `left_out`; of those that say nothing, only what was not read. `origin`: all sessions that it tells of,
    and behind those of the traces the others that it has observations of."""

    prompt: Prompt
    sessions: tuple[Session, ...]
    left_out: int
    origin: tuple[Evidence, ...]
    count: int
    classic: bool

    def read(self, reply: str) -> tuple[Said, ...]:
        """What a reply comes to. Raises `ValueError` where that is nothing, as of an empty one in any mode."""
        return classic_answer(reply) if self.classic and reply.strip() else read_answer(reply, self.count)

    @property
    def observed(self) -> list[str]:
        """The sessions of which there are observations in the prompt, and no traces."""
        return [one.session for one in self.origin[len(self.sessions) :]]

    def document(self, settings: Settings, *, cached: bool = False) -> InsightsPromptDocument:
        """The prompt as it is shown. `cached`: its answer is kept."""
        return InsightsPromptDocument(
            messages=[PromptMessage(role=one["role"], content=one["content"]) for one in self.prompt.messages],
            characters=self.prompt.characters,
            tokens=-(-self.prompt.characters // _TOKEN),
            longest=_LONGEST,
            sessions=[session.name for session in self.sessions],
            observed=self.observed,
            left_out=self.left_out,
            cut=len(self.prompt.cut),
            url=settings.chat_url or None,
            model=settings.chat_model or None,
            cached=cached,
        )


@dataclass(frozen=True, slots=True)
class Synthesis:
    """What a `model` made of a prompt. `parse_error`: why nothing could be made of its `reply`, "" where it could;
    `cached`: nothing was sent, the answer was on disk."""

    insights: tuple[Insight, ...]
    reply: str
    model: str
    parse_error: str
    cached: bool

    @property
    def may_be_kept(self) -> bool:
        """Whether somebody may keep the reply as it is: nothing could be made of it, and there are words in it."""
        return bool(self.parse_error and self.reply.strip())

    def without_error(self) -> Synthesis:
        """The same, where the reply was taken as it is."""
        return replace(self, parse_error="")


def prepare(observed: Observed, settings: Settings, job: Job, *, sessions: Collection[str] | None = None) -> Prepared:
    """The prompt of what was observed, of the newest sessions, or those of these names. Raises `Cancelled`."""
    wanted = [one for one in observed.sessions if sessions is None or one.name in sessions]
    wanted.sort(key=lambda session: -session.date)
    seen = [one for one in observed.insights if sessions is None or _is_of(one, sessions)]
    seen = seen if settings.insight_rules else []
    chars, count, is_classic = settings.insight_chars, settings.insight_count, settings.compat == CLASSIC
    traces = NewestTraces(wanted, chars, job)
    if is_classic:
        told = ((trace.name, [_as_message(line) for line in trace.lines]) for trace in traces)
        made = classic_prompt(told, seen, max_chars=chars, count=count)
    else:
        seen = merged(seen, settings.insight_winner)
        made = prompt(traces, seen, most_chars=chars, count=count)
    inside = tuple(traces.taken[place] for place in made.told)
    others = {e.session: e for place in made.observed for e in seen[place].evidence}
    origin = {one.name: Evidence(one.name, one.source) for one in inside}
    origin |= {name: Evidence(name, e.source) for name, e in others.items() if name not in origin}
    left_out = len(wanted) - traces.silent - len(inside)
    return Prepared(made, inside, left_out, tuple(origin.values()), count, is_classic)


def _is_of(insight: Insight, sessions: Collection[str]) -> bool:
    return any(one.session in sessions for one in insight.evidence)


def _as_message(line: TraceLine) -> dict[str, Any]:
    """A line of a trace as the classic prompt takes a message."""
    return {"role": line.role, "content": line.text, "tool_calls": [{"name": name} for name in line.tools]}


def sent_words(settings: Settings, prepared: Prepared) -> str:
    """What is sent, and where, before it is."""
    masked = "as they are" if prepared.classic else "without credentials"
    told = told_words(len(prepared.sessions), len(prepared.observed))
    size = character_count(prepared.prompt.characters)
    return f"{size}, with what was said in {told}, {masked}, are sent to {whom(settings)}"


def has_answer(prepared: Prepared, chat: KeptChat) -> bool:
    """Whether an answer to the prompt is on disk of which something can be made, so that nothing would be sent."""
    return is_answered(chat, prepared.prompt.messages, prepared.read, max_tokens=_LONGEST)


def synthesize(
    prepared: Prepared,
    chat: KeptChat,
    job: Job,
    *,
    again: bool = False,
    as_it_is: bool = False,
    sending: Callable[[], object] = lambda: None,
) -> Synthesis:
    """What a chat model makes of the prompt; its answer is kept, and taken the next time, unless it is to be asked
    `again`. One of which nothing can be made is taken then where it is wanted `as_it_is`, and asked for anew otherwise.
    `sending` is called, in this thread, before anything is sent. Raises `EngineError` where it does not answer,
    `UsageError`, `Cancelled`."""
    asked = ask(
        *(chat, prepared.prompt.messages, job, prepared.read),
        max_tokens=_LONGEST,
        again=again,
        as_it_is=as_it_is,
        excuses=prepared.classic,
        sending=sending,
    )
    said = asked.said
    insights = tuple(_insight(one, prepared, said.model, said.at) for one in asked.made or ())
    return Synthesis(insights, said.reply.text, said.model, asked.problem, said.cached)


def as_insight(synthesis: Synthesis, prepared: Prepared) -> Insight:
    """A reply that could not be read, as one insight: what somebody does on purpose."""
    words = " ".join(synthesis.reply.split())[:_WORDS]
    return _insight(Said(words, _CONFIDENCE), prepared, synthesis.model, now())


def _insight(said: Said, prepared: Prepared, model: str, at: float) -> Insight:
    return Insight("synthesized", said.text, said.confidence, prepared.origin, at, model)
