"""A skill made of a pattern's members by template: what was asked, what was done, what failed, in their own words.

It asks no model and invents nothing. A person completes it; what is quoted is there as words alone, see `quoting`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from memscope.base.clock import iso
from memscope.base.text import clean_line, counted
from memscope.promotion.injection import CREDENTIAL, Flag, flags
from memscope.promotion.model import Id, RowKind
from memscope.promotion.pitfalls import pitfalls
from memscope.promotion.plans import has_words, words_of
from memscope.promotion.quoting import blockquote, code, escaped, inert, one_line, safe, shortened
from memscope.promotion.skill_checks import LONGEST_DESCRIPTION
from memscope.promotion.skill_file import (
    DEFAULT_NAME,
    MADE_AT,
    SESSIONS,
    SIGNATURE,
    SOURCES,
    SkillFile,
    default_name,
)
from memscope.promotion.steps import Steps, common_steps
from memscope.promotion.trigger_words import trigger_words
from memscope.promotion.wordings import distinct, gist, headline

_WORDINGS = 5
_LOOKED_THROUGH = 200  # members for wordings and words; the closest say enough
_QUOTED = 600, 8  # characters and lines of a wording
_CENTRAL = 200  # characters of the wording in a description, and of a failure
_TITLE = 70
_SHOWN = 2_000  # characters of a member's text: what follows is neither quoted nor sent
_WORDS = 8
_OPENING = 500  # characters of a text in which the words stand by which it is known: what follows is its case
_PITFALLS = 10
_SOURCES = 50, 2000  # members and characters


class Told(Protocol):
    """A member of a pattern, as `model.Row` and `pattern.Member` have it."""

    @property
    def message_id(self) -> Id: ...
    @property
    def session_id(self) -> Id: ...
    @property
    def text(self) -> str: ...
    @property
    def kind(self) -> RowKind: ...
    @property
    def tools(self) -> tuple[str, ...]: ...
    @property
    def failures(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Origin:
    """What a skill is made of. `members`: the closest to the centroid first; `size` and `sessions`: how many messages
    and sessions the pattern has, which may be more. `made_at` in seconds since the epoch, None to leave it out."""

    signature: str
    members: Sequence[Told]
    size: int
    sessions: int
    made_at: float | None = None


@dataclass(frozen=True, slots=True)
class MemberFlag:
    """Something that a person should look at in the text of a member, by its place among the members."""

    member: int
    flag: Flag


def member_flags(members: Sequence[Told]) -> list[MemberFlag]:
    """What a person should look at before a skill is made of these members."""
    return [MemberFlag(place, flag) for place, member in enumerate(members) for flag in flags(member.text)]


def template(origin: Origin, name: str = "") -> SkillFile:
    """A skill made of a pattern, the same for the same members. Without a `name` it has one of its signature.

    Credentials are masked. Texts that read like an instruction to somebody who reads them are not quoted, unless all
    members have such texts. Raises ValueError where there are no members.
    """
    if not origin.members:
        raise ValueError("a pattern has members")
    texts = _texts(origin.members)
    wordings = distinct(texts, _WORDINGS)
    central = gist([headline(text, _CENTRAL) for text in texts], headline(wordings[0], _CENTRAL))
    given = "" if name.startswith(DEFAULT_NAME) else name
    title = given.replace("-", " ") or shortened(central, _TITLE)
    sections = [f"# {escaped(title[:1].upper() + title[1:])}", f"## When\n\n{_when(origin, wordings)}"]
    if steps := _steps(common_steps(member.tools for member in origin.members), origin.members):
        sections.append(f"## Steps seen\n\n{steps}")
    if failed := _pitfalls(origin.members):
        sections.append(f"## Pitfalls seen\n\n{failed}")
    return SkillFile(
        name=name or default_name(origin.signature),
        description=_description(origin, central, trigger_words([text[:_OPENING] for text in texts], _WORDS)),
        body="\n\n".join(sections),
        metadata=metadata(origin),
    )


def metadata(origin: Origin) -> dict[str, str]:
    """What a skill says of where it comes from."""
    told = {SIGNATURE: origin.signature, SOURCES: _sources(origin), SESSIONS: str(origin.sessions)}
    if origin.made_at is not None:
        told[MADE_AT] = iso(origin.made_at)
    return told


def shown_text(member: Told) -> str:
    """The beginning of a member's text as it may be shown to others: without credentials and home folders."""
    return safe(words_of(member.text, member.kind), _SHOWN)


def _is_calm(text: str) -> bool:
    return all(flag.kind.startswith(CREDENTIAL) for flag in flags(text))


def _texts(members: Sequence[Told]) -> list[str]:
    """The texts of members that can be quoted, the most central first; at least one. Plans that are calls alone, and
    what reads like an instruction, only where there is nothing else."""
    looked = [(text, member) for member in members[:_LOOKED_THROUGH] if (text := shown_text(member))]
    calm = [(text, member) for text, member in looked if _is_calm(text)] or looked
    said = [(text, member) for text, member in calm if has_words(member.text, member.kind)] or calm
    return [text for text, _ in said] or ["(no words)"]


def _description(origin: Origin, central: str, words: list[str]) -> str:
    """What it is for, and when: no angle brackets, which products that put it into a prompt refuse."""
    said = inert(central.replace("`", "'")).translate(_PLAIN).rstrip(".")
    is_plan = origin.members[0].kind == "plan"
    does = "The steps that recur for work like" if is_plan else "What to do for requests like"
    same = "is to be done" if is_plan else "is asked for"
    when = f" Use when it is about {', '.join(words)}." if words else f" Use when the same {same}."
    return shortened(f'{does} "{said}".{when}', LONGEST_DESCRIPTION)


_PLAIN = str.maketrans({"<": "‹", ">": "›", '"': "'"})


def _when(origin: Origin, wordings: list[str]) -> str:
    what = "Work" if origin.members[0].kind == "plan" else "Requests"
    seen = f"{counted(origin.size, 'message')} of {counted(origin.sessions, 'session')}"
    like = "like these" if len(wordings) > 1 else "like this"
    quoted = [blockquote(text, limit=_QUOTED[0], lines=_QUOTED[1]) for text in wordings]
    return "\n\n".join([f"{what} {like}, quoted from {seen}:", *quoted])


def _steps(found: Steps, members: Sequence[Told]) -> str:
    """The calls that most runs share; of runs that share no order the tools that some of them use, if any."""
    if len(found.steps) == 1:
        return f"{code(found.steps[0].tool)}, which {found.steps[0].runs} of {found.runs} runs called."
    if found.steps:
        lines = [f"{n}. {code(step.tool)} ({step.runs} of {found.runs})" for n, step in enumerate(found.steps, 1)]
        opening = (
            f"Of {counted(found.runs, 'run')}, {found.whole} made all of these calls in this order; behind each is how"
            " many made it. What was repeated is named once."
        )
        return f"{opening}\n\n" + "\n".join(lines)
    used = Counter(tool for member in members for tool in dict.fromkeys(member.tools)).most_common(5)
    often = ", ".join(f"{code(tool)} ({count})" for tool, count in used if count > 1)
    return f"The {found.runs} runs that called tools share no order of calls. Most used: {often}." if often else ""


def _pitfalls(members: Sequence[Told]) -> str:
    """What failed in two or more members; what failed once belongs to its case."""
    safely = [[line for one in member.failures if _is_calm(one) and (line := _failure(one))] for member in members]
    lines = [f"- {escaped(one.words)} ({_cited([members[n] for n in one.runs])})" for one in pitfalls(safely)]
    if (rest := len(lines) - _PITFALLS) > 0:
        lines[_PITFALLS:] = [f"- and {counted(rest, 'other failure')}"]
    return "\n".join(lines)


def _failure(line: str) -> str:
    return one_line(safe(line), _CENTRAL)


def _cited(members: list[Told]) -> str:
    rest = f" and {counted(len(members) - 1, 'other')}" if len(members) > 1 else ""
    return f"{escaped(_source(members[0]))}{rest}"


def _source(member: Told) -> str:
    """Its session and itself. Of a path the file's name alone: a skill is shared, and the folders tell who made it."""
    session = clean_line(str(member.session_id)).replace("\\", "/").rpartition("/")[2][:200]
    message = clean_line(str(member.message_id))
    if _ABSOLUTE.match(message):  # of a sub-agent, or of one of many conversations in a file
        message = message.replace("\\", "/").rpartition("/")[2]
    message = message[:100].removeprefix(f"{session}#")
    return safe(inert(f"{session}#{message}".replace("`", "'")))


_ABSOLUTE = re.compile(r"[/\\~]|[A-Za-z]:[/\\]")


def _sources(origin: Origin) -> str:
    most, longest = _SOURCES
    named: list[str] = []
    for member in origin.members[:most]:
        source = _source(member)
        if named and sum(map(len, named)) + 2 * len(named) + len(source) > longest:
            break
        named.append(source)
    rest = origin.size - len(named)
    return "; ".join([*named, f"and {rest} more"] if rest > 0 else named)
