"""One pattern on the command line, on its way to a skill: what it is now is printed, what was done told beside it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memscope.base.errors import Cancelled, Exit, UsageError
from memscope.base.files import shown_path
from memscope.base.text import preview
from memscope.cli.output import Console
from memscope.cli.promotions import note_left, search, skills_of, wanted_of

if TYPE_CHECKING:
    from memscope.actions.promoting import Draft
    from memscope.actions.promotion_changes import Change
    from memscope.actions.promotion_decisions import Said
    from memscope.actions.promotion_standing import Looked
    from memscope.actions.promotions import Store
    from memscope.base.settings import Settings
    from memscope.cli.commands.promote import PromoteOptions
    from memscope.promotion.pattern import Member, Pattern

_LARGEST = 400_000  # bytes of a SKILL.md
_FLAGGED = 10  # that are told one by one


class _Asked(NamedTuple):
    """What is asked of which pattern, and where that is kept."""

    options: PromoteOptions
    pattern: Pattern
    settings: Settings
    database: Store
    console: Console


def promote(options: PromoteOptions, settings: Settings, console: Console) -> Exit:
    """Does what is asked of a pattern, and prints how it stands then: its SKILL.md, or with a form its document. All
    that can be checked is, before anything is sent, kept or written."""
    from memscope.actions import promotion_changes as changes
    from memscope.actions.engine import open_store
    from memscope.actions.promotion_standing import look

    database = open_store(settings)
    if database is None:
        raise UsageError("patterns and decisions are kept in the store, which is off", do="Switch it on.")
    with closing(database):
        pattern = _pattern(options, settings, database, console)
        asked = _Asked(options, pattern, settings, database, console)
        looked = look([pattern], skills_of(settings), database)
        _refuse(options, pattern, looked)
        change = _change(asked, looked)
        looked = _with(looked, pattern, change)
        if not _is_fit(asked, looked):
            return _print(pattern, looked, console)
        changes.keep(database, pattern, change)
        _step(asked, looked)
        return _print(pattern, look([pattern], skills_of(settings), database), console)


def _pattern(options: PromoteOptions, settings: Settings, database: Store, console: Console) -> Pattern:
    """The pattern that is named; with paths, among those that are found there now."""
    from memscope.actions.promotion_report import promotions_document
    from memscope.actions.promotion_standing import look
    from memscope.actions.promotions import found_pattern, known_pattern

    if not options.paths:
        return known_pattern(options.signature, database)
    found = search(wanted_of(options, options.paths, settings), settings, database, console)
    standings = look(found.patterns, skills_of(settings), database).standings
    note_left(promotions_document(found, standings), found.trouble, console)
    return found_pattern(options.signature, found)


def _refuse(options: PromoteOptions, pattern: Pattern, looked: Looked) -> None:
    """Raises `UsageError` for what a skill on disk does not take."""
    skill = looked.skill_of(pattern)
    if skill is None:
        return
    if options.changes:
        do = f"{' and '.join(options.changes)} would not change it. Edit that, or take it back first, with --undo."
        raise UsageError("the pattern is on disk already", where=skill.path, do=do)
    if options.reject and not skill.is_draft:
        raise UsageError("the pattern is a skill already", where=skill.path, do="Take it back first, with --undo.")


def _change(asked: _Asked, looked: Looked) -> Change:
    """What is said of it before anything is done with it: another name, fewer messages, another text."""
    from memscope.actions.promoting import check_draft
    from memscope.actions.promotion_changes import Change

    options, pattern, settings = asked.options, asked.pattern, asked.settings
    text = _text(options.text) if options.text is not None else None
    change = Change(options.name, text, tuple(_members(pattern, options.drop)))
    if not options.chat:
        return change
    said = _with(looked, pattern, change).said_of(pattern)
    if options.name and not options.show:  # one that is taken is told before anything is sent
        check_draft(pattern, replace(said, text=""), skills_of(settings))
    return replace(change, text=_by_chat(asked, said))


def _with(looked: Looked, pattern: Pattern, change: Change) -> Looked:
    """How it would stand with the change."""
    from memscope.actions.promotion_changes import changed

    said = changed(pattern, looked.said_of(pattern), change)
    return replace(looked, said={**looked.said, pattern.signature: said})


def _is_fit(asked: _Asked, looked: Looked) -> bool:
    """Whether the step can be taken. False for a draft that is no skill, and is to be shown alone: nothing of it is
    kept. Raises `UsageError` for one that is to be written, or has to be looked at first; `Cancelled`."""
    from memscope.actions import promoting
    from memscope.actions.promotion_standing import known_words

    options, pattern, console = asked.options, asked.pattern, asked.console
    if options.reject or options.undo:
        return True
    for words in known_words(pattern, looked):
        console.note(words)
    is_free = looked.skill_of(pattern) is None
    if options.show:
        if is_free and promoting.as_it_is(pattern, looked).errors:
            if options.changes:
                console.note("nothing of this is kept: it is no skill")
            return False
        return True
    if is_free:
        promoting.check_draft(pattern, looked.said_of(pattern), skills_of(asked.settings))
    if options.accept and not options.yes and (kinds := promoting.flags_before(pattern, looked)):
        _ask(kinds, console)
    return True


def _ask(kinds: Sequence[str], console: Console) -> None:
    """Asks a person before a skill is made of a draft that has something to look at."""
    words = f"the draft has {', '.join(kinds)}"
    agreed = console.confirm(f"{words}. Make it a skill all the same?")
    if agreed is None:
        do = "Look at it with --show; go on with --yes."
        raise UsageError(f"{words}, and is not accepted unasked", do=do)
    if not agreed:
        raise Cancelled("not accepted")


def _members(pattern: Pattern, wanted: Sequence[str]) -> list[Member]:
    """The messages that are named so, or begin so. Raises `UsageError` for one that there is not, and for a name that
    those of several sessions have."""
    found = []
    for name in wanted:
        named = [one for one in pattern.members if str(one.message_id) == name]
        if len(named) > 1:
            raise UsageError(f"{len(named)} messages are called {name!r}", do="Give the beginning of its text.")
        named = named or [one for one in pattern.members if name and one.text.strip().startswith(name)]
        if not named:
            raise UsageError(f"no message of this pattern is called {name!r}, or begins so", do="--json lists them.")
        found += named
    return found


def _text(path: Path) -> str:
    try:
        with path.expanduser().open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise UsageError("the file is too large for a SKILL.md", where=path)
        return data.decode()
    except UnicodeDecodeError as error:
        raise UsageError("the file is no UTF-8", where=path) from error
    except (OSError, RuntimeError) as error:
        raise UsageError(f"the file cannot be read ({getattr(error, 'strerror', error)})", where=path) from error


def _by_chat(asked: _Asked, said: Said) -> str:
    """What the chat model makes of it."""
    from memscope.actions.chat import chat
    from memscope.actions.promotion_chat import draft_by_chat, sent_words

    options, pattern, settings, database, console = asked
    with chat(settings, database) as model, console.job() as job:
        made = draft_by_chat(
            pattern,
            said,
            model,
            job,
            again=options.again,
            sending=lambda: console.note(sent_words(settings, pattern, said)),
        )
        if model.trouble is not None:
            console.note(f"the answer could not be kept: {model.trouble}")
    how = ", at the second try" if made.again else ""
    kept = "; its answer was kept, and nothing was sent: --again asks it anew" if made.cached else ""
    console.note(f"written by {made.model}{how}{kept}")
    for finding in made.findings:
        console.note(f"{finding.severity}: {finding}")
    return made.text


def _step(asked: _Asked, looked: Looked) -> None:
    from memscope.actions import promoting

    options, pattern, settings, database, console = asked
    skills, said = skills_of(settings), looked.said_of(pattern)
    if options.accept:
        done = promoting.accept(database, pattern, said, skills)
        there = "accepted" if done.is_new else "it was accepted already"
        console.note(f"{there}: {shown_path(done.path)}")
    elif options.reject:
        promoting.reject(database, pattern)
        draft = looked.skill_of(pattern)
        stays = f"; its draft stays at {shown_path(draft.path)}" if draft is not None else ""
        console.note(f"rejected; it is not offered again, nor what grows from it{stays}")
    elif options.undo:
        undone = promoting.undo(database, [pattern.signature])
        stays = f"; but {shown_path(undone.stays)} stays: {undone.why}" if undone and undone.stays else ""
        skill = looked.skill_of(pattern) if undone is None else None
        untold = f"; no step is known that put it there: {shown_path(skill.path)}" if skill is not None else ""
        console.note(f"undone: {undone.what}{stays}" if undone is not None else f"there is nothing to undo{untold}")
    elif not options.show:
        done = promoting.write_draft(database, pattern, said, skills)
        there = "a draft is written" if done.is_new else "it has a skill already, which was left as it is"
        console.note(f"{there}: {shown_path(done.path)}")


def _print(pattern: Pattern, looked: Looked, console: Console) -> Exit:
    from memscope.actions.promoting import as_it_is
    from memscope.actions.promotion_report import promotion_document
    from memscope.reports.promotion import PROMOTION

    draft = as_it_is(pattern, looked)
    if console.form != "table":
        console.document(PROMOTION, promotion_document(pattern, looked, draft))
    else:
        console.text(draft.text)
    _note(draft, console)
    return Exit.NOTHING if draft.errors else Exit.DONE


def _note(draft: Draft, console: Console) -> None:
    """What is wrong with the draft, and what a person should look at before an agent reads it."""
    for finding in draft.findings:
        console.note(f"{finding.severity}: {finding}")
    for kind in draft.flags:
        console.note(f"look at it before an agent does: {kind} in the draft")
    for one in draft.flagged[:_FLAGGED]:
        words = f": {preview(one.flag.words, 80)}" if one.flag.words else ""
        console.note(f"message {one.member + 1} has {one.flag.kind}{words}")
    if len(draft.flagged) > _FLAGGED:
        console.note(f"and {len(draft.flagged) - _FLAGGED} more in the messages")
