"""Observations as Langfuse exports them, for the tests of that format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conversation.formats._lines import write

ASK = {"role": "user", "content": "Weather?"}
CALL = {"id": "c1", "type": "function", "function": {"name": "get", "arguments": '{"city":"B"}'}}
CALLED = {"role": "assistant", "content": "", "tool_calls": [CALL]}
ANSWER = {"role": "tool", "tool_call_id": "c1", "content": "Sunny"}
DONE = {"role": "assistant", "content": "It is sunny."}
WHOLE = [("user", "Weather?"), ("assistant", ""), ("tool", "Sunny"), ("assistant", "It is sunny.")]


def observed(name: str, kind: str, second: int, into: Any, out: Any, **more: Any) -> dict[str, Any]:
    """An observation; what goes in and out is JSON in a text, as in an export."""
    return {
        "id": name,
        "type": kind,
        "name": name,
        "startTime": f"2025-08-22T09:38:{second:02}.000Z",
        "level": "DEFAULT",
        "input": json.dumps(into),
        "output": json.dumps(out),
        "parentObservationId": "root",
        "traceId": "t",
        **more,
    }


def asked(name: str, second: int, into: Any, out: Any, **more: Any) -> dict[str, Any]:
    return observed(name, "GENERATION", second, into, out, **more)


def path_of(tmp_path: Path, *observations: dict[str, Any], **trace: Any) -> Path:
    return write(
        tmp_path / "trace.json", [{"trace": {"id": "t", "name": "app", **trace}, "observations": observations}]
    )
