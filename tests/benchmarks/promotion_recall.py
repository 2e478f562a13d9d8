"""How much of what recurs is found, and how much of what is found recurs, on messages in which it is known.

    python tests/benchmarks/promotion_recall.py [--sweep] [--local FOLDER] [--url URL] [--model NAME]
        [--thresholds 0.6,0.85] [--seed 1] [--patterns 30] [--messages 10000] [--sessions 200] [--show]

Thirty patterns are planted among 10,000 messages of 200 sessions (tests/planted_patterns): each 5 to 40 times in 3 to
25 sessions, in hand-written wordings with other names, files, numbers and dates each time. Two thirds of a pattern's
messages are near-repeats of one wording (politeness, slips, another order), a third are paraphrases in other words. All
the rest ask for something different each, among it the words of the patterns with another intent, texts with
placeholders, and requests that are repeated within one session only.

A candidate is *of* a pattern when more than half of its members are. In the table:

    patterns    recall of patterns: those that have a candidate which is of them
    precision   share of the candidates that are of a pattern
    pieces      how many candidates a found pattern is split into, on average
    near, para  member recall: share of the near-repeats, and of the paraphrases, that are in a candidate of their own
    joined      share of the paraphrases that are in one beside a near-repeat: a paraphrase is repeated, too, and its
                repeats may be a candidate by themselves
    members     member precision: share of all members of candidates that are of the pattern their candidate is of
    strangers   the other members, by what they are

Embedders: `embedded`; `local` where a model is named with --local (a folder or a hub's name; needs the extra
`embeddings`); `api` where a server is named with --url. Thresholds: the embedder's own and 0.85; with --sweep also 0.30
to 0.90. --show prints the candidates that are of no pattern, and each pattern's share that was reached, at the
embedder's own threshold.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from memscope.actions.embedder import open_embedder
from memscope.base.job import Job
from memscope.base.settings import Settings
from memscope.promotion.grouping import group
from memscope.promotion.model import Candidate, Grouping, Method
from tests.planted_patterns.judged import Judged, judge
from tests.planted_patterns.planted import PlantedSet, planted_set

METHODS: tuple[Method, ...] = ("stable", "greedy")
SWEEP = [round(0.05 * step, 2) for step in range(6, 19)]


def line(method: str, threshold: float, told: Judged, seconds: float) -> str:
    strangers = ", ".join(f"{count} {kind}" for kind, count in told.strangers.most_common())
    return (
        f"{method:<8}{threshold:>9.2f}{f'{told.found}/{told.patterns}':>10}{told.candidates:>12}{told.precision:>11.1%}"
        f"{told.pieces:>8.1f}{told.reach('near'):>8.1%}{told.reach('paraphrase'):>8.1%}"
        f"{told.joined / (told.said['paraphrase'] or 1):>8.1%}{told.purity:>9.1%}"
        f"{seconds:>9.1f}  {strangers}"
    )


def show(planted: PlantedSet, candidates: Sequence[Candidate], told: Judged) -> None:
    """The candidates that are of no pattern, and of each pattern how much was reached."""
    print("of no pattern:")
    for place in told.wrong:
        print(f"  {len(candidates[place].members)} members")
        for member in candidates[place].members[:4]:
            print(f"    {planted.kinds[member]:<12}{planted.rows[member].text[:100]!r}")
    reached: Counter[int | None] = Counter()
    for candidate in candidates:
        pattern, count = Counter(planted.truth[member] for member in candidate.members).most_common(1)[0]
        reached[pattern] += count if 2 * count > len(candidate.members) else 0
    said = Counter(planted.truth)
    print("reached:", ", ".join(f"{name} {reached[at]}/{said[at]}" for at, name in enumerate(planted.names)))


def table(settings: Settings, planted: PlantedSet, asked: argparse.Namespace) -> None:
    began = time.perf_counter()
    with open_embedder(settings, None) as embedder:
        vectors = embedder.embed([row.text for row in planted.rows], Job())
        own = embedder.threshold
    seconds = time.perf_counter() - began
    print(f"{settings.embedder}: {embedder.name}, {vectors.shape[1]} dimensions, {seconds:.1f} s, threshold {own:.2f}")
    titles = (
        ("patterns", 10),
        ("candidates", 12),
        ("precision", 11),
        ("pieces", 8),
        ("near", 8),
        ("para", 8),
        ("joined", 8),
    )
    print(f"{'':8}{'threshold':>9}", *(f"{title:>{width}}" for title, width in titles), sep="", end="")
    print(f"{'members':>9}{'seconds':>9}  strangers")
    for method in METHODS:
        for threshold in sorted({own, *asked.thresholds, *(SWEEP if asked.sweep else ())}):
            began = time.perf_counter()
            found = group(planted.rows, vectors, Grouping(method, threshold), Job()).candidates
            seconds = time.perf_counter() - began
            told = judge(planted, found)
            print(line(method, threshold, told, seconds))
            if asked.show and threshold == own:
                show(planted, found, told)
    print()


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("--sweep", action="store_true")
    given.add_argument("--show", action="store_true")
    given.add_argument("--local", metavar="FOLDER")
    given.add_argument("--url")
    given.add_argument("--model", default="")
    given.add_argument("--thresholds", type=lambda text: [float(one) for one in text.split(",")], default=[0.85])
    given.add_argument("--seed", type=int, default=1)
    given.add_argument("--patterns", type=int, default=30)
    given.add_argument("--messages", type=int, default=10_000)
    given.add_argument("--sessions", type=int, default=200)
    asked = given.parse_args()
    planted = planted_set(asked.seed, patterns=asked.patterns, messages=asked.messages, sessions=asked.sessions)
    print(", ".join(f"{count} {kind}" for kind, count in Counter(planted.kinds).most_common()), end="\n\n")
    table(Settings(embedder="embedded"), planted, asked)
    if asked.local:
        table(Settings(embedder="local", embed_model=asked.local), planted, asked)
    if asked.url:
        table(Settings(embedder="api", embed_url=asked.url, embed_model=asked.model), planted, asked)


if __name__ == "__main__":
    main()
