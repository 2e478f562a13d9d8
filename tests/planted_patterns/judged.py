"""How right candidates are, where it is known what recurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from memscope.promotion.model import Candidate
from tests.planted_patterns.planted import Kind, PlantedSet


class Judged(NamedTuple):
    """A candidate is *of* a pattern when more than half of its members are; of none where there is no such pattern.

    `found`: the patterns that have a candidate, of `patterns`; `right`: the candidates that are of a pattern, of
    `candidates`; `reached`: by kind, how many messages of patterns are in a candidate of their own pattern, of `said`;
    `joined`: how many of its paraphrases are there beside a near-repeat, and not only beside others of their wording;
    `own`: the members, of all candidates, that are of the pattern their candidate is of, of `members`; `strangers`: the
    other members, by kind; `wrong`: the candidates that are of none, as places.
    """

    found: int
    patterns: int
    right: int
    candidates: int
    reached: Counter[Kind]
    said: Counter[Kind]
    joined: int
    own: int
    members: int
    strangers: Counter[Kind]
    wrong: tuple[int, ...]

    @property
    def recall(self) -> float:
        """The share of the patterns that are found."""
        return self.found / self.patterns

    @property
    def precision(self) -> float:
        """The share of the candidates that are of a pattern; 1 where there are none."""
        return self.right / self.candidates if self.candidates else 1.0

    @property
    def pieces(self) -> float:
        """How many candidates a pattern that is found is split into, on average."""
        return self.right / self.found if self.found else 0.0

    @property
    def purity(self) -> float:
        """The share of the members that are of their candidate's pattern; 1 where there are none."""
        return self.own / self.members if self.members else 1.0

    def reach(self, *kinds: Kind) -> float:
        """The share of the messages of patterns, of these kinds or of all, that are in a candidate of their own."""
        of = kinds or tuple(self.said)
        return sum(self.reached[kind] for kind in of) / (sum(self.said[kind] for kind in of) or 1)


def judge(planted: PlantedSet, candidates: Sequence[Candidate]) -> Judged:
    """How right the candidates are that were found among the rows of a planted set."""
    found: set[int] = set()
    wrong: list[int] = []
    own: set[int] = set()
    joined = 0
    strangers: Counter[Kind] = Counter()
    for place, candidate in enumerate(candidates):
        pattern, count = Counter(planted.truth[member] for member in candidate.members).most_common(1)[0]
        of = pattern if 2 * count > len(candidate.members) else None
        if of is None:
            wrong.append(place)
        else:
            found.add(of)
            mine = [member for member in candidate.members if planted.truth[member] == of]
            own.update(mine)
            kinds = Counter(planted.kinds[member] for member in mine)
            joined += kinds["paraphrase"] if kinds["near"] else 0
        strangers.update(
            planted.kinds[member] for member in candidate.members if of is None or planted.truth[member] != of
        )
    return Judged(
        len(found),
        len(planted.names),
        len(candidates) - len(wrong),
        len(candidates),
        Counter(planted.kinds[member] for member in own),
        Counter(kind for kind, pattern in zip(planted.kinds, planted.truth, strict=True) if pattern is not None),
        joined,
        len(own),
        sum(len(candidate.members) for candidate in candidates),
        strangers,
        tuple(wrong),
    )
