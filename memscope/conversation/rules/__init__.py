"""The memory rules: which lines of a conversation were surfaced from an agent's memory.

Formats have found what is explicit or structured (rules 1 and 2); the rules here read text. They only ever part text
into text and memories: no message's text changes, no response is touched, and a memory that was found stays.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from memscope.base.errors import SettingsError
from memscope.conversation.model import Conversation
from memscope.conversation.rules import fenced, headings, tools
from memscope.conversation.rules._rule import Rule
from memscope.conversation.rules.patterns import Pattern

__all__ = ["RULES", "Pattern", "Rule", "find_memories"]

RULES = (fenced.RULE, tools.RULE, headings.RULE)  # in order: what one rule has found, the next leaves alone


def find_memories(
    conversation: Conversation, *, off: Collection[str] = (), patterns: Sequence[Pattern] = ()
) -> Conversation:
    """`conversation` with its memories found by every rule that is not `off`, and then by a person's own `patterns`.

    Finding memories in what it returns changes nothing. Raises `SettingsError` for an `off` that names no rule, and for
    two patterns of one name.
    """
    rules = (*RULES, *(pattern.rule for pattern in patterns))
    names = [rule.name for rule in rules]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError("two memory patterns have this name", where=name, do="Rename one.")
    for name in off:
        if name not in names:
            raise SettingsError(f"there is no memory rule {name!r} to switch off", do=f"There are: {', '.join(names)}.")
    for rule in rules:
        if rule.name not in off:
            conversation = rule.apply(conversation)
    return conversation
