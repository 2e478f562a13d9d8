"""Memories across conversations, on the command line: what is kept, what is still to be scored, and the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from memscope.base.errors import Exit, UsageError
from memscope.base.text import counted
from memscope.cli.output import Console
from memscope.cli.session import ask, scorer_of

if TYPE_CHECKING:
    from memscope.actions.across import Store, Wanted
    from memscope.actions.engine import Scorer
    from memscope.actions.unscored import Unscored
    from memscope.base.settings import Settings
    from memscope.cli.commands.memories import MemoriesOptions
    from memscope.reports.across import AcrossDocument

_NAMED = 5  # conversations that are told by name


def print_across(options: MemoriesOptions, console: Console) -> Exit:
    """The memories of the conversations that are asked for; what is not among them goes to standard error."""
    from memscope.actions.across import Wanted

    settings = options.resolved().settings
    _check(options, settings)
    flags = options.model_dump(include={"engine", "model"})  # as given: what the settings say chooses no runs
    engine = "" if flags["engine"] in (None, "auto") else flags["engine"]
    wanted = Wanted(options.paths, engine, flags["model"] or "", settings.threshold)
    with _store_and_engine(options, settings, console) as (database, scorer):
        left = _left(options, wanted, settings, database, console)
        if left is not None and scorer is not None:
            left = _scored(options, left, settings, scorer, console)
        if options.seen is not None:
            return _print_sightings(options.seen, wanted, database, console)
        return _print(options, wanted, left, database, console)


@contextmanager
def _store_and_engine(
    options: MemoriesOptions, settings: Settings, console: Console
) -> Iterator[tuple[Store, Scorer | None]]:
    """The store, and the engine where it is to score something."""
    from memscope.actions.engine import open_store

    if options.score and settings.store:
        with scorer_of(settings, console) as scorer:
            assert scorer.database is not None
            yield scorer.database, scorer
        return
    database = open_store(settings)
    if database is None:
        raise UsageError("this is read from runs that are kept", do="Leave --no-store away.")
    with closing(database):
        yield database, None


def _check(options: MemoriesOptions, settings: Settings) -> None:
    if options.all == bool(options.paths):
        raise UsageError("which conversations?", do="Give PATHs, or --all and none.")
    if options.all and options.score:
        raise UsageError("--score scores the conversations at PATHs", do="Give those instead of --all.")
    if options.sources != "memories" or options.item or options.window is not None:
        raise UsageError("--sources, --item and --window are for one FILE", do="Leave them away.")
    if options.score and settings.compat:
        raise UsageError("runs in classic mode are not kept: their numbers are clamped", do="Leave --compat away.")


def _left(
    options: MemoriesOptions, wanted: Wanted, settings: Settings, database: Store, console: Console
) -> Unscored | None:
    """What at the PATHs is still to be scored; None where none were given."""
    from memscope.actions.unscored import unscored
    from memscope.reports.batch import copies_left_out

    if not options.paths:
        return None
    with console.job() as job:
        left = unscored(database, wanted, settings, job, input_format=options.input_format)
    for path in options.paths:
        if path in left.unreadable and not path.exists():
            raise UsageError(left.unreadable[path], where=path, do="Of a file that is gone, no run is kept either.")
    if left.unreadable:
        one = "no transcript could be read in 1 file"
        many = f"no transcript could be read in {len(left.unreadable)} files"
        _tell(
            console, one if len(left.unreadable) == 1 else many, [f"{p}: {why}" for p, why in left.unreadable.items()]
        )
    if left.copies:
        console.note(copies_left_out(left.copies))
    return left


def _scored(options: MemoriesOptions, left: Unscored, settings: Settings, scorer: Scorer, console: Console) -> Unscored:
    from memscope.actions.open import Opening
    from memscope.actions.unscored import score_unscored, unscored_cost

    if not left.why:
        return left
    opening = Opening(next(iter(left.items)), options.input_format, memories=options.memories, split=options.split)
    with console.job() as job:
        estimate = None if options.yes else unscored_cost(left, opening, settings, scorer, job)
    if estimate is not None:
        ask(estimate, settings, console)
    with console.job() as job:
        rest = score_unscored(left, opening, settings, scorer, job)
    done = len(left.why) - len(rest.why)
    console.note(f"{counted(done, 'conversation')} scored")
    return rest


def _print(options: MemoriesOptions, wanted: Wanted, left: Unscored | None, database: Store, console: Console) -> Exit:
    from memscope.actions.across import across
    from memscope.reports.across import ACROSS, ordered

    with console.job() as job:
        document = across(database, wanted, job, unscored=left, at_least=options.unused_for or 0)
    document = document.model_copy(update={"memories": ordered(document.memories, options.sort or "unused")})
    if left is not None and left.why:
        lacking = counted(len(left.why), "conversation")
        hint = "" if options.score else "; --score scores them first"
        _tell(
            console,
            f"{lacking} without a run of what is there now{hint}",
            [f"{p}: {why}" for (p, _), why in left.why.items()],
        )
    if len(document.engines) > 1:
        names = ", ".join(f"{one.name} {one.model}".strip() for one in document.engines)
        console.note(f"scored by several engines ({names}), whose nats do not compare: --engine or --model chooses")
    console.heading(_heading(document))
    console.document(ACROSS, document)
    if document.reason is None:
        return Exit.DONE
    console.note(document.reason)
    failed = options.score and left is not None and bool(left.why)
    return Exit.ENGINE if failed else Exit.NOTHING


def _print_sightings(key: str, wanted: Wanted, database: Store, console: Console) -> Exit:
    from memscope.actions.across import sightings
    from memscope.reports.across import SIGHTINGS

    with console.job() as job:
        document = sightings(database, wanted, key, job)
    console.document(SIGHTINGS, document)
    if document.reason is not None:
        console.note(document.reason)
    return Exit.NOTHING if document.reason is not None else Exit.DONE


def _heading(document: AcrossDocument) -> str:
    scored_by = ", ".join(f"{one.name} {one.model if one.url else ''}".strip() for one in document.engines)
    said = [counted(document.conversations, "conversation"), scored_by, f"effects above {document.threshold:g} nats"]
    return " · ".join(filter(None, said))


def _tell(console: Console, what: str, names: Iterable[str]) -> None:
    """What is so, and of the first few, of which."""
    listed = list(names)
    console.note(f"{what}:")
    for name in listed[:_NAMED]:
        console.note(f"  {name}")
    if len(listed) > _NAMED:
        console.note(f"  and {len(listed) - _NAMED} more")
