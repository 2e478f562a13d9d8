"""What is filled into the braces of a text: names, files, numbers, dates, different ones each time."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from tests.planted_patterns.vocabulary import sections

Fill = Callable[[random.Random], str]

NAMES = sections("names.txt")
SIGNS: dict[str, Sequence[str]] = {
    "N": NAMES["nouns"],
    "V": NAMES["verbs"],
    "C": [noun.capitalize() for noun in NAMES["nouns"]],
    "#": "123456789",
}
ENDS = "py py py ts tsx go rs java rb sql yaml toml css html md".split()

HIDDEN = ("[REDACTED]", "[REDACTED]", "<REDACTED>", "***")


class Slots:
    """Fills braces: `text.format_map(slots)`. `hidden`: how likely it is that a placeholder stands for a value."""

    def __init__(self, chance: random.Random, hidden: float = 0.0) -> None:
        self.chance = chance
        self.hidden = hidden

    def __getitem__(self, name: str) -> str:
        value = FILLS[name](self.chance)
        return self.chance.choice(HIDDEN) if self.chance.random() < self.hidden else value


def fill(text: str, chance: random.Random, hidden: float = 0.0) -> str:
    """The text with its braces filled."""
    return text.format_map(Slots(chance, hidden))


def _one(section: str) -> Fill:
    return lambda chance: chance.choice(NAMES[section])


def _shape(shape: str) -> Fill:
    """Fills N with a noun, V with a verb, C with a capitalised noun, # with a digit, other than zero."""

    def made(chance: random.Random) -> str:
        return "".join(chance.choice(SIGNS[sign]) if sign in SIGNS else sign for sign in shape)

    return made


def _any(*fills: Fill) -> Fill:
    return lambda chance: chance.choice(fills)(chance)


def _number(first: int, last: int) -> Fill:
    return lambda chance: str(chance.randint(first, last))


def _file(chance: random.Random) -> str:
    name = _any(_shape("N_N"), _shape("V_N"), _shape("N"), _shape("N/N_N"), _shape("N/N"))(chance)
    return f"{name}.{chance.choice(ENDS)}"


FILLS: dict[str, Fill] = {
    "file": _file,
    "path": _any(_shape("src/N/N"), _shape("N/N"), _shape("packages/N"), _shape("~/N"), _shape("lib/N_N")),
    "module": _any(_shape("N.N"), _shape("N_N"), _shape("the N module"), _shape("N.N.N")),
    "func": _any(_shape("V_N"), _shape("V_N_N"), _shape("V_N()")),
    "cls": _shape("CC"),
    "test": _any(_shape("test_N_N"), _shape("test_V_N"), _shape("test_N.py"), _shape("test_N_V_N")),
    "column": _shape("N_N"),
    "table": _any(_shape("Ns"), _shape("N_Ns")),
    "package": _any(_shape("N-N"), _shape("pyN"), _shape("NN")),
    "service": _any(_shape("N-N"), _shape("N-server"), _shape("N-api"), _shape("N-worker")),
    "host": _any(_shape("N-#"), _shape("N##.example.com"), _shape("db-N")),
    "branch": _any(_shape("feature/N-N"), _shape("fix/N"), _shape("V-N"), _shape("N-###")),
    "endpoint": _any(_shape("/api/Ns"), _shape("GET /Ns"), _shape("/v#/Ns/N"), _shape("POST /N/V")),
    "ticket": _any(_shape("OPS-###"), _shape("WEB-####"), _shape("APP-12##")),
    "invoice": _any(_shape("R-20##-###"), _shape("FA-#####"), _shape("no. ####")),
    "data": _any(_shape("N_20##.csv"), _shape("N.xlsx"), _shape("N/N.parquet"), _shape("sales_N.csv")),
    "pr": _number(12, 4999),
    "n": _number(12, 980),
    "small": _number(2, 9),
    "minor": _any(_shape("3.1#"), _shape("3.#")),
    "hours": _number(2, 72),
    "year": _number(1996, 2026),
    "version": _any(_shape("v#.#.#"), _shape("#.##.#"), _shape("2.#.0"), _shape("1.#.0rc#")),
    "time": lambda chance: f"{chance.randint(0, 23)}:{chance.randint(0, 59):02}",
    "date": lambda chance: chance.choice(
        [
            f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
            f"{chance.randint(1, 28)} {chance.choice(NAMES['months'])}",
        ]
    ),
    "customer": lambda chance: f"{chance.choice(NAMES['companies'])} {chance.choice(NAMES['forms'])}",
    "person": _one("people"),
    "other": _one("people"),
    "city": _one("cities"),
    "country": _one("countries"),
    "language": _one("languages"),
    "day": _one("days"),
    "month": _one("months"),
    "team": _one("teams"),
    "event": _one("events"),
    "role": _one("roles"),
    "sentence": _one("sentences"),
}
