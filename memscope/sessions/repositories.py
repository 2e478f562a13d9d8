"""The repositories that a session worked on, and where it says so.

A remote names its repository best. A session that tells none has the folders it ran in. Beside either, what its tool
calls name: addresses at the known sites, and whatever a person's own patterns find. A repository is known by its name
alone, the last of `jdx/mise`, for nothing but a remote tells the owner; in whatever case it is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from memscope.base.errors import SettingsError
from memscope.base.text import preview
from memscope.conversation.records import Fact
from memscope.sessions.facts import Evidence, Repository
from memscope.sessions.folders import Folder, is_below, repository_folder, repository_name

LONGEST = (
    20_000  # characters of a call's arguments that are searched: what is longer is a file's content, not a command
)
MOST = 100  # repositories of a session, and folders
_EVIDENCE = 160  # characters
_SITES = ("github", "gitlab", "bitbucket", "codeberg")
_ADDRESS = re.compile(  # https://, ssh:// or git:// with a user or without, or git@
    rf"""(?:(?:https?|ssh|git)://(?:[^\s/@"'<>\\]{{1,200}}@)?|(?<![\w.-])git@)
    (?P<site>(?:(?:www|api|ssh|raw|codeload)\.)?(?:{"|".join(_SITES)})[a-z]*(?:\.[\w-]+)+)(?::\d+(?=/))?
    [/:](?P<path>[\w.~-]+(?:/[\w.~-]+)+)""",
    re.IGNORECASE | re.VERBOSE,
)
_PAGES = frozenset(  # of the sites themselves: no owner is called so
    """about apps blog collections contact customer-stories dashboard enterprise events explore features groups help
    login logout marketplace new notifications orgs organizations pricing product projects readme search security
    settings signup site snippets sponsors stars topics trending user-attachments users""".split()
)
_GITLAB_PAGES = frozenset({"-", "blob", "commit", "issues", "merge_requests", "raw", "tree", "wikis"})
_PLAIN = re.compile(r"[\w.~@/-]+")
_USER = re.compile(r"(?<=://)[^/@\s]*@")


@dataclass(frozen=True, slots=True)
class _Own:
    """A person's own pattern. `hint`: where that is not in a text's lower case, the pattern finds nothing."""

    pattern: re.Pattern[str]
    hint: str
    name: str  # of the repository; "" where the pattern's group tells it


@dataclass(frozen=True, slots=True)
class Patterns:
    """What is looked for in tool calls: addresses at the known sites, and a person's own patterns."""

    own: tuple[_Own, ...] = ()

    @classmethod
    def of(cls, settings: Sequence[str]) -> Patterns:
        """From the setting `repositories`: plain names (`mise`, `jdx/mise`), found as words of their own in whatever
        case, and regular expressions with a group `name`. Raises `SettingsError` for one that is neither."""
        return cls(tuple(_own(text.strip()) for text in settings if text.strip()))

    def find(self, text: str) -> list[tuple[str, str]]:
        """Names of the repositories in a tool call's arguments, each with the words that name it."""
        found: list[tuple[str, str]] = []
        if ("://" in text or "git@" in text or ":\\/\\/" in text) and any(site in text for site in _SITES):
            for match in _ADDRESS.finditer(text[:LONGEST].replace("\\/", "/")):
                name = _at_site(match["site"].lower(), match["path"])
                if name:
                    found.append((name, f"{match['site']}/{match['path']}"))
        if self.own:
            text = text[:LONGEST]
            lower = text.lower()
            for own in self.own:
                if own.hint in lower:
                    found.extend((own.name or match["name"] or "", match[0]) for match in own.pattern.finditer(text))
        return found


class Repositories:
    """Gathers what a session says of its repositories."""

    __slots__ = ("_called", "_folders", "_patterns", "_remotes")

    def __init__(self, patterns: Patterns) -> None:
        self._patterns = patterns
        self._remotes: dict[str, Repository] = {}
        self._folders: dict[Folder, Evidence] = {}
        self._called: dict[str, Repository] = {}

    def fact(self, fact: Fact, window: int, message: int) -> None:
        """A fact that is a remote or a folder, told at the message with that index."""
        if fact.kind == "repository":
            _note(self._remotes, remote_name(fact.text), _evidence(fact, window, message))
            return
        folder = repository_folder(fact.text)
        if folder is not None and folder not in self._folders and len(self._folders) < MOST:
            self._folders[folder] = _evidence(fact, window, message)

    def call(self, arguments: str, window: int, message: int, line: int) -> None:
        """The arguments of a tool call in the message with that index."""
        for name, words in self._patterns.find(arguments):
            _note(self._called, name, Evidence(window, message, line, preview(words, _EVIDENCE)))

    def found(self) -> tuple[Repository, ...]:
        """The repositories, the surest first."""
        known = dict(self._remotes)
        if not known:
            for folder, evidence in self._folders.items():
                if not any(is_below(folder, other) for other in self._folders):
                    _note(known, repository_name(folder), evidence)
        for repository in self._called.values():
            known.setdefault(repository.name.casefold(), repository)
        return tuple(known.values())


def remote_name(remote: str) -> str:
    """The name of the repository at a remote: an address, `owner/name`, a name, or a folder. "" for none."""
    text = remote.strip()
    if "://" not in text and (text.startswith(("/", "~")) or text[1:2] == ":"):
        folder = repository_folder(text)
        return repository_name(folder) if folder else ""
    path = re.split(r"[?#]", text.partition("://")[2] or text)[0]
    names = [name for name in re.split(r"[/:\\]", path) if name and name != ".git"]
    return _clean(names[-1]) if len(names) > ("://" in text) else ""


def _evidence(fact: Fact, window: int, message: int) -> Evidence:
    return Evidence(window, message, fact.line, preview(_USER.sub("", fact.text), _EVIDENCE))


def _note(known: dict[str, Repository], name: str, evidence: Evidence) -> None:
    name = _clean(name)
    if name and len(known) < MOST:
        known.setdefault(name.casefold(), Repository(name, evidence))


def _clean(name: str) -> str:
    """A name as it is shown: on one line, without the `.git` that only addresses have."""
    return preview(name.strip().removesuffix(".git").strip("./~"), 100)


def _at_site(site: str, path: str) -> str:
    """The name of the repository that a path at a site belongs to."""
    names = path.split("/")
    if site.startswith("api."):
        names = names[1:] if names[0] == "repos" else []
    elif names[0] == "scm":  # Bitbucket's own servers
        names = names[1:]
    if len(names) < 2 or names[0].lower() in _PAGES or site.endswith(".io"):
        return ""
    if "gitlab" in site:  # groups within groups
        end = next((place for place, name in enumerate(names) if place > 1 and name in _GITLAB_PAGES), len(names))
        return names[end - 1]
    return names[1]


def _own(text: str) -> _Own:
    where = f"repository pattern {text!r}"
    if _PLAIN.fullmatch(text) and text.strip("./~@-"):
        words = re.compile(rf"(?<![\w-]){re.escape(text)}(?:\.git\b)?(?![\w-]|\.\w)", re.IGNORECASE)
        return _Own(words, text.lower(), _clean(text.rpartition("/")[2]))
    try:
        pattern = re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        do = "Python's `re` says what is allowed."
        raise SettingsError(f"this is no regular expression: {error}", where=where, do=do) from error
    if "name" not in pattern.groupindex:
        do = "Mark it with (?P<name>...), or write a plain name."
        raise SettingsError("it has no group for the repository's name", where=where, do=do)
    return _Own(pattern, "", "")
