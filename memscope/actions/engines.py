"""Which engines there are to choose from, whether they answer, and what they can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from memscope.actions.engine import engine_options, missing_packages
from memscope.base.errors import Cancelled, MemscopeError
from memscope.base.job import Job
from memscope.base.settings import Settings, api_key
from memscope.engines.protocol import Capabilities
from memscope.engines.registry import EngineOptions, engine_names, engine_spec

if TYPE_CHECKING:
    from memscope.engines.recognise import Recognised


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An engine as a person chooses it: its name and what it is in a line; whether it `answers` with these settings,
    and otherwise the `reason`; the `models` its server lists (none for an engine in this process); and what it can do,
    where that is known. `served`: it speaks to a server, at the address `url`, empty where none is given. `opens`: it
    is a model in this process, which the setting `model` names. `lacks`: what it has to be given before it can be used;
    "server": another than the one that answers. Not yet cleaned for a screen."""

    name: str
    summary: str
    answers: bool
    reason: str = ""
    models: tuple[str, ...] = ()
    capabilities: Capabilities | None = None
    url: str = ""
    served: bool = False
    opens: bool = False
    lacks: Literal["", "address", "server", "model", "package"] = ""


def names_to_choose(settings: Settings) -> list[str]:
    """The names of the engines there are, the one of the settings first; asks none."""
    return sorted(engine_names(), key=lambda name: (name != settings.engine, name))


def engine_choices(settings: Settings, job: Job) -> Iterator[EngineChoice]:
    """Every engine, the one of the settings first, each as soon as it is known. Servers get a few seconds to answer;
    what answers at the address is found out once, and engines that do not fit it are not tried.

    An engine that fails is a choice with a reason, whatever fails. Raises `Cancelled`.
    """
    answering = _Answering(engine_options(settings))
    for name in names_to_choose(settings):
        job.check()
        yield _choice(name, answering, job)


class _Answering:
    """What answers at the address of the options, looked at when it is first asked for."""

    def __init__(self, options: EngineOptions) -> None:
        self.options = options
        self._found: Recognised | None = None
        self._error: MemscopeError | None = None

    def found(self, job: Job) -> Recognised:
        """Raises the same `UsageError` or `EngineError` each time."""
        from memscope.engines.recognise import recognise

        if self._found is None and self._error is None:
            try:
                self._found = recognise(self.options, job, hasty=True)
            except Cancelled:
                raise
            except MemscopeError as error:
                self._error = error
        if self._error is not None:
            raise self._error
        assert self._found is not None
        return self._found


def _choice(name: str, answering: _Answering, job: Job) -> EngineChoice:
    choice, options = EngineChoice(name, "", answers=False), answering.options
    try:
        spec = engine_spec(name)
        choice = replace(choice, summary=spec.summary, served=spec.served, opens=spec.opens)
        if missing := missing_packages(spec):
            return replace(choice, reason=missing, lacks="package")
        if spec.opens and not options.model:
            return replace(choice, reason="It needs a model: --model.", lacks="model")
        if spec.models is not None:
            choice = replace(choice, url=options.base_url, lacks="" if options.base_url else "address")
            if options.base_url and not (server := answering.found(job)).fits(name):
                return replace(choice, reason=server.words(), lacks="server")
            choice = replace(choice, models=tuple(spec.models(options, job)))
        return replace(choice, answers=True, capabilities=spec.capabilities)
    except Cancelled:
        raise
    except Exception as error:  # one engine that fails, even by a bug of its own, must not hide the others
        reason, (key, _) = str(error) or type(error).__name__, api_key()
        return replace(choice, reason=reason.replace(key, "[key]") if key else reason)
