"""One pattern on the command line, on its way to a skill: what it is now is printed, what was done told beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from memscope.base.errors import Exit, UsageError
from memscope.base.files import shown_path
from memscope.base.text import preview
from memscope.cli.output import Console
from memscope.cli.promotions import search, skills_of, store_of, wanted_of

if TYPE_CHECKING:
    from memscope.actions.promoting import Draft
    from memscope.actions.promotion_decisions import Said
    from memscope.actions.promotions import Store
    from memscope.base.settings import Settings
    from memscope.cli.commands.promote import PromoteOptions
    from memscope.promotion.pattern import Member, Pattern

_LARGEST = 400_000  # bytes of a SKILL.md
_FLAGGED = 10  # that are told one by one


def promote(options: PromoteOptions, settings: Settings, console: Console) -> Exit:
    """Does what is asked of a pattern, and prints how it stands then: its SKILL.md, or with a form its document."""
    with store_of(settings, console) as database:
        if database is None:
            raise UsageError("patterns and decisions are kept in the store, which is off", do="Switch it on.")
        pattern = _pattern(options, settings, database, console)
        _change(options, pattern, settings, database, console)
        _step(options, pattern, settings, database, console)
        return _print(pattern, settings, database, console)


def _pattern(options: PromoteOptions, settings: Settings, database: Store, console: Console) -> Pattern:
    from memscope.actions.promotions import known_pattern

    if options.paths:
        found = search(wanted_of(options, options.paths, settings), settings, database, console)
        if found.trouble:
            console.note(f"not all of it could be kept: {found.trouble}")
    return known_pattern(options.signature, database)


def _change(options: PromoteOptions, pattern: Pattern, settings: Settings, database: Store, console: Console) -> None:
    """What is said of it before anything is done with it: another name, fewer messages, another text."""
    from memscope.actions import promoting
    from memscope.actions.promotion_decisions import name_of

    members = _members(pattern, options.drop)  # first: what cannot be is known before anything is kept
    text = _text(options.text) if options.text is not None else None
    if members and not promoting.left(pattern, _said(pattern, database).dropped | set(map(name_of, members))):
        raise UsageError("no message of this pattern would be left", do="--reject it, or drop fewer.")
    if options.name is not None:
        promoting.rename(database, pattern, options.name)
    if members:
        promoting.drop(database, pattern, members)
    if text is not None:
        promoting.rewrite(database, pattern, text)
    if options.chat:
        promoting.rewrite(database, pattern, _by_chat(pattern, settings, database, console))


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


def _by_chat(pattern: Pattern, settings: Settings, database: Store, console: Console) -> str:
    from memscope.actions.chat import chat
    from memscope.actions.promotion_chat import draft_by_chat, sent_words

    said = _said(pattern, database)
    with chat(settings, database) as model, console.job() as job:
        console.note(sent_words(settings, pattern, said))
        made = draft_by_chat(pattern, said, model, job)
    console.note(f"written by {made.model}{', at the second try' if made.again else ''}")
    return made.text


def _step(options: PromoteOptions, pattern: Pattern, settings: Settings, database: Store, console: Console) -> None:
    from memscope.actions import promoting

    skills, said = skills_of(settings), _said(pattern, database)
    if options.accept:
        done = promoting.accept(database, pattern, said, skills)
        there = "accepted" if done.is_new else "it was accepted already"
        console.note(f"{there}: {shown_path(done.path)}")
    elif options.reject:
        promoting.reject(database, pattern)
        console.note("rejected; it is not offered again, nor what grows from it")
    elif options.undo:
        undone = promoting.undo(database, [pattern.signature])
        console.note(f"undone: {undone[1]}" if undone is not None else "there is nothing to undo")
    elif not options.show:
        done = promoting.write_draft(database, pattern, said, skills)
        there = "a draft is written" if done.is_new else "it has a skill already, which was left as it is"
        console.note(f"{there}: {shown_path(done.path)}")


def _print(pattern: Pattern, settings: Settings, database: Store, console: Console) -> Exit:
    from memscope.actions.promoting import as_it_is, look
    from memscope.actions.promotion_report import promotion_document
    from memscope.reports.promotion import PROMOTION

    looked = look([pattern], skills_of(settings), database)
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
        console.note(f"message {one.member + 1} has {one.flag.kind}: {preview(one.flag.words, 80)}")
    if len(draft.flagged) > _FLAGGED:
        console.note(f"and {len(draft.flagged) - _FLAGGED} more in the messages")


def _said(pattern: Pattern, database: Store) -> Said:
    from memscope.actions.promotion_decisions import NOTHING, said

    return said(database, [pattern.signature]).get(pattern.signature, NOTHING)
