"""What a person chose in the pane in place of a setting, and what of that is remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from memscope.base.settings import SESSION

if TYPE_CHECKING:
    from memscope.base.settings import Resolved, Settings

Value = TypeVar("Value")

_SAID_NOW = ("flag", "environment", SESSION)  # what the origin of a setting begins with that this session was given


class Choice(Generic[Value]):
    """In place of the setting of a `name`: the `value` in force, None where the setting is; `kept`: what the next
    session is to begin with. What was said of the setting for this session weighs more than what is remembered."""

    def __init__(self, name: str) -> None:
        self.value: Value | None = None
        self.kept: Value | None = None
        self._name = name
        self._setting: object = None  # as it was when this was chosen, or before

    def begin(self, kept: Value | None, resolved: Resolved) -> None:
        """`kept`: what the last session left."""
        self.kept = kept
        self.value = None if resolved.origins[self._name].startswith(_SAID_NOW) else kept
        self._setting = getattr(resolved.settings, self._name)

    def choose(self, value: Value | None) -> None:
        """None: what the setting says."""
        self.value = self.kept = value

    def as_set(self, settings: Settings) -> bool:
        """Gives way to a setting that was changed since; whether it was."""
        before, self._setting = self._setting, getattr(settings, self._name)
        if before == self._setting:
            return False
        self.choose(None)
        return True
