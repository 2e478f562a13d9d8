"""The formats of training data: an example becomes a line.

`sft`: OpenAI's chat fine-tuning; `dpo`: OpenAI's preferences; `trl`: preferences in TRL's conversational form. In the
two with preferences the target is preferred to an alternate answer.
"""

from __future__ import annotations

from typing import Any, Literal

from memscope.triage.chat_lines import ChatMessage, Example

TrainingFormat = Literal["sft", "dpo", "trl"]
Line = dict[str, Any]

PREFERENCES: frozenset[TrainingFormat] = frozenset({"dpo", "trl"})
"""The formats that need an alternate."""


def training_line(form: TrainingFormat, example: Example, rejected: ChatMessage | None = None) -> Line:
    """The line of an example. `rejected`: the alternate, for those `PREFERENCES`; other formats do without."""
    if form == "sft":
        return _sft(example)
    if rejected is None:
        raise ValueError(f"{form} needs an alternate")
    return _dpo(example, rejected) if form == "dpo" else _trl(example, rejected)


def _sft(example: Example) -> Line:
    """Earlier answers weigh nothing, so that the target alone is trained on."""
    before = [{**said, "weight": 0} if said["role"] == "assistant" else said for said in example.prompt]
    line: Line = {"messages": [*before, example.target]}
    if example.tools:
        line["tools"] = list(example.tools)
    return line


def _dpo(example: Example, rejected: ChatMessage) -> Line:
    asked = {"messages": list(example.prompt), "tools": list(example.tools), "parallel_tool_calls": True}
    return {"input": asked, "preferred_output": [example.target], "non_preferred_output": [rejected]}


def _trl(example: Example, rejected: ChatMessage) -> Line:
    return {"prompt": list(example.prompt), "chosen": [example.target], "rejected": [rejected]}
