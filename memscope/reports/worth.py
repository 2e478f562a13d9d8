"""What a response must owe to all memories together to be worth training on. Apart, for the console starts with it."""

from __future__ import annotations

from memscope.attribution import finetune

THRESHOLD = finetune.THRESHOLD  # nats that a candidate's divergence exceeds, unless a person says otherwise


def limit_words(threshold: float) -> str:
    """`1 nat`, `0.5 nats`."""
    return f"{threshold:g} nat{'' if threshold == 1 else 's'}"
