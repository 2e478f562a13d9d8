"""Which engines there are to choose from, whether they answer, and what they can do."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, replace

from memscope.actions.engine import engine_options
from memscope.base.errors import Cancelled
from memscope.base.job import Job
from memscope.base.settings import Settings, api_key
from memscope.engines.protocol import Capabilities
from memscope.engines.registry import engine_names, engine_spec


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An engine as a person chooses it: its name and what it is in a line; whether it `answers` with these settings,
    and otherwise the `reason`; the `models` its server lists (none for an engine in this process); and what it can do,
    where that is known. `served`: it speaks to a server, at the address `url`, empty where none is given. Not yet
    cleaned for a screen."""

    name: str
    summary: str
    answers: bool
    reason: str = ""
    models: tuple[str, ...] = ()
    capabilities: Capabilities | None = None
    url: str = ""
    served: bool = False


def names_to_choose(settings: Settings) -> list[str]:
    """The names of the engines there are, the one of the settings first; asks none."""
    return sorted(engine_names(), key=lambda name: (name != settings.engine, name))


def engine_choices(settings: Settings, job: Job) -> Iterator[EngineChoice]:
    """Every engine, the one of the settings first, each as soon as it is known. Servers get a few seconds to answer.

    An engine that fails is a choice with a reason, whatever fails. Raises `Cancelled`.
    """
    for name in names_to_choose(settings):
        job.check()
        yield _choice(name, settings, job)


def _choice(name: str, settings: Settings, job: Job) -> EngineChoice:
    choice = EngineChoice(name, "", answers=False)
    try:
        spec, options = engine_spec(name), engine_options(settings)
        choice = replace(choice, summary=spec.summary)
        if missing := [package for package in spec.packages if importlib.util.find_spec(package) is None]:
            install = f"pip install 'memscope[{spec.extra}]'"
            return replace(choice, reason=f"it needs {' and '.join(missing)}, not installed: {install}")
        if spec.models is not None:
            choice = replace(choice, url=options.base_url, served=True)
            choice = replace(choice, models=tuple(spec.models(options, job)))
        return replace(choice, answers=True, capabilities=spec.capabilities)
    except Cancelled:
        raise
    except Exception as error:  # one engine that fails, even by a bug of its own, must not hide the others
        reason, (key, _) = str(error) or type(error).__name__, api_key()
        return replace(choice, reason=reason.replace(key, "[key]") if key else reason)
