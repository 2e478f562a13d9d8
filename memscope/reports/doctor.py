"""What the doctor found: each check of an engine, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from memscope.engines.checks import Check, Verdict
from memscope.reports.view import Column, Document, View

SIGNS: dict[Verdict, str] = {"pass": "✓", "fail": "✗", "warn": "!", "skip": "-"}


class CheckRow(Document):
    """One check: what was found (`said`), and what to `do` where it did not pass. `warn`: it scores, but something will
    surprise; `skip`: not tried, for an earlier check failed."""

    name: str
    verdict: Verdict
    said: str
    do: str

    def words(self) -> str:
        """✗ model: HTTP 404: there is no such model."""
        return f"{SIGNS[self.verdict]} {self.name}: {self.said}"


class DoctorDocument(Document):
    """The checks in order. `engine` is the one that was tried, empty where none fits; `server` what answers at the
    address, as "vLLM 0.32.0", empty where none is asked or it is not known; `reached`: the server answered at all, or
    there is none; `ok`: no check failed."""

    schema_: Literal["memscope/doctor@1"] = Field("memscope/doctor@1", alias="schema")
    engine: str
    server: str
    reached: bool
    ok: bool
    checks: list[CheckRow]


def check_row(check: Check) -> CheckRow:
    return CheckRow(name=check.name, verdict=check.verdict, said=check.said, do=check.do)


def doctor_document(engine: str, server: str, checks: Sequence[Check], *, reached: bool = True) -> DoctorDocument:
    return DoctorDocument(
        engine=engine,
        server=server,
        reached=reached,
        ok=not any(check.verdict == "fail" for check in checks),
        checks=[check_row(check) for check in checks],
    )


DOCTOR: View[DoctorDocument, CheckRow] = View(
    "doctor",
    DoctorDocument,
    lambda document: document.checks,
    lambda _: (
        Column("check", lambda row: row.name),
        Column("verdict", lambda row: row.verdict),
        Column("found", lambda row: row.said, wide=True),
        Column("do", lambda row: row.do, wide=True, rank=1),
    ),
)
