"""What is kept of the memories of a conversation beside their effects: tokens, weights, and what a person decided."""

from __future__ import annotations

from memscope.actions.engine import Scorer
from memscope.actions.memory_decisions import said_of
from memscope.actions.runs import run_name, text_digest
from memscope.conversation.lineage import lineage
from memscope.conversation.model import Conversation
from memscope.engines.checked import digest
from memscope.engines.protocol import EngineIdentity
from memscope.reports.incremental import ScoreAt
from memscope.reports.matrix import MatrixDocument
from memscope.reports.memories import Known
from memscope.store.database import Database
from memscope.store.runs import Runs
from memscope.store.weights import Weights


def known_of(conversation: Conversation, database: Database | None, identity: EngineIdentity | None) -> Known:
    """What is on disk; without a `database` nothing is. Raises `StoreError`."""
    if database is None:
        return Known()
    said = said_of(database, conversation)
    return Known(
        tokens={} if identity is None else tokens_kept(conversation, database, identity),
        weights={key: history[-1] for key, history in histories_kept(conversation, database).items()},
        decisions={key: one.verdict for key, one in said.items() if one.verdict},
        notes={key: one.note for key, one in said.items() if one.note},
    )


def with_known(document: MatrixDocument, conversation: Conversation, scorer: Scorer) -> MatrixDocument:
    """The document with what is on disk. Raises `StoreError`."""
    known = known_of(conversation, scorer.database, scorer.engine.identity)
    return document.model_copy(update={"memories": [known.of(row) for row in document.memories]})


def histories_kept(conversation: Conversation, database: Database) -> dict[str, tuple[ScoreAt, ...]]:
    """All that memories of the conversation were ever scored, by key, oldest first. Raises `StoreError`."""
    keys = {memory.key for memory in conversation.memories}
    found = Weights(database).histories(lineage(conversation))
    return {
        key: tuple(ScoreAt(one.at, one.score, one.weight) for one in times)
        for key, times in found.items()
        if key in keys
    }


def tokens_kept(conversation: Conversation, database: Database, identity: EngineIdentity) -> dict[str, int]:
    """The tokens that the memories take, by the count of the engine's last run of the conversation; not those of a text
    that is another by now. Raises `StoreError`."""
    engine, texts = digest(identity), {memory.key: text_digest(memory.texts[-1]) for memory in conversation.memories}
    run = next((run for run, _ in Runs(database).of(run_name(conversation)) if run.engine == engine), None)
    outcomes = run.outcomes if run is not None else ()
    return {one.key: one.tokens for one in outcomes if one.tokens is not None and texts.get(one.key) == one.text}
