"""How many verdicts are right, on planted conversations in which it is known what each memory is to each response.

    python tests/benchmarks/redundancy.py [conversations]

Every conversation has copies of a fact in the same and in other words, a fact told once, facts that help only together,
a memory that the reply does not follow, and memories about something else. Two engines: one whose score is a formula of
which facts are there, so that the truth is exact, and the embedded one, where the truth is what the texts mean: of what
takes more than words it knows nothing. Prints right verdicts by kind, and how many of the planted pairs are found, at
thresholds in nats: under an engine that blurs more than that, this decides.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from memscope.actions.engine import Scorer
from memscope.actions.redundancy import screen_run, try_pairs
from memscope.actions.score import score_matrix
from memscope.attribution.redundancy import VERDICTS, Verdict
from memscope.base.job import Job
from memscope.conversation.model import Conversation
from memscope.engines.embedded.engine import Embedded
from memscope.reports.verdicts import VerdictReader
from tests.fakes import assistant, memory, talk, user
from tests.planted import Fact, Planted, all_of, any_of

THRESHOLDS = (0.01, 0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Topic:
    """A fact as a memory, the same in other words, what is asked, and a reply that uses it."""

    fact: str
    otherwise: str
    question: str
    reply: str


TOPICS = (
    Topic(
        "Install packages with pnpm, never npm.",
        "For dependencies we use pnpm; npm breaks the lockfile.",
        "How do I add left-pad?",
        "Run pnpm add left-pad; npm would break the lockfile here.",
    ),
    Topic(
        "Amounts are kept in cents as integers.",
        "Money is an integer number of cents, never a float.",
        "What type has the amount?",
        "The amount is an integer number of cents.",
    ),
    Topic(
        "The staging server is kestrel-4 on port 7443.",
        "Staging runs at kestrel-4, port 7443.",
        "Where is staging?",
        "Staging is at kestrel-4, port 7443.",
    ),
    Topic(
        "Changelog entries are fragments in changes/, one a pull request.",
        "Each pull request adds a changelog fragment under changes/.",
        "Do I edit the changelog?",
        "No, add a changelog fragment under changes/ to the pull request.",
    ),
    Topic(
        "Migrations are reviewed by Ottilie before they run.",
        "Ottilie has to review migrations before anyone runs one.",
        "Who looks at the migration?",
        "Ottilie reviews the migration before it runs.",
    ),
    Topic(
        "Logs go to stderr as JSON lines.",
        "Log lines are JSON objects on stderr.",
        "Where do logs go?",
        "Logs are JSON lines on stderr.",
    ),
    Topic(
        "Backups are encrypted with age and kept for ninety days.",
        "We encrypt backups using age; ninety days they stay.",
        "How long do backups stay?",
        "Backups stay ninety days, encrypted with age.",
    ),
    Topic(
        "Tests need the flag --reuse-db.",
        "Run the tests with --reuse-db.",
        "How do I run the tests?",
        "Run pytest with the flag --reuse-db.",
    ),
    Topic(
        "The customer Zorvix pays in Swiss francs.",
        "Invoices of Zorvix are in Swiss francs.",
        "Which currency has Zorvix?",
        "Zorvix is invoiced in Swiss francs.",
    ),
    Topic(
        "Feature flags live in the table toggles.",
        "The table toggles holds all feature flags.",
        "Where is the feature flag?",
        "The feature flag is a row of the table toggles.",
    ),
)
CHAINS = (
    (
        "Project heron is deployed by the job nightly-blue.",
        "The job nightly-blue runs on the host merlin-2.",
        "Where is heron deployed from?",
        "From merlin-2.",
    ),
    ("The nickname of Anselm is Captain.", "Captain owns the billing service.", "Who owns billing?", "Anselm."),
)
AGAINST = (
    ("Always answer in German.", "Is the build green?", "Yes, the build is green."),
    ("Never touch the file schema.sql by hand.", "Add the column.", "I added the column to schema.sql by hand."),
    ("Indent with tabs, never with spaces.", "Format it.", "I indented it with four spaces."),
)


@dataclass(frozen=True)
class Case:
    """A conversation, its facts as a formula, what each memory is to each response (by message), and the pairs."""

    conversation: Conversation
    facts: tuple[Fact, ...]
    truth: dict[tuple[str, int], Verdict]
    pairs: set[frozenset[str]]


def case(chance: random.Random) -> Case:
    """Five responses: one with two copies, one with a paraphrase, one with a fact told once, a chain, one against."""
    copied, reworded, once, *idle = chance.sample(TOPICS, 6)
    chain, against = chance.choice(CHAINS), chance.choice(AGAINST)
    texts = {
        "copied": copied.fact,
        "copy": copied.fact,
        "reworded": reworded.fact,
        "otherwise": reworded.otherwise,
        "once": once.fact,
        "chain-1": chain[0],
        "chain-2": chain[1],
        "against": against[0],
        **{f"idle-{number}": topic.fact for number, topic in enumerate(idle)},
    }
    asked = [
        (copied.question, copied.reply, {"copied": "redundant", "copy": "redundant"}),
        (reworded.question, reworded.reply, {"reworded": "redundant", "otherwise": "redundant"}),
        (once.question, once.reply, {"once": "needed"}),
        (chain[2], chain[3], {"chain-1": "together", "chain-2": "together"}),
        (against[1], against[2], {"against": "suppressor"}),
    ]
    chance.shuffle(asked)
    keys = list(texts)
    chance.shuffle(keys)
    messages = [memory(key, texts[key]) for key in keys]
    truth: dict[tuple[str, int], Verdict] = {}
    facts: list[Fact] = []
    for column, (question, reply, parts) in enumerate(asked):
        messages += [user(question), assistant(reply)]
        truth |= {(key, len(messages) - 1): parts.get(key, "unused") for key in keys}  # type: ignore[misc]
        kind, weight = next(iter(parts.values())), chance.uniform(3, 30)
        of = all_of if kind == "together" else any_of
        facts.append(of(column, -weight if kind == "suppressor" else weight, *parts))
    pairs = {frozenset({"copied", "copy"}), frozenset({"reworded", "otherwise"})}
    return Case(talk(*messages), tuple(facts), truth, pairs)


@dataclass
class Tally:
    """What was right, by kind, and the pairs: planted ones found, and others."""

    right: Counter[str]
    of: Counter[str]
    found: int = 0
    planted: int = 0
    others: int = 0


def judge(cases: Iterable[Case], *, formula: bool) -> dict[float, Tally]:
    tallies = {threshold: Tally(Counter(), Counter()) for threshold in THRESHOLDS}
    for one in cases:
        scorer = Scorer(Planted(one.facts) if formula else Embedded())
        run, _ = score_matrix(one.conversation, scorer, Job())
        screening = screen_run(run, scorer, Job())
        for threshold, tally in tallies.items():
            reader = VerdictReader(try_pairs(screening, threshold, scorer, Job()).snapshot(), threshold)
            for row in reader.rows():
                kind = one.truth[row.key, row.message]
                tally.of[kind] += 1
                tally.right[kind] += row.verdict == kind
            found = {frozenset(run.keys[place] for place in pair.rows) for pair in reader.pairs}
            tally.planted += len(one.pairs)
            tally.found += len(found & one.pairs)
            tally.others += len(found - one.pairs)
    return tallies


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    cases = [case(random.Random(seed)) for seed in range(count)]
    for name, formula in (("formula", True), ("embedded", False)):
        print(f"{name}: right verdicts of {count} conversations with 11 memories and 5 responses")
        print(f"{'nats':>6}", *(f"{kind:>12}" for kind in VERDICTS), f"{'all':>12}", f"{'pairs':>9}", "others")
        for threshold, tally in judge(cases, formula=formula).items():
            rates = [f"{tally.right[kind]}/{tally.of[kind]}" for kind in VERDICTS]
            whole = f"{tally.right.total() / tally.of.total():.1%}"
            pairs = f"{tally.found}/{tally.planted}"
            print(f"{threshold:6}", *(f"{rate:>12}" for rate in (*rates, whole)), f"{pairs:>9}", f"{tally.others:6}")


if __name__ == "__main__":
    main()
