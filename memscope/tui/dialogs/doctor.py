"""Whether an engine's numbers are right: each check as it comes, what was found, and what to do."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from memscope.base.text import clean
from memscope.reports.doctor import SIGNS, CheckRow
from memscope.tui.dialogs.dialog import CLOSING, Dialog, said
from memscope.tui.widgets.reading import Reading

_PLAIN = {"✓": "+", "✗": "x"}
_STYLES = {"pass": "$text-success", "fail": "$text-error", "warn": "$text-warning", "skip": ""}


class Doctor(Dialog[None]):
    """Shows checks while they are made; somebody else makes them and calls `found`, and `ended` at the end."""

    def __init__(self, engine: str, *, plain: bool = False) -> None:
        super().__init__(f"Doctor: {engine}", classes="-whole")
        self._plain = plain
        self._checks: list[CheckRow] = []
        self._outcome = "checking …"

    def body(self) -> Iterable[Widget]:
        yield Reading(Static(id="checks"))
        yield said(self._outcome, id="outcome")

    def on_mount(self) -> None:
        self.query_one(Reading).focus()
        self._show()

    def found(self, check: CheckRow) -> None:
        """One more check is made."""
        self._checks.append(check)
        self._show()

    def ended(self, trouble: str = "") -> None:
        """No more checks come; `trouble`: why they could not be made."""
        self._outcome = trouble or outcome(self._checks)
        self._show()

    def _show(self) -> None:
        """What is known, where it stands on the screen already, and still."""
        with CLOSING:
            self.query_one("#checks", Static).update(Content("\n").join(map(self._line, self._checks)))
            self.query_one("#outcome", Static).update(Content(clean(self._outcome)))

    def _line(self, check: CheckRow) -> Content:
        sign = SIGNS[check.verdict]
        head = Content.styled(
            f"{_PLAIN.get(sign, sign) if self._plain else sign} ", f"bold {_STYLES[check.verdict]}".strip()
        )
        words = f"{check.name}: {check.said}" if check.said else check.name
        do = f"\n  {clean(check.do)}" if check.do else ""
        return Content.assemble(head, Content(clean(words)), Content(do))


def outcome(checks: Iterable[CheckRow]) -> str:
    """What the checks come to."""
    verdicts = [check.verdict for check in checks]
    if "fail" in verdicts:
        return "Its numbers are not to be used: what failed is marked."
    if "warn" in verdicts:
        return "It scores; what is marked with ! will surprise."
    return "Its numbers are right, as far as these checks go." if "pass" in verdicts else "Nothing could be checked."
