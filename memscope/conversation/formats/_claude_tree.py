"""How the records of a Claude Code session hang together: what is a repeat, what was rewound, what a sub-agent wrote.

Records name their parent, so a session is a tree, while the order in the file is the order of writing. The file order
is right but for rewinds, and the tree is often torn: parents are missing, sessions have several roots, parallel tool
calls fork it. So file order rules, and only a branch that was clearly given up is taken out:

- The chain of the last message is followed up; where a parent is missing, the record before in the file goes on.
- A record off this chain stands on a branch. The branch was given up when the chain goes on from the fork with a
  *later prompt*, while the branch begins with an earlier prompt (it was edited) or with another reply (it was undone).
- Everything else off the chain stays: results of parallel tool calls, hooks, whatever hangs on a torn tree.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from memscope.base.text import preview
from memscope.conversation.formats._content import entries, parts, string
from memscope.conversation.model import Text
from memscope.conversation.raw import Raw, Value

MAIN = ""
INTERRUPTED = "[Request interrupted by user"
_PARENTS = ("parentUuid", "logicalParentUuid")
_SPEAKERS = ("user", "assistant")
_WITHDRAWING = ("supersedesUuids", "retractedMessageUuids")
_WITHOUT_REFERENCES = 2  # the version of marshal's bytes in which equal JSON has equal ones


class Node(NamedTuple):
    """A record with a uuid. `parent` is the place of the record it follows, always an earlier one."""

    parent: int | None
    role: str  # "user", "assistant", or "" for a record that is no message
    reply: str = ""  # the API's id of the message that an assistant record is a piece of
    is_prompt: bool = False


@dataclass
class Index:
    """What one pass over a session tells. A record's *place* is its number among all that `Raw` gives, from 0.

    `branches` has the sub-agent of every sidechain record, `titles` the conversations (the main one under `MAIN`) that
    hold a message, in the order of appearance, those of sub-agents with their first words. `reports` has those branches
    that are made of reports of progress, by the agent.
    """

    dropped: dict[int, str] = field(default_factory=dict)
    branches: dict[int, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    sessions: set[str] = field(default_factory=set)
    uuids: Set[str] = frozenset()
    reports: dict[str, str] = field(default_factory=dict)

    def branch(self, place: int) -> str:
        return self.branches.get(place, MAIN)


def reported(record: Any) -> Mapping[str, Any] | None:
    """What a sub-agent said, as its sidechain's record, when `record` is a report of its progress.

    Versions that had no files for sub-agents yet wrote them so, between the records of the main conversation.
    """
    if not isinstance(record, dict) or record.get("type") != "progress":
        return None
    data = record.get("data")
    if not isinstance(data, dict) or data.get("type") != "agent_progress":
        return None
    said = data.get("message")
    if not isinstance(said, dict) or not role_of(said):
        return None
    around = {name: value for name, value in record.items() if name not in ("data", "parentUuid", "uuid")}
    agent = string(data.get("agentId")) or string(record.get("parentToolUseID")) or "unnamed"
    return {**around, **said, "isSidechain": True, "agentId": agent}


def index(raw: Raw) -> Index:
    """Reads the file once, keeping a few words for each record."""
    indexer = _Indexer(raw.is_kept)
    for place, value in enumerate(raw.kept()):
        if type(value) is Value and isinstance(value.json, dict):
            indexer.add(place, value.json)
    return indexer.finish()


class _Indexer:
    def __init__(self, are_kept: bool) -> None:
        self.are_kept = are_kept  # the records, whoever holds on to them or not
        self.index = Index()
        self.main: dict[int, Node] = {}
        self.places: dict[str, int] = {}  # of the uuids that name one record only
        self.said: dict[str, Mapping[str, Any] | int] = {}  # the last record of each uuid, or its fingerprint
        self.agents: dict[str, str] = {}
        self.withdrawn: set[str] = set()
        self.last_main: int | None = None
        self.forks = False  # whether a record of the main conversation follows another than the one before it
        self.last_branch = ""

    def add(self, place: int, record: Mapping[str, Any]) -> None:
        for field_name in _WITHDRAWING:
            if field_name in record:
                self.withdrawn.update(u for u in entries(record[field_name]) if isinstance(u, str))
        uuid = record.get("uuid")
        if not isinstance(uuid, str) or not uuid:
            return
        if uuid in self.said and self._is_repeat(uuid, record):
            self.index.dropped[place] = "a repeat of an earlier record (the session was resumed)"
            branch = self.index.branch(self.places.get(uuid, place))
            if branch != MAIN:
                self.index.branches[place] = branch
            return
        parent = self._parent(record)
        if record.get("type") == "progress":
            self._add_report(place, reported(record))
        if record.get("isSidechain") is True:
            self._add_to_branch(place, record, parent)
        else:
            self._add_to_main(place, record, parent)
        if uuid in self.said:
            self.places.pop(uuid, None)  # one uuid, two records: it names neither
        else:
            self.places[uuid] = place
        self.said[uuid] = record if self.are_kept else _print(record)

    def finish(self) -> Index:
        for uuid in self.withdrawn & self.places.keys():
            self.index.dropped.setdefault(self.places[uuid], "withdrawn: a later record replaces or retracts it")
        self.index.uuids = self.said.keys()
        if self.forks:
            for place in _given_up(self.main, self.index.dropped):
                self.index.dropped.setdefault(place, "on a branch that was given up: the conversation was rewound")
        return self.index

    def _is_repeat(self, uuid: str, record: Mapping[str, Any]) -> bool:
        """Whether the record was there before: the same uuid and content, in whatever session."""
        said = self.said[uuid]
        return (said if isinstance(said, int) else _print(said)) == _print(record)

    def _parent(self, record: Mapping[str, Any]) -> int | None:
        """The place of the parent; behind a compaction there is a logical one only."""
        for field_name in _PARENTS:
            name = record.get(field_name)
            if isinstance(name, str) and name in self.places:
                return self.places[name]
        return None

    def _add_to_main(self, place: int, record: Mapping[str, Any], parent: int | None) -> None:
        if parent is None or parent not in self.main:
            parent = self.last_main
        elif parent != self.last_main:
            self.forks = True
        role = role_of(record)
        reply = string(record["message"].get("id")) if role == "assistant" else ""
        self.main[place] = Node(parent, role, reply, role == "user" and _is_prompt(record))
        self.last_main = place
        session = record.get("sessionId")
        if isinstance(session, str):
            self.index.sessions.add(session)
        if role:
            self.index.titles[MAIN] = ""

    def _add_to_branch(self, place: int, record: Mapping[str, Any], parent: int | None) -> None:
        """A sidechain's records follow each other; a first one begins a new sub-agent, named by its agent or place."""
        agent = string(record.get("agentId"))
        torn = parent is None and record.get("parentUuid") is not None
        if parent is not None and parent in self.index.branches:
            branch = self.index.branches[parent]
        elif agent:
            branch = self.agents.setdefault(agent, f"agent {agent}")
        else:
            branch = (self.last_branch if torn else "") or f"agent at {place}"
        self.index.branches[place] = self.last_branch = branch
        self._name(branch, role_of(record), record)

    def _add_report(self, place: int, told: Mapping[str, Any] | None) -> None:
        """A report is read as its agent's, though its record hangs among those of the main conversation."""
        if told is None:
            return
        agent = told["agentId"]
        branch = self.index.reports.setdefault(agent, f"reports of {agent}")
        self.index.branches[place] = branch
        self._name(branch, role_of(told), told)

    def _name(self, branch: str, role: str, record: Mapping[str, Any]) -> None:
        if role and not self.index.titles.get(branch):
            self.index.titles[branch] = preview("".join(_texts(record)), 80) if role == "user" else ""


def role_of(record: Mapping[str, Any]) -> str:
    """`user` or `assistant` for a record that holds a message of theirs, else nothing."""
    kind: str = record.get("type", "")
    return kind if kind in _SPEAKERS and isinstance(record.get("message"), dict) else ""


def _is_prompt(record: Mapping[str, Any]) -> bool:
    """Whether a user record is a turn of its own: no tool result, no note of the software's, no interruption."""
    content = record["message"].get("content")
    if record.get("isMeta") is True:
        return False
    for block in entries(content):
        if isinstance(block, dict) and block.get("type") == "tool_result":
            return False
    return not next(_texts(record), "").startswith(INTERRUPTED)


def _texts(record: Mapping[str, Any]) -> Iterator[str]:
    return (p.text for p in parts(record["message"].get("content")) if isinstance(p, Text))


def _print(record: Mapping[str, Any]) -> int:
    """A fingerprint of what a record says, without what a resumed session rewrites (session, version, folder)."""
    message = record.get("message")
    content = message.get("content") if isinstance(message, dict) else record.get("attachment", record.get("content"))
    return hash(marshal.dumps([record.get("type"), record.get("subtype"), content], _WITHOUT_REFERENCES))


def _given_up(nodes: dict[int, Node], dropped: Mapping[int, str]) -> Iterator[int]:
    """The places on branches that were given up. Parents stand before their children, so one pass is enough."""
    messages = [place for place, node in nodes.items() if node.role and place not in dropped]
    if not messages:
        return
    following = _chain(nodes, messages[-1])
    heads: dict[int, tuple[int, int | None]] = {}  # of places off the chain: the fork, and the branch's first message
    for place, node in nodes.items():
        if place in following or node.parent is None:
            continue
        fork, head = (node.parent, None) if node.parent in following else heads[node.parent]
        head = place if head is None and node.role else head
        heads[place] = (fork, head)
        if head is not None and _was_left(nodes, head, fork, following[fork]):
            yield place


def _chain(nodes: dict[int, Node], leaf: int) -> dict[int, int | None]:
    """The places from `leaf` up to the root, each with the next message behind it."""
    following: dict[int, int | None] = {}
    behind: int | None = None
    at: int | None = leaf
    while at is not None:
        following[at] = behind
        behind = at if nodes[at].role else behind
        at = nodes[at].parent
    return following


def _was_left(nodes: dict[int, Node], head: int, fork: int, goes_on: int | None) -> bool:
    if goes_on is None or not nodes[goes_on].is_prompt or head > goes_on:
        return False
    first = nodes[head]
    return first.is_prompt or (first.role == "assistant" and first.reply != nodes[fork].reply)
