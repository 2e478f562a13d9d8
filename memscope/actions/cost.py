"""What a run will cost, told before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memscope.actions.engine import Scorer
from memscope.attribution.matrix import MatrixRun
from memscope.base.job import Job
from memscope.base.text import byte_count
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import Renderer, Turn
from memscope.engines.stored import Stored, score_key


@dataclass(frozen=True, slots=True)
class Estimate:
    """`scorings` of which `known` are on disk; the others hold `characters`, `size` bytes as UTF-8. `server`: the
    address they are sent to, empty for an engine in this process, to which nothing is sent."""

    scorings: int
    known: int
    characters: int
    size: int
    server: str = ""

    def words(self) -> str:
        """The estimate in a line: 53 scorings, 21 on disk, about 1.2 MB to send."""
        if not self.scorings:
            return "nothing to score"
        said = [f"{self.scorings} scoring{'s' if self.scorings > 1 else ''}"]
        if self.known:
            said.append("all on disk" if self.known == self.scorings else f"{self.known} on disk")
        if self.known < self.scorings:
            said.append(f"about {byte_count(self.size)} to send" if self.server else "nothing to send")
        return ", ".join(said)


def cost_before(
    conversation: Conversation, scorer: Scorer, ablations: Sequence[Ablation] | None = None, job: Job | None = None
) -> Estimate:
    """What scoring `ablations` (None: the whole matrix) would take. Asks the disk and no server; every prompt is made
    once, so a large conversation takes a moment. Raises `Cancelled`."""
    asked = MatrixRun(conversation, keep_tokens=False).plan if ablations is None else ablations
    identity, engine, renderer = scorer.engine.identity, scorer.engine, Renderer(conversation)
    whole = renderer.prompt()
    sizes = {id(turn): _size(turn) for turn in whole.turns}  # which live as long as `whole`: prompts share most turns
    prompts = []
    for ablation in asked:
        if job is not None:
            job.check()
        prompt = renderer.prompt(ablation)
        characters = size = 0
        for turn in prompt.turns:
            its_characters, its_size = sizes.get(id(turn)) or _size(turn)
            characters, size = characters + its_characters, size + its_size
        prompts.append((score_key(identity, prompt, prompt.repeat), characters, size))
    on_disk = engine.known(key for key, *_ in prompts) if isinstance(engine, Stored) else frozenset()
    missing = [(characters, size) for key, characters, size in prompts if key not in on_disk]
    return Estimate(
        scorings=len(prompts),
        known=len(prompts) - len(missing),
        characters=sum(characters for characters, _ in missing),
        size=sum(size for _, size in missing),
        server=identity.url,
    )


def _size(turn: Turn) -> tuple[int, int]:
    """Characters and bytes of a turn as it is sent."""
    return len(turn.text), len(turn.text.encode("utf-8", "surrogatepass"))
