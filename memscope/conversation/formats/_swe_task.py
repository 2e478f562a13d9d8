"""What a run on a benchmark task was about: its repository and model, for the trajectories of (mini-)SWE-agent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from memscope.conversation.formats._content import string
from memscope.conversation.formats._json import Json, at
from memscope.conversation.records import Fact

_INSTANCE = re.compile(r"([\w.-]+)__([\w.-]+)-\d+")  # SWE-bench: owner__name-number


@dataclass(frozen=True, slots=True)
class Task:
    """The task's name as the title, the repository it is from, and the model; "" for what is not known."""

    title: str = ""
    repository: str = ""
    model: str = ""

    @classmethod
    def of(cls, config: Json, path: Path) -> Task:
        """From the configuration of a run of SWE-agent, and the name of the file, which is the task's."""
        problem, repository = at(config, "problem_statement"), at(config, "env", "repo")
        names = (string(problem.get("id")), string(at(config, "agent").get("name")), path.name.partition(".traj")[0])
        instance = next((name for name in names if _INSTANCE.fullmatch(name)), "")
        address = string(repository.get("github_url")) or string(problem.get("github_url"))
        return cls(instance, address or repository_of(instance), string(at(config, "agent", "model").get("name")))

    def facts(self, line: int) -> Iterator[Fact]:
        if self.repository:
            yield Fact("repository", self.repository, line)
        if self.model:
            yield Fact("model", self.model, line)


def repository_of(instance: str) -> str:
    """The repository that a task of SWE-bench is from; "" for another name."""
    found = _INSTANCE.fullmatch(instance)
    return f"{found[1]}/{found[2]}" if found else ""
