"""The doctor: tries whether an engine's numbers are right, and says of each check what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from memscope.actions.engine import engine_name, engine_options, installed, open_store, served_names
from memscope.base.errors import EngineError, StoreError, UsageError
from memscope.base.job import Job
from memscope.base.settings import Resolved, Settings, with_values
from memscope.engines.checked import keep
from memscope.engines.checks import Check
from memscope.engines.protocol import Engine
from memscope.engines.recognise import Recognised, recognise
from memscope.engines.registry import AUTO, EngineSpec, engine_names, engine_spec
from memscope.reports.doctor import DoctorDocument, doctor_document
from memscope.store.verdicts import Verdicts

_LOG = "The server's own log may say why."
_SHOWN = 10  # models


def with_auto(resolved: Resolved) -> Settings:
    """The settings, where an address is given and no engine named: with the engine that fits what answers there."""
    settings = resolved.settings
    named = resolved.origins.get("engine", "default") != "default"
    return settings if named or not settings.base_url else with_values(settings, engine=AUTO)


def doctor(settings: Settings, job: Job, found: Callable[[Check], None] | None = None) -> DoctorDocument:
    """All checks of the engine the settings name, each told to `found` as it comes.

    That the engine passed is kept, so that it is not checked once more before its first use; an earlier such proof is
    forgotten when a check fails. Raises `UsageError` for settings that cannot be, `Cancelled`.
    """
    examination = _Examination(settings, job)
    checks = []
    for check in examination.checks():
        checks.append(check)
        if found is not None:
            found(check)
    return doctor_document(examination.engine, examination.server, checks, reached=examination.reached)


def examine(settings: Settings, job: Job) -> Iterator[Check]:
    """The checks of `doctor`, each as it comes. Errors as there."""
    return _Examination(settings, job).checks()


class _Examination:
    """One visit: `engine`, `server` and `reached` are as the document has them, known when the checks are through."""

    def __init__(self, settings: Settings, job: Job) -> None:
        self._settings, self._job = settings, job
        self.engine = "" if settings.engine == AUTO else settings.engine
        self.server = ""
        self.reached = True

    def checks(self) -> Iterator[Check]:
        settings, job = self._settings, self._job
        if settings.engine == AUTO and not settings.base_url:
            self.engine = engine_name(settings, job)
        spec = engine_spec(self.engine) if self.engine else None
        served = spec is None or spec.served
        if served and settings.base_url:
            check, answering = self._server()
            yield check
            if answering is None:
                return
            if spec is None:
                if answering.engine not in engine_names():
                    return
                spec, self.engine = engine_spec(answering.engine), answering.engine
        assert spec is not None
        try:
            engine = installed(spec).build(engine_options(settings))
        except UsageError as error:
            if not (served and settings.base_url):
                raise
            yield Check("model", "fail", error.what, error.do or _LOG)
            return
        except EngineError as error:
            yield Check("model", "fail", error.what, error.do or _LOG)
            return
        try:
            yield from self._tried(spec, engine)
        finally:
            engine.close()

    def _server(self) -> tuple[Check, Recognised | None]:
        """What answers, and whether it is meant; None where nothing does, or what does cannot score."""
        try:
            found = recognise(engine_options(self._settings), self._job)
        except EngineError as error:
            self.reached = error.status > 0
            return Check("server", "fail", str(EngineError(error.what, where=error.where)), error.do or _LOG), None
        self.server = found.name
        names = f", serving {', '.join(found.models[:_SHOWN])}" if found.models else ""
        more = f" and {len(found.models) - _SHOWN} more" if len(found.models) > _SHOWN else ""
        said = f"{found.name or 'something'} answers at {self._settings.base_url}{names}{more}"
        if found.why:
            return Check("server", "fail", f"{said}: {found.why}", found.do), None
        if not found.name:
            do = f"Name the engine with --engine: {', '.join(served_names())}. Check the port, too."
            if self.engine:
                do = "The checks below tell whether it can be used as it is."
            return Check("server", "warn" if self.engine else "fail", f"{said}; {found.words()}", do), found
        if self.engine and not found.fits(self.engine):
            return Check("server", "warn", f"{said}, not {self.engine}", f"Use --engine {found.engine}."), found
        return Check("server", "warn" if found.note else "pass", said, found.note), found

    def _tried(self, spec: EngineSpec, engine: Engine) -> Iterator[Check]:
        if spec.check is None:
            yield Check("engine", "pass", f"{spec.name} computes in this process: there is no server to check")
            return
        checks = []
        for check in spec.check(engine, self._job):
            checks.append(check)
            yield check
        try:
            database = open_store(self._settings)
        except StoreError:
            return  # a run will make the checks again
        if database is not None:
            try:
                keep(checks, engine.identity, Verdicts(database))
            finally:
                database.close()
