"""Memories across conversations: the runs that are kept, added up by memory."""

from __future__ import annotations

import math
import os
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.actions.memory_decisions import memory_subject, verdicts_on_any
from memscope.actions.open import demo_opening
from memscope.actions.runs import file_of
from memscope.base.job import Job
from memscope.reports.across import (
    AcrossDocument,
    AcrossRow,
    EngineRuns,
    SightingRow,
    SightingsDocument,
    Was,
)
from memscope.reports.memory_columns import MemoryDecision
from memscope.reports.view import number
from memscope.store.database import Database
from memscope.store.runs import Outcome, Run, Runs

if TYPE_CHECKING:
    from memscope.actions.unscored import Unscored

_SAID_EVERY = 50  # conversations

Store = Database
"""Where runs are kept, for those who only hand it on."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs are added up, and how.

    `paths`: files, or folders with all that is below them; none: all but the bundled demo. `engine`, `model`: as an
    engine names them; empty: any. Of several runs of a conversation the newest counts, of those that are left. Effects
    up to `threshold` nats do not count; those that did not exceed their run's own cutoff never do.
    """

    paths: tuple[Path, ...] = ()
    engine: str = ""
    model: str = ""
    threshold: float = 0.0


@dataclass(slots=True)
class _Tally:
    """What a memory adds up to so far; see `AcrossRow`."""

    preview: str = ""
    seen: int = 0
    needed: int = 0
    against_in: int = 0
    unused: int = 0
    last_seen: float = -math.inf
    last_needed: float = -math.inf
    last_used: float = -math.inf  # needed, or against
    unused_since: array[float] = field(default_factory=lambda: array("d"))  # the times of those that may be later
    total: float = 0.0
    net: float = 0.0
    against: float = 0.0
    max: float = -math.inf
    measured: int = 0
    tokens: int = 0
    uncounted: int = 0
    chars: int = 0
    occurrences: int = 0
    unknown: int = 0

    def add(self, outcome: Outcome, at: float, threshold: float) -> None:
        self.seen += 1
        self.chars += outcome.chars
        self.occurrences += outcome.occurrences
        if outcome.tokens is None:
            self.uncounted += 1
        else:
            self.tokens += outcome.tokens
        if at >= self.last_seen:
            self.last_seen, self.preview = at, outcome.preview
        if outcome.total is not None:
            self.measured += 1
            self.total += outcome.total
            self.net += outcome.net or 0.0
            self.against += outcome.against or 0.0
            self.max = max(self.max, outcome.max or 0.0)
        needed, against = outcome.most > threshold, outcome.least < -threshold
        if needed or against:
            self.needed += needed
            self.against_in += against
            if needed:
                self.last_needed = max(self.last_needed, at)
            if at > self.last_used:
                self.last_used = at
                self.unused_since = array("d", [time for time in self.unused_since if time > at])
        elif outcome.measured and not outcome.left_out:
            self.unused += 1
            if at > self.last_used:
                self.unused_since.append(at)
        else:
            self.unknown += 1

    def row(self, key: str, text: str, version: int, versions: int, decision: MemoryDecision | None) -> AcrossRow:
        known = self.measured > 0
        return AcrossRow(
            key=key,
            text=text,
            decision=decision,
            preview=self.preview,
            version=version,
            versions=versions,
            seen=self.seen,
            needed=self.needed,
            against_in=self.against_in,
            unused=self.unused,
            unknown=self.unknown,
            unused_last=len(self.unused_since),
            last_seen=self.last_seen,
            last_needed=number(self.last_needed),
            total=number(self.total) if known else None,
            net=number(self.net) if known else None,
            against=number(self.against) if known else None,
            max=number(self.max) if known else None,
            tokens=None if self.uncounted else self.tokens,
            chars=self.chars,
            occurrences=self.occurrences,
        )


def what_it_was(outcome: Outcome, threshold: float) -> Was:
    """What a memory was in one conversation, by the rules of `AcrossRow`; `needed` where it was against, too."""
    if outcome.most > threshold:
        return "needed"
    if outcome.least < -threshold:
        return "against"
    return "unused" if outcome.measured and not outcome.left_out else "unknown"


def across(
    database: Database, wanted: Wanted, job: Job, *, unscored: Unscored | None = None, at_least: int = 0
) -> AcrossDocument:
    """All memories of the runs that are wanted, in the order of their keys; those alone that were unused in the latest
    `at_least` conversations. One run at a time is in memory. Raises `StoreError`, `Cancelled`."""
    tallies: dict[tuple[str, str], _Tally] = {}
    engines: dict[tuple[str, str, str], int] = {}
    conversations = 0
    for run in _runs(database, wanted, job):
        conversations += 1
        engine = run.name, run.model, run.url
        engines[engine] = engines.get(engine, 0) + 1
        for outcome in run.outcomes:
            tally = tallies.get((outcome.key, outcome.text))
            if tally is None:
                tally = tallies[outcome.key, outcome.text] = _Tally()
            tally.add(outcome, run.time, wanted.threshold)
    rows = [row for row in _rows(tallies, verdicts_on_any(database)) if row.unused_last >= at_least]
    return AcrossDocument(
        paths=[str(path) for path in wanted.paths],
        threshold=wanted.threshold,
        conversations=conversations,
        engines=[EngineRuns(name=n, model=m, url=u, conversations=c) for (n, m, u), c in sorted(engines.items())],
        unscored=[] if unscored is None else unscored.listed,
        memories=rows,
        reason=None if rows else _why_nothing(conversations, len(tallies), wanted, at_least),
    )


def sightings(database: Database, wanted: Wanted, key: str, job: Job, text: str | None = None) -> SightingsDocument:
    """The conversations in which a memory was seen, latest first: with any text, or with the one of this digest.
    Raises `StoreError`, `Cancelled`."""
    found = [
        _sighting(run, outcome, wanted.threshold)
        for run in _runs(database, wanted, job)
        for outcome in run.outcomes
        if outcome.key == key and text in (None, outcome.text)
    ]
    found.sort(key=lambda row: -row.time)
    reason = None if found else f"no memory {key!r} in the conversations that were scored"
    return SightingsDocument(key=key, threshold=wanted.threshold, sightings=found, reason=reason)


def kept_at(database: Database, wanted: Wanted, job: Job) -> dict[str, float]:
    """When the newest of the wanted runs of each conversation was kept, by its lineage; in seconds since the epoch."""
    found: dict[str, float] = {}
    for those in _by_conversation(database, wanted, job):
        for run, at in those:
            lineage = run.conversation.rpartition("/")[0]
            found[lineage] = max(at, found.get(lineage, at))
            break
    return found


def _runs(database: Database, wanted: Wanted, job: Job) -> Iterator[Run]:
    """The newest run of each conversation, of those that are wanted. One without memories counts where there is no
    other."""
    for those in _by_conversation(database, wanted, job):
        first = next(those, None)
        if first is None:
            continue
        run, _ = first
        yield run if run.outcomes else next((other for other, _ in those if other.outcomes), run)


def _by_conversation(database: Database, wanted: Wanted, job: Job) -> Iterator[Iterator[tuple[Run, float]]]:
    """Of each conversation the runs that are wanted, the newest first, and when each was kept."""
    runs = Runs(database)
    names = list(filter(below(wanted.paths), runs.conversations()))
    for done, name in enumerate(names):
        job.check()
        if done % _SAID_EVERY == 0:
            job.progress(done, len(names), "conversations", "adding up")
        yield (
            (run, at)
            for run, at in runs.of(name)
            if wanted.engine in ("", run.name) and wanted.model in ("", run.model)
        )


def below(paths: Sequence[Path]) -> Callable[[str], bool]:
    """Whether the conversation of a name, or of a lineage, is in one of these files, or below one of these folders;
    without any, whether it is not the demo."""
    if not paths:
        demo = os.path.realpath(demo_opening().path)
        return lambda name: file_of(name) != demo
    files = {os.path.realpath(path) for path in paths}
    folders = tuple(os.path.join(file, "") for file in files)  # noqa: PTH118 - with a separator behind it
    return lambda name: file_of(name) in files or file_of(name).startswith(folders)


def _rows(tallies: Mapping[tuple[str, str], _Tally], decisions: Mapping[str, MemoryDecision]) -> list[AcrossRow]:
    """By key, and of a key the text that was seen last at the end; `decisions` by what they are kept under."""
    texts: dict[str, list[tuple[float, str]]] = {}
    for (key, text), tally in tallies.items():
        texts.setdefault(key, []).append((tally.last_seen, text))
    return [
        tallies[key, text].row(key, text, version, len(texts[key]), decisions.get(memory_subject(key, text)))
        for key in sorted(texts)
        for version, (_, text) in enumerate(sorted(texts[key]), 1)
    ]


def _why_nothing(conversations: int, memories: int, wanted: Wanted, at_least: int) -> str:
    if memories:
        return f"no memory was unused in the last {at_least} conversations or more"
    if conversations:
        return "no memory was found in the conversations that were scored"
    by = " ".join(filter(None, (wanted.engine, wanted.model)))
    where = " among these" if wanted.paths else ""
    return f"no conversation{where} was scored{f' by {by}' if by else ''} yet"


def _sighting(run: Run, outcome: Outcome, threshold: float) -> SightingRow:
    return SightingRow(
        source=run.path,
        format=run.form,
        item=run.item,
        window=run.window,
        memories=list(run.memories),
        split=run.split,
        title=run.title,
        time=run.time,
        engine=run.name,
        model=run.model,
        key=outcome.key,
        text=outcome.text,
        was=what_it_was(outcome, threshold),
        above=outcome.above,
        below=outcome.below,
        measured=outcome.measured,
        left_out=outcome.left_out,
        total=outcome.total,
        net=outcome.net,
        max=outcome.max,
        against=outcome.against,
        tokens=outcome.tokens,
        chars=outcome.chars,
    )
