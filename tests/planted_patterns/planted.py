"""Messages in which it is known what recurs: patterns, planted among messages that are all different."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from memscope.promotion.model import Row
from tests.planted_patterns.background import background, redacted
from tests.planted_patterns.slots import fill
from tests.planted_patterns.wordings import Wordings, wordings

Kind = Literal["near", "paraphrase", "background", "unlike", "redacted", "one session"]
"""What a message is. Of a pattern: `near`, its wording or a near-repeat; `paraphrase`, in other words. Of none:
`background`; `unlike`, the words of a pattern with another intent; `redacted`, with placeholders; `one session`, a
request that is repeated, but within one session only."""

OCCURRENCES, SESSIONS = (5, 40), (3, 25)  # of a pattern, from and to
NEAR = 0.65  # the share of a pattern's messages that are near-repeats
REDACTED = 0.06  # the share of the background with placeholders
ONE_SESSION = 0.03  # the share of the background that is repeated within one session
POLITE = ("please {}", "{} please", "{}, thanks", "hey, {}", "can you {}", "ok now {}", "{} for me", "next: {}", "{}!")
AGAIN = ("{}", "again: {}", "{}, please", "once more, {}", "no, {}", "{} - and this time really", "I said: {}")
START = 1_770_000_000.0  # seconds since the epoch


class Said(NamedTuple):
    """A message before it has a place: what is said, the pattern, and of what kind it is."""

    text: str
    pattern: int | None
    kind: Kind


@dataclass(frozen=True, slots=True)
class PlantedSet:
    """`truth`: the number of the pattern of each row, None for none; `kinds`: what each is; `names`: the patterns'."""

    rows: tuple[Row, ...]
    truth: tuple[int | None, ...]
    kinds: tuple[Kind, ...]
    names: tuple[str, ...]


def planted_set(seed: int = 1, *, patterns: int = 30, messages: int = 10_000, sessions: int = 200) -> PlantedSet:
    """The same for the same arguments. Every session has a message; a pattern occurs 5 to 40 times in 3 to 25 sessions,
    so that it takes some 50 messages a pattern to leave room for others."""
    chance = random.Random(seed)
    chosen = wordings()[:patterns]
    placed: list[list[Said]] = [[] for _ in range(sessions)]
    for number, pattern in enumerate(chosen):
        said = list(_occurrences(number, pattern, chance))
        fewest, most = SESSIONS
        homes = chance.sample(range(sessions), chance.randint(fewest, min(most, len(said), sessions)))
        for place, one in enumerate(said):
            placed[homes[place] if place < len(homes) else chance.choice(homes)].append(one)
    taken = {one.text for of in placed for one in of}
    for number, group in enumerate(_others(chosen, messages - _count(placed), taken, chance)):
        placed[number if number < sessions else chance.randrange(sessions)] += group
    for of in placed:
        chance.shuffle(of)
    rows = tuple(
        Row(place, f"session-{number:03}", one.text, "request", time=START + 86_400 * number + 300 * place)
        for number, of in enumerate(placed)
        for place, one in enumerate(of)
    )
    flat = [one for of in placed for one in of]
    return PlantedSet(
        rows,
        tuple(one.pattern for one in flat),
        tuple(one.kind for one in flat),
        tuple(pattern.name for pattern in chosen),
    )


def _count(placed: list[list[Said]]) -> int:
    return sum(map(len, placed))


def _occurrences(number: int, pattern: Wordings, chance: random.Random) -> Iterator[Said]:
    """The messages of a pattern: every wording before one is used again."""
    near, other = (_round(of, chance) for of in (pattern.near, pattern.other))
    for place in range(count := chance.randint(*OCCURRENCES)):
        if place < round(NEAR * count):
            yield Said(_worn(fill(next(near), chance, hidden=0.03), chance), number, "near")
        else:
            yield Said(_ended(fill(next(other), chance, hidden=0.03), chance), number, "paraphrase")


def _round(of: tuple[str, ...], chance: random.Random) -> Iterator[str]:
    while True:
        yield from chance.sample(of, len(of))


def _worn(text: str, chance: random.Random) -> str:
    """The text as it is said once more: with or without politeness, and now and then a slip."""
    if chance.random() < 0.3 and "?" not in text and not text.startswith(("please", "can you")):
        text = chance.choice(POLITE).format(text)
    if chance.random() < 0.15:
        text = _slip(text, chance)
    return _ended(text, chance)


def _slip(text: str, chance: random.Random) -> str:
    """The text with two letters of one word the wrong way round, or one left out."""
    words = text.split(" ")
    long = [place for place, word in enumerate(words) if word.isalpha() and len(word) > 4]
    if not long:
        return text
    place = chance.choice(long)
    word, at = words[place], chance.randint(1, len(words[place]) - 3)
    words[place] = word[:at] + chance.choice((word[at + 1] + word[at], "")) + word[at + 2 :]
    return " ".join(words)


def _ended(text: str, chance: random.Random) -> str:
    if chance.random() < 0.4:
        text = text[0].upper() + text[1:]
    return text if text[-1] in "?!." or chance.random() < 0.6 else text + "."


def _others(chosen: tuple[Wordings, ...], count: int, taken: set[str], chance: random.Random) -> Iterator[list[Said]]:
    """So many messages of no pattern, none like another or one of `taken`; together what goes into one session."""
    source = background(chance)

    def fresh() -> str:
        text = next(source)
        while text in taken:
            text = next(source)
        taken.add(text)
        return text

    unlike = [text for pattern in chosen for text in pattern.unlike]
    for text in unlike:
        said = _ended(fill(text, chance), chance)
        taken.add(said)
        yield [Said(said, None, "unlike")]
    left = count - len(unlike)
    repeated, hidden = round(ONE_SESSION * left), round(REDACTED * left)
    left -= hidden
    while repeated > 0:
        text = fresh()
        size = min(chance.randint(4, 6), left)
        yield [Said(way.format(text), None, "one session") for way in chance.sample(AGAIN, size)]
        repeated, left = repeated - size, left - size
    for _ in range(hidden):
        text = redacted(fresh(), chance)
        while text in taken:
            text = redacted(fresh(), chance)
        taken.add(text)
        yield [Said(text, None, "redacted")]
    for _ in range(left):
        yield [Said(fresh(), None, "background")]
