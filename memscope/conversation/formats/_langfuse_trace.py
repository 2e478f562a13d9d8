"""Langfuse's observations, and how those of one trace hang together."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from memscope.conversation.formats._content import entries, seconds, string
from memscope.conversation.model import Skipped
from memscope.conversation.records import Fact

_TYPES = frozenset("AGENT CHAIN EMBEDDING EVALUATOR EVENT GENERATION GUARDRAIL RETRIEVER SPAN TOOL".split())
_DEEPEST = 100  # observations below each other


def is_observation(value: Any) -> bool:
    if not isinstance(value, dict) or string(value.get("type")) not in _TYPES:
        return False
    return bool(value.keys() & {"startTime", "traceId"}) and bool(value.keys() & {"input", "output", "metadata"})


def is_trace(value: Any) -> bool:
    """Whether it is a trace with its observations, in whatever way they are put together, or with their names."""
    if not isinstance(value, dict) or not isinstance(value.get("observations"), list):
        return False
    return {"id", "timestamp"} <= value.keys() or any(map(is_observation, value["observations"]))


@dataclass(frozen=True, slots=True)
class Observation:
    """A step of a program. `input`, `output` and `metadata` are as found, which is mostly JSON in a text."""

    id: str
    type: str
    name: str
    trace: str
    parent: str
    began: float | None
    ended: float | None
    failed: bool
    status: str
    model: str
    input: Any
    output: Any
    metadata: Any
    line: int

    @classmethod
    def read(cls, value: Mapping[str, Any], line: int) -> Observation:
        """The observation that an object is, or the whole of a trace as if it were one."""
        began = seconds(value.get("startTime", value.get("timestamp")))
        ended = seconds(value.get("endTime"))
        return cls(
            id=string(value.get("id")),
            type=string(value.get("type")),
            name=string(value.get("name")),
            trace=string(value.get("traceId")),
            parent=string(value.get("parentObservationId")),
            began=began,
            ended=began if ended is None else ended,
            failed=value.get("level") == "ERROR",
            status=string(value.get("statusMessage")),
            model=string(value.get("model")),
            input=value.get("input"),
            output=value.get("output"),
            metadata=value.get("metadata"),
            line=line,
        )


class Trace:
    """A run of a program: its observations in order of time, and the `whole` where the file tells of that too."""

    def __init__(
        self,
        name: str,
        observations: Iterable[Observation],
        whole: Observation | None = None,
        passed: Iterable[Skipped] = (),
    ) -> None:
        self.name = name
        self.whole = whole
        self.passed = tuple(passed)
        self.observations = sorted(observations, key=_start)
        self._by_id = {one.id: one for one in self.observations if one.id}
        self._outer = {one.parent for one in self.observations if one.type == "GENERATION" and one.parent}
        self._tools: dict[str, list[Observation]] = {}
        for one in self.observations:
            if one.type == "TOOL":
                self._tools.setdefault(one.parent, []).append(one)

    @classmethod
    def read(cls, value: Mapping[str, Any], line: int) -> Trace:
        """The trace that `is_trace` says an object is."""
        about = value.get("trace", value)
        whole = Observation.read(about if isinstance(about, Mapping) else {}, line)
        found, passed = [], []
        for entry in entries(value["observations"]):
            if is_observation(entry):
                found.append(Observation.read(entry, line))
            else:
                is_name = isinstance(entry, str)
                why = "the file names the observation without holding it" if is_name else "the entry is no observation"
                passed.append(Skipped(line, why))
        return cls(whole.id or next((one.trace for one in found), ""), found, whole, passed)

    @property
    def line(self) -> int:
        return self.whole.line if self.whole else self.observations[0].line

    @property
    def requests(self) -> Iterator[Observation]:
        """The requests to a model, without a library's wrappers around them."""
        return (one for one in self.observations if one.type == "GENERATION" and one.id not in self._outer)

    @property
    def outermost(self) -> Iterator[Observation]:
        """Those that are below no other, and the trace itself."""
        yield from (one for one in self.observations if one.parent not in self._by_id)
        if self.whole is not None:
            yield self.whole

    @property
    def failures(self) -> list[Fact]:
        return [Fact("error", one.status or one.name, one.line) for one in self.observations if one.failed]

    def named(self, name: str) -> Observation | None:
        return self._by_id.get(name)

    def above(self, one: Observation) -> Iterator[Observation]:
        """The observations above, the nearest first."""
        for _ in range(_DEEPEST):
            outer = self._by_id.get(one.parent)
            if outer is None:
                return
            yield outer
            one = outer

    def answers(self, parent: str, since: float, until: float) -> list[Observation]:
        """The tools that began below an observation between two times."""
        tools = self._tools.get(parent, [])
        return tools[bisect_left(tools, since, key=_start) : bisect_left(tools, until, key=_start)]


def _start(one: Observation) -> float:
    return one.began or 0.0
