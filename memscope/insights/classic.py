"""The first synthesis, to compare with: its prompt and its reading of answers, exactly those, quirks included.

The budget of the traces counts bytes, headings apart, and is used up by the first sessions; a text is cut by characters
but gets its … by bytes. Words go in as they are. An answer that is no JSON, or has no insights, becomes one itself.
Where it stopped with a traceback (an answer of too much depth, a confidence too large for a float), the first counts as
no JSON, and the second as what it is. An empty answer, of which it made an insight without words, does not come here:
that is an error to whoever asks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from memscope.insights.answer import LONGEST, UNSURE, Said
from memscope.insights.model import Insight
from memscope.insights.prompt import Prompt
from memscope.insights.wording import ME, OBSERVED, TRACES, TRUNCATED, task

_LINE = 400  # characters of a text

ClassicSession = tuple[str, Sequence[Mapping[str, Any]]]
"""An id, and messages: `role`, `content` (a text or None), `tool_calls` (of each the `name`)."""


class ClassicTraces(NamedTuple):
    """The section of the traces, and how many sessions have a line in it, or none to tell; `is_cut`: whether the last
    of them has more, which are left out."""

    text: str
    told: int
    is_cut: bool


def classic_prompt(
    sessions: Iterable[ClassicSession], observations: Sequence[Insight], *, max_chars: int = 8000, count: int = 10
) -> Prompt:
    """What the model is sent; of the sessions, no more are asked for than have room."""
    traces = classic_traces(sessions, max_chars)
    parts = [traces.text]
    if observations:
        parts.append(f"{OBSERVED}\n\n" + "".join(f"- [{one.kind}] {one.hint}\n" for one in observations) + "\n")
    parts.append(task(count, observed=bool(observations)))
    return Prompt(
        [{"role": "system", "content": ME}, {"role": "user", "content": "".join(parts)}],
        told=tuple(range(traces.told)),
        cut=(traces.told - 1,) if traces.is_cut else (),
        observed=tuple(range(len(observations))),
    )


def classic_traces(sessions: Iterable[ClassicSession], max_chars: int = 8000) -> ClassicTraces:
    """The section of the traces; their lines have at most so many bytes, and 400 characters more of other scripts."""
    out, used, told = [f"{TRACES}\n\n"], 0, 0
    for name, messages in sessions:
        out.append(f"### Session {name}\n")
        for place, message in enumerate(messages):
            left = max_chars - used
            if left <= 0:
                text = "".join([*out, f"{TRUNCATED}\n"])
                return ClassicTraces(text, told + (place > 0), is_cut=place > 0)
            line = _line(message, min(left, _LINE))
            if line:
                used += _bytes(line)
                out.append(line + "\n")
        out.append("\n")
        told += 1
    return ClassicTraces("".join(out), told, is_cut=False)


def classic_answer(reply: str) -> tuple[Said, ...]:
    """The insights of an answer; one at least, be it the beginning of the answer."""
    try:
        items = json.loads(_unfenced(reply)).get("insights")
    except (ValueError, AttributeError, RecursionError):
        items = None
    said = tuple(one for item in (items if isinstance(items, list) else ()) if (one := _said(item)) is not None)
    return said or (Said(reply[:LONGEST], UNSURE),)


def _line(message: Mapping[str, Any], most: int) -> str:
    role, content, calls = message["role"], message.get("content") or "", message.get("tool_calls")
    if role == "system":
        return ""
    if role == "user":
        return "[USER] " + _cut(content, most)
    if role != "assistant":
        return "[TOOL] [tool results]"
    return "[ASST] → tools: " + ", ".join(call["name"] for call in calls) if calls else "[ASST] " + _cut(content, most)


def _cut(text: str, most: int) -> str:
    return text[:most] + ("…" if _bytes(text) > most else "")


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


_FENCES = re.compile(r"(?:```json)*+(?:```)*+")


def _unfenced(reply: str) -> str:
    text = reply.strip()
    opened = _FENCES.match(text)
    text = text if opened is None else text[opened.end() :]
    ticks = len(text) - len(text.rstrip("`"))
    return text[: len(text) - ticks // 3 * 3].strip()


def _said(item: Any) -> Said | None:
    text = item.get("text") if isinstance(item, dict) else None
    if not isinstance(text, str) or not text or "confidence" not in item:
        return None
    confidence = item["confidence"]
    if isinstance(confidence, bool) or not isinstance(confidence, int | float):
        confidence = UNSURE
    return Said(text[:LONGEST], float(min(1.0, max(0.0, confidence))))
