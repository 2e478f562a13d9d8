"""How many tokens the texts of a conversation have, by the engine's own count."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from memscope.actions.engine import Scorer
from memscope.attribution.incremental import Place
from memscope.base.errors import Cancelled, EngineError, UsageError
from memscope.base.job import Job
from memscope.conversation.model import Conversation, Memory
from memscope.conversation.render import Piece, Prompt, Turn, response_text
from memscope.engines.checked import bare
from memscope.engines.protocol import CountingEngine

_ONE = "."  # a text of one token for every engine: some templates show nothing at all of an empty message


def memory_tokens(
    conversation: Conversation, scorer: Scorer, job: Job, keys: Collection[str] | None = None
) -> dict[str, int] | None:
    """How many tokens the text of each memory has, every occurrence counted; None where the engine does not count, or
    cannot just now. The engine is asked once for each distinct text, of these `keys` alone where they are given. Raises
    `Cancelled`."""
    wanted = {memory.key for memory in conversation.memories} if keys is None else set(keys)
    found = [(m.key, m.text) for message in conversation.messages for m in message.memories if m.key in wanted]
    counts = _counts((text for _, text in found), scorer, job)
    if counts is None:
        return None
    tokens = {memory.key: 0 for memory in conversation.memories if memory.key in wanted}
    for key, text in found:
        tokens[key] += counts[text]
    return tokens


def token_positions(conversation: Conversation, scorer: Scorer, job: Job) -> Place:
    """How far into the conversation each memory ends where it first stands, its own text included: in the engine's
    tokens, or in characters where it does not count. The opening system messages do not count, and a memory in them
    is at 0. The engine is asked once for what stands between one memory and the next. Raises `Cancelled`."""
    keys, parts = _between(conversation)
    unit, sizes = "characters", [sum(map(len, texts)) for texts in parts]
    joined = ["\n".join(filter(None, texts)) for texts in parts]
    counts = _counts(joined, scorer, job)
    if counts is not None:
        unit, sizes = "tokens", [counts[text] for text in joined]
    ends = dict.fromkeys((memory.key for memory in conversation.memories), 0)
    end = 0
    for key, size in zip(keys, sizes, strict=False):  # what stands behind the last memory ends at none
        end += size
        ends[key] = end
    return Place(ends, sum(sizes), unit)


def _between(conversation: Conversation) -> tuple[list[str], list[list[str]]]:
    """The memories behind the opening system messages, in the order in which they first stand, and the texts up to the
    end of each, from the end of the one before; in the end those behind the last."""
    messages, opening = conversation.messages, conversation.opening
    known = {memory.key for message in messages[:opening] for memory in message.memories}
    keys: list[str] = []
    parts: list[list[str]] = [[]]
    for place in range(opening, len(messages)):
        text, at = response_text(conversation, place), 0
        for memory in (part for part in messages[place].parts if isinstance(part, Memory)):
            end = text.index(memory.text, at) + len(memory.text)
            if memory.key not in known:
                known.add(memory.key)
                keys.append(memory.key)
                parts[-1].append(text[at:end])
                parts.append([])
            else:
                parts[-1].append(text[at:end])
            at = end
        parts[-1].append(text[at:])
    return keys, parts


def _counts(texts: Iterable[str], scorer: Scorer, job: Job) -> dict[str, int] | None:
    """The tokens of each text, as a message of its own without what its template puts around it."""
    engine = bare(scorer.engine)
    if not isinstance(engine, CountingEngine):
        return None

    def count(text: str) -> int:
        job.check()
        return engine.count(Prompt((Turn("user", (Piece(text),)),)), job)

    counts = {"": 0}
    try:
        around = count(_ONE) - 1
        for text in texts:
            if text not in counts:
                counts[text] = max(0, count(text) - around)
    except Cancelled:
        raise
    except (EngineError, UsageError):  # which the scoring will meet, and tell
        return None
    return counts
