"""What is kept of the memories of a conversation beside their effects: tokens, weights, and what a person decided."""

from __future__ import annotations

from collections.abc import Iterable

from memscope.actions.engine import Scorer
from memscope.actions.memory_decisions import said_of
from memscope.actions.runs import run_name, text_digest
from memscope.conversation.lineage import lineage
from memscope.conversation.model import Conversation
from memscope.engines.checked import digest
from memscope.reports.incremental import ScoreAt
from memscope.reports.matrix import MatrixDocument
from memscope.reports.memories import Known
from memscope.store.runs import Runs
from memscope.store.weights import Weighed, Weights


def known_of(conversation: Conversation, scorer: Scorer) -> Known:
    """What is on disk; without a store nothing is. Raises `StoreError`."""
    if scorer.database is None:
        return Known()
    said = said_of(scorer.database, conversation)
    return Known(
        tokens=tokens_kept(conversation, scorer),
        weights={key: history[-1] for key, history in histories_kept(conversation, scorer).items()},
        decisions={key: one.verdict for key, one in said.items() if one.verdict},
        notes={key: one.note for key, one in said.items() if one.note},
    )


def with_known(document: MatrixDocument, conversation: Conversation, scorer: Scorer) -> MatrixDocument:
    """The document with what is on disk. Raises `StoreError`."""
    known = known_of(conversation, scorer)
    return document.model_copy(update={"memories": [known.of(row) for row in document.memories]})


def weights_of(conversation: Conversation, scorer: Scorer) -> Weights | None:
    """The weights that a scorer has given to the memories of a conversation, and gives; None without a store."""
    return None if scorer.database is None else Weights(scorer.database, lineage(conversation), scorer.digest)


def histories_kept(conversation: Conversation, scorer: Scorer) -> dict[str, tuple[ScoreAt, ...]]:
    """All that the scorer ever scored memories of the conversation, by key, oldest first. Raises `StoreError`."""
    keys, weights = {memory.key for memory in conversation.memories}, weights_of(conversation, scorer)
    found = {} if weights is None else weights.histories()
    return {key: _scores(times) for key, times in found.items() if key in keys}


def history_kept(conversation: Conversation, scorer: Scorer, key: str) -> tuple[ScoreAt, ...]:
    """The same of one memory. Raises `StoreError`."""
    weights = weights_of(conversation, scorer)
    return () if weights is None else _scores(weights.history(key))


def _scores(times: Iterable[Weighed]) -> tuple[ScoreAt, ...]:
    return tuple(ScoreAt(one.at, one.score, one.weight) for one in times)


def tokens_kept(conversation: Conversation, scorer: Scorer) -> dict[str, int]:
    """The tokens that the memories take, by the count of the engine's last run of the conversation; not those of a text
    that is another by now. Raises `StoreError`."""
    if scorer.database is None:
        return {}
    engine = digest(scorer.engine.identity)
    texts = {memory.key: text_digest(memory.texts[-1]) for memory in conversation.memories}
    run = next((run for run, _ in Runs(scorer.database).of(run_name(conversation)) if run.engine == engine), None)
    outcomes = run.outcomes if run is not None else ()
    return {one.key: one.tokens for one in outcomes if one.tokens is not None and texts.get(one.key) == one.text}
