"""Whether a line of training data is what its format says: checked before it is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from memscope.triage.formats import Line, TrainingFormat

_NAME = r"^[a-zA-Z0-9_-]{1,64}$"  # of a function, as the API takes it


def refusal(form: TrainingFormat, line: Line) -> str | None:
    """Why a line cannot be written as its format, in words that say nothing of this line alone; None where it can."""
    try:
        _LINES[form].model_validate(line)
        json.dumps(line, ensure_ascii=False, allow_nan=False).encode()
    except ValidationError as error:
        return _words(error)
    except UnicodeEncodeError:
        return _HALF
    except (ValueError, RecursionError):
        return "a tool's definition cannot be written as JSON"
    return None


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Function(_Strict):
    name: str = Field(pattern=_NAME)
    arguments: str

    @field_validator("arguments")
    @classmethod
    def _object(cls, arguments: str) -> str:
        try:
            is_object = isinstance(json.loads(arguments), dict)
        except (ValueError, RecursionError):
            is_object = False
        if not is_object:
            raise _wrong("the arguments of a tool call are no JSON object")
        return arguments


class _Call(_Strict):
    id: str
    type: Literal["function"]
    function: _Function


class _System(_Strict):
    role: Literal["system"]
    content: str


class _User(_Strict):
    role: Literal["user"]
    content: str


class _Assistant(_Strict):
    role: Literal["assistant"]
    content: str | None = None
    tool_calls: list[_Call] | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _says_something(self) -> _Assistant:
        if not (self.content or "").strip() and not self.tool_calls:
            raise _wrong("an answer is empty")
        return self


class _Weighed(_Assistant):
    weight: Literal[0, 1] | None = None


class _Tool(_Strict):
    role: Literal["tool"]
    tool_call_id: str
    content: str


_Message = Annotated[_System | _User | _Assistant | _Tool, Field(discriminator="role")]
_WeighedMessage = Annotated[_System | _User | _Weighed | _Tool, Field(discriminator="role")]


class _Described(_Strict):
    name: str = Field(pattern=_NAME)
    description: str = ""
    parameters: dict[str, Any] = {}
    strict: bool | None = None


class _Definition(_Strict):
    type: Literal["function"]
    function: _Described


class _Sft(_Strict):
    messages: list[_WeighedMessage] = Field(min_length=1)
    tools: list[_Definition] | None = None

    @model_validator(mode="after")
    def _ends_with_the_target(self) -> _Sft:
        *prompt, target = self.messages
        if not isinstance(target, _Weighed) or target.weight is not None:
            raise _wrong("it does not end with what is to be trained on")
        if any(isinstance(said, _Weighed) and said.weight != 0 for said in prompt):
            raise _wrong("an earlier answer would be trained on")
        _check_prompt(prompt)
        return self


class _Input(_Strict):
    messages: list[_Message]
    tools: list[_Definition]
    parallel_tool_calls: bool


class _Dpo(_Strict):
    input: _Input
    preferred_output: list[_Assistant] = Field(min_length=1, max_length=1)
    non_preferred_output: list[_Assistant] = Field(min_length=1, max_length=1)

    @model_validator(mode="after")
    def _whole(self) -> _Dpo:
        _check_prompt(self.input.messages)
        return self


class _Trl(_Strict):
    prompt: list[_Message]
    chosen: list[_Assistant] = Field(min_length=1, max_length=1)
    rejected: list[_Assistant] = Field(min_length=1, max_length=1)

    @model_validator(mode="after")
    def _whole(self) -> _Trl:
        _check_prompt(self.prompt)
        return self


_LINES: Mapping[TrainingFormat, type[_Strict]] = {"sft": _Sft, "dpo": _Dpo, "trl": _Trl}
NOTHING_BEFORE = "nothing is said before the response"
_HALF = "it holds half of a character pair, which is no text"


def _check_prompt(messages: Sequence[object]) -> None:
    """Something is said in it, and every call is answered at once, each answer by a call's name."""
    if not messages:
        raise _wrong(NOTHING_BEFORE)
    waiting: set[str] = set()
    for said in messages:
        if isinstance(said, _Tool):
            if said.tool_call_id not in waiting:
                raise _wrong("a tool's message answers no call before it")
            waiting.remove(said.tool_call_id)
        elif waiting:
            raise _wrong(_UNANSWERED)
        elif isinstance(said, _Assistant):
            waiting = {call.id for call in said.tool_calls or ()}
            if len(waiting) < len(said.tool_calls or ()):
                raise _wrong("two calls have one id")
    if waiting:
        raise _wrong(_UNANSWERED)


_UNANSWERED = "a tool call is not answered by the messages behind it"


def _wrong(words: str) -> PydanticCustomError:
    return PydanticCustomError("line", "{words}", {"words": words})


def _words(error: ValidationError) -> str:
    first = error.errors()[0]
    if first["type"] == "line":
        return first["msg"]
    if first["type"] == "string_unicode":
        return _HALF
    if first["type"] == "union_tag_invalid":
        return "a message has a role that the format does not know"
    if first["type"] == "string_pattern_mismatch":
        return "a tool has a name that the format does not take"
    return f"{'.'.join(_names(first['loc']))}: {first['msg'][:1].lower()}{first['msg'][1:]}"


def _names(where: Iterable[int | str]) -> list[str]:
    """Where something is wrong, without numbers: those are of one line alone."""
    return [part for part in where if isinstance(part, str)]
