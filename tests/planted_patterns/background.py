"""Messages that are all different: no two of them ask for the same.

Each is put together of an act on a thing, mostly with a condition, a reason or a detail, and those of parts in turn. A
thing is used once, and its like (the invoice index, the invoice parser) never with the same act; what has nothing to do
with work comes with an act once. Messages that share more than one of their parts are rare, so that they form no
cluster of their own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product

from tests.planted_patterns.slots import HIDDEN, fill
from tests.planted_patterns.vocabulary import Sections, sections

LIFE = 0.08  # the share of what has nothing to do with work
GREETINGS = (
    "hi,",
    "hey,",
    "good morning,",
    "one more thing:",
    "question:",
    "so,",
    "ok,",
    "sorry to bother you,",
    "idea:",
)


def background(chance: random.Random) -> Iterator[str]:
    """Messages, until the things run out: some 20,000."""
    work, life = sections("background.txt"), sections("life.txt")
    things = list(product(work["modifiers"], work["components"]))
    topics = list(product(life["acts"], life["topics"]))
    chance.shuffle(things)
    chance.shuffle(topics)
    taken: set[tuple[str, str]] = set()
    for modifier, component in things:
        if topics and chance.random() < LIFE:
            act, topic = topics.pop()
            yield _message(life, act, topic, chance.choice(life["topics"]), chance)
            continue
        act = _act(work, chance)
        while (act, modifier) in taken:
            act = _act(work, chance)
        taken.add((act, modifier))
        other = f"the {chance.choice(work['modifiers'])} {chance.choice(work['components'])}"
        yield _message(work, act, f"the {modifier} {component}", other, chance)


def _act(of: Sections, chance: random.Random) -> str:
    if chance.random() < 0.25:
        return chance.choice(of["acts"])
    return f"{chance.choice(of['verbs'])} the {chance.choice(of['aspects'])} of {{thing}}"


def _condition(of: Sections, chance: random.Random) -> str:
    work = sections("background.txt")
    way = chance.random()
    if way < 0.3:
        return f"for {chance.choice(work['audiences'])}"
    return chance.choice(work["times"] if way < 0.6 else of["conditions"])


def _reason(of: Sections, chance: random.Random) -> str:
    work = sections("background.txt")
    if chance.random() < 0.1:
        return chance.choice(of["reasons"])
    return f"{chance.choice(work['subjects'])} {chance.choice(work['predicates'])}"


def _details(of: Sections, chance: random.Random) -> Iterator[str]:
    for share in (0.4, 0.2, 0.1):
        if chance.random() < share:
            frame = chance.choice(of["frames"]).replace("{aspect}", chance.choice(of["aspects"]))
            yield frame if chance.random() < 0.7 else chance.choice(of["details"])


def _message(of: Sections, act: str, thing: str, other: str, chance: random.Random) -> str:
    act = act.replace("{thing}", thing).replace("{other}", other)
    condition, reason = _condition(of, chance), _reason(of, chance)
    shapes = (
        f"{act} {condition}, {reason}",
        f"{reason}, so {act}",
        f"{condition}: {act}",
        f"{act}\n{reason}, {condition}",
        f"{reason}. {act} {condition}",
        f"{act} ({condition})",
        f"{act}, {reason}",
    )
    text = chance.choice(shapes).replace("? ", ", ").replace("?,", ",")
    if chance.random() < 0.15:
        text = f"{chance.choice(GREETINGS)} {text}"
    if "frames" in of:
        details = list(_details(of, chance))
        text = " ".join([f"{text}.", *details] if details else [text])
        if chance.random() < 0.02:
            text += f"\n\n{chance.choice(of['errors'])}"
    text = fill(text, chance)
    return text[0].upper() + text[1:] if chance.random() < 0.5 else text


def redacted(text: str, chance: random.Random) -> str:
    """The text with placeholders for two to six of its words, or for most of them."""
    words = text.split()
    most = len(words) - 2 if chance.random() < 0.1 else min(6, len(words) // 2)
    for place in chance.sample(range(len(words)), max(2, chance.randint(2, max(2, most)))):
        words[place] = chance.choice(HIDDEN)
    return " ".join(words)
