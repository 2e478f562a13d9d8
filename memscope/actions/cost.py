"""What a run will cost, told before it begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from memscope.actions.engine import Scorer
from memscope.actions.score import new_run
from memscope.base.errors import EngineError, UsageError
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.base.text import byte_count, clock
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import Prompt, Renderer, Turn
from memscope.engines.checked import bare, make_sure, passed
from memscope.engines.protocol import CountingEngine
from memscope.engines.stored import Stored, score_key

Number = TypeVar("Number", int, float)

_CHARACTERS = 4  # that a token has, about, where an engine does not count them
_FREE = "embedded"  # the engine that is never asked about: its runs take seconds, and nothing is sent


@dataclass(frozen=True, slots=True)
class Estimate:
    """`scorings` of which `known` are on disk; the others hold `characters`, `size` bytes as UTF-8. `server`: the
    address they are sent to, empty for an engine in this process, to which nothing is sent. `tokens`: how many they
    are, None where the engine does not count; `seconds`: how long they may take, None where it has not been timed.
    `engine` is its name."""

    scorings: int
    known: int
    characters: int
    size: int
    server: str = ""
    tokens: int | None = None
    seconds: float | None = None
    engine: str = ""

    def words(self) -> str:
        """The estimate in a line: 53 scorings, 21 on disk, about 120k tokens, about 1.2 MB to send, about 0:40."""
        if not self.scorings:
            return "nothing to score"
        said = [f"{self.scorings} scoring{'s' if self.scorings > 1 else ''}"]
        if self.known:
            said.append("all on disk" if self.known == self.scorings else f"{self.known} on disk")
        if self.known < self.scorings:
            if self.tokens is not None:
                said.append(f"about {_token_count(self.tokens)}")
            said.append(f"about {byte_count(self.size)} to send" if self.server else "nothing to send")
            if self.seconds is not None:
                said.append(f"about {clock(max(1, self.seconds))}")
        return ", ".join(said)


def may_ask(scorer: Scorer, settings: Settings) -> bool:
    """Whether there is a run so long that a person should be asked before it."""
    return bool(settings.ask_above) and scorer.engine.identity.name != _FREE


def needs_asking(estimate: Estimate, settings: Settings) -> bool:
    """Whether a person should be asked before a run that takes as much: it scores more tokens than `ask_above`. Where
    they are not counted, four characters are taken for one."""
    if not settings.ask_above or estimate.engine == _FREE:
        return False
    tokens = estimate.characters // _CHARACTERS if estimate.tokens is None else estimate.tokens
    return tokens > settings.ask_above


def added_up(costs: Iterable[Estimate], scorer: Scorer) -> Estimate:
    """What several runs with one engine would take; tokens and seconds are known where they are of each."""
    found, identity = list(costs), scorer.engine.identity
    missing = [cost for cost in found if cost.known < cost.scorings]
    return Estimate(
        scorings=sum(cost.scorings for cost in found),
        known=sum(cost.known for cost in found),
        characters=sum(cost.characters for cost in found),
        size=sum(cost.size for cost in found),
        server=identity.url,
        tokens=_sum([cost.tokens for cost in missing]),
        seconds=_sum([cost.seconds for cost in missing]),
        engine=identity.name,
    )


def _sum(numbers: Sequence[Number | None]) -> Number | None:
    """None where one is not known, and of none."""
    known = [number for number in numbers if number is not None]
    return sum(known[1:], known[0]) if known and len(known) == len(numbers) else None


def cost_before(
    conversation: Conversation,
    scorer: Scorer,
    ablations: Sequence[Ablation] | None = None,
    job: Job | None = None,
    *,
    workers: int | None = None,
    count: bool = True,
) -> Estimate:
    """What scoring `ablations` (None: the whole matrix) would take, `workers` at a time (None: what the engine says).

    Every prompt is made once, so a large conversation takes a moment. Of a server nothing is asked but, where it can
    and something is not on disk, to `count` the tokens of one prompt. Raises `Cancelled`.
    """
    asked = new_run(conversation, keep_tokens=False, classic=scorer.classic).plan if ablations is None else ablations
    identity, engine, renderer = scorer.engine.identity, scorer.engine, Renderer(conversation)
    whole = renderer.prompt()
    sizes = {id(turn): _size(turn) for turn in whole.turns}  # which live as long as `whole`: prompts share most turns
    prompts = []
    for ablation in asked:
        if job is not None:
            job.check()
        prompt = renderer.prompt(ablation)
        prompts.append((score_key(identity, prompt, prompt.repeat), *_sizes(prompt, sizes)))
    on_disk = engine.known(key for key, *_ in prompts) if isinstance(engine, Stored) else frozenset()
    missing = [(characters, size) for key, characters, size in prompts if key not in on_disk]
    characters = sum(found for found, _ in missing)
    tokens = _tokens(scorer, whole, job or Job()) if count and missing else None
    if tokens is not None:
        tokens = round(tokens * characters / max(_sizes(whole, sizes)[0], 1))
    return Estimate(
        scorings=len(prompts),
        known=len(prompts) - len(missing),
        characters=characters,
        size=sum(size for _, size in missing),
        server=identity.url,
        tokens=tokens,
        seconds=_seconds(scorer, tokens, workers),
        engine=identity.name,
    )


def cost_to_ask(
    conversation: Conversation,
    scorer: Scorer,
    settings: Settings,
    job: Job | None = None,
    ablations: Sequence[Ablation] | None = None,
) -> Estimate | None:
    """What scoring `ablations` (None: a whole run) would take, where a person should be asked before it; None where it
    can begin. The engine is checked first, which also tells how fast it is. Raises `EngineError` where a check fails,
    `Cancelled`."""
    if not may_ask(scorer, settings):
        return None
    if cost_before(conversation, scorer, ablations, job, count=False).characters <= settings.ask_above:
        return None  # whatever its tokens are, they are no more
    make_sure(scorer.engine, job or Job())
    estimate = cost_before(conversation, scorer, ablations, job, workers=settings.workers)
    return estimate if needs_asking(estimate, settings) else None


def _tokens(scorer: Scorer, prompt: Prompt, job: Job) -> int | None:
    """How many tokens a prompt has; None where the engine does not say."""
    engine = bare(scorer.engine)
    if not isinstance(engine, CountingEngine):
        return None
    try:
        return engine.count(prompt, job)
    except (EngineError, UsageError):  # which the run will meet, and tell
        return None


def _seconds(scorer: Scorer, tokens: int | None, workers: int | None) -> float | None:
    proof = passed(scorer.engine)
    if tokens is None or proof is None or proof.seconds is None:
        return None
    return tokens * proof.seconds / (workers or scorer.engine.capabilities.concurrency)


def _sizes(prompt: Prompt, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Characters and bytes of a prompt as it is sent; `known` are those of turns, by their id."""
    sizes = [known.get(id(turn)) or _size(turn) for turn in prompt.turns]
    return sum(characters for characters, _ in sizes), sum(size for _, size in sizes)


def _size(turn: Turn) -> tuple[int, int]:
    """The same of a turn."""
    return len(turn.text), len(turn.text.encode("utf-8", "surrogatepass"))


def _token_count(number: int) -> str:
    """900 tokens, 12k tokens, 1.2M tokens."""
    if number < 1000:
        return f"{number} token{'' if number == 1 else 's'}"
    return f"{number / 1000:.0f}k tokens" if number < 999_500 else f"{number / 1_000_000:.1f}M tokens"
