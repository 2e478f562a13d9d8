"""What a decision is about: a response and what was said before it, without the memories."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import Piece, Turn, render


def subjects(conversation: Conversation) -> dict[int, str]:
    """For each response, by message index, a digest of its content and of the prompt before it without the memories.

    Nothing else counts, so a decision outlives another engine, other memories and a conversation that goes on. Thinking
    does not count, whether or not it is scored, nor do the newlines that a text was given because a memory follows it.
    """
    said = replace(conversation, thinking=False)
    prompt = render(said, Ablation.of(*(memory.key for memory in conversation.memories)))
    digest, found = hashlib.sha256(), []
    for turn in prompt.turns:
        digest.update(_without_end(turn).digest)
        if turn.is_response:
            found.append(digest.hexdigest())
    return dict(zip(conversation.responses, found, strict=True))


def _without_end(turn: Turn) -> Turn:
    return replace(turn, pieces=(Piece(turn.content.rstrip("\n")),))
