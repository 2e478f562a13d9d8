"""A skill made of a pattern's members by template: what was asked, what was done, what failed, in their own words.

It asks no model and invents nothing. A person completes it; what is quoted is there as words alone, see `quoting`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from memscope.base.clock import iso
from memscope.base.similar import content_words
from memscope.base.text import clean_line, counted
from memscope.promotion.injection import CREDENTIAL, Flag, flags
from memscope.promotion.model import Id, RowKind
from memscope.promotion.plans import words_of
from memscope.promotion.quoting import REMOVED, blockquote, code, escaped, one_line, safe, shortened
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

_WORDINGS = 5
_SAME = 0.8  # a Jaccard index of words from which on two wordings are one
_LOOKED_THROUGH = 200  # members for wordings and words; the closest say enough
_QUOTED = 600, 12  # characters and lines of a wording
_CENTRAL = 300  # characters of the wording in a description
_TITLE = 70
_WORDS = 8
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
    wordings = _wordings(origin.members)
    words = _common_words(origin.members, wordings[0])
    given = "" if name.startswith(DEFAULT_NAME) else name
    title = given.replace("-", " ") or one_line(wordings[0], _TITLE)
    sections = [
        f"# {escaped(title[:1].upper() + title[1:])}",
        f"## When\n\n{_when(origin, wordings, words)}",
        f"## Steps seen\n\n{_steps(common_steps(member.tools for member in origin.members), origin.members)}",
    ]
    if pitfalls := _pitfalls(origin.members):
        sections.append(f"## Pitfalls seen\n\n{pitfalls}")
    return SkillFile(
        name=name or default_name(origin.signature),
        description=_description(origin, wordings[0], words),
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
    """The text of a member as it may be shown to others: without credentials; very long ones cut."""
    return safe(words_of(member.text, member.kind))


def _is_calm(text: str) -> bool:
    return all(flag.kind.startswith(CREDENTIAL) for flag in flags(text))


def _wordings(members: Sequence[Told]) -> list[str]:
    """Up to so many different ways in which members say it, at least one; the most central first."""
    texts = [text for member in members[:_LOOKED_THROUGH] if (text := shown_text(member))]
    distinct = list(islice(_distinct(text for text in texts if _is_calm(text)), _WORDINGS))
    return distinct or list(islice(_distinct(iter(texts)), _WORDINGS)) or ["(no words)"]


def _distinct(texts: Iterator[str]) -> Iterator[str]:
    seen: list[frozenset[str]] = []
    for text in texts:
        words = frozenset(text.casefold().split())
        if all(len(words & other) < _SAME * len(words | other) for other in seen):
            seen.append(words)
            yield text


def _common_words(members: Sequence[Told], central: str) -> list[str]:
    """The words that at least half of the members use, the commonest first."""
    looked = members[:_LOOKED_THROUGH]
    counts = Counter(word for member in looked for word in content_words(shown_text(member).replace(REMOVED, " ")))
    order = central.casefold()

    def rank(word: str) -> tuple[int, int, str]:
        place = order.find(word)
        return -counts[word], place if place >= 0 else len(order), word

    half = [word for word, count in counts.items() if 2 * count >= len(looked) and len(word) <= 30]
    return sorted(half, key=rank)[:_WORDS]


def _description(origin: Origin, central: str, words: list[str]) -> str:
    """What it is for, and when: no angle brackets, which products that put it into a prompt refuse."""
    said = one_line(central, _CENTRAL).replace("<", "‹").replace(">", "›").replace('"', "'")
    does = "The steps that recur for work like" if origin.members[0].kind == "plan" else "What to do for requests like"
    when = f" Use when it is about {', '.join(words)}." if words else " Use when the same is asked for."
    return shortened(f'{does} "{said}".{when}', LONGEST_DESCRIPTION)


def _when(origin: Origin, wordings: list[str], words: list[str]) -> str:
    what = "Work" if origin.members[0].kind == "plan" else "Requests"
    seen = f"{counted(origin.size, 'message')} of {counted(origin.sessions, 'session')}"
    parts = [f"{what} like these, quoted from {seen}:"]
    parts += [blockquote(text, limit=_QUOTED[0], lines=_QUOTED[1]) for text in wordings]
    if words:
        parts.append(f"Words that most of them use: {', '.join(words)}.")
    return "\n\n".join(parts)


def _steps(found: Steps, members: Sequence[Told]) -> str:
    if not found.runs:
        return "No calls of tools were seen."
    runs = counted(found.runs, "run")
    if not found.steps:
        used = Counter(tool for member in members for tool in dict.fromkeys(member.tools)).most_common(5)
        often = ", ".join(f"{code(tool)} ({count})" for tool, count in used)
        return f"The {runs} that called tools share no order of calls. Most used: {often}."
    lines = [f"{n}. {code(step.tool)} ({step.runs} of {found.runs})" for n, step in enumerate(found.steps, 1)]
    opening = f"Of {runs}, {found.whole} made all of these calls in this order; behind each is how many made it."
    return f"{opening}\n\n" + "\n".join(lines)


def _pitfalls(members: Sequence[Told]) -> str:
    places: dict[str, list[Told]] = {}
    for member in members:
        for failure in dict.fromkeys(member.failures):
            if words := one_line(safe(failure), _CENTRAL):
                places.setdefault(words, []).append(member)
    often = sorted(places, key=lambda words: -len(places[words]))
    lines = [f"- {escaped(words)} ({_cited(places[words])})" for words in often[:_PITFALLS]]
    if len(often) > _PITFALLS:
        lines.append(f"- and {counted(len(often) - _PITFALLS, 'other failure')}")
    return "\n".join(lines)


def _cited(members: list[Told]) -> str:
    rest = f" and {counted(len(members) - 1, 'other')}" if len(members) > 1 else ""
    return f"{escaped(_source(members[0]))}{rest}"


def _source(member: Told) -> str:
    """Its session and itself. Of a path the file's name alone: a skill is shared, and the folders tell who made it."""
    session = clean_line(str(member.session_id)).replace("\\", "/").rpartition("/")[2]
    return f"{session[:200]}#{clean_line(str(member.message_id))[:100]}"


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
