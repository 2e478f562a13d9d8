"""The first synthesis in plain Python, as classic mode has to have it, flaws included: the section of the traces, and
the reading of an answer. Messages: {"role", "content", "tool_calls": [{"name"}]}."""

from __future__ import annotations

import json
from typing import Any


def cut(text: str, size: int) -> str:
    return text[:size] + ("…" if len(text.encode()) > size else "")


def line(message: dict[str, Any], budget: int) -> str:
    role = message["role"]
    if role == "system":
        return ""
    if role == "user":
        return "[USER] " + cut(message.get("content") or "", min(budget, 400))
    if role == "assistant":
        if not message.get("tool_calls"):
            return "[ASST] " + cut(message.get("content") or "", min(budget, 400))
        return "[ASST] → tools: " + ", ".join(call["name"] for call in message["tool_calls"])
    return "[TOOL] [tool results]"


def block(sessions: list[tuple[str, list[dict[str, Any]]]], max_chars: int = 8000) -> str:
    out, used = "## Recent Session Traces\n\n", 0
    for name, messages in sessions:
        out += f"### Session {name}\n"
        for message in messages:
            left = max(0, max_chars - used)
            if left == 0:
                return out + "...[truncated]\n"
            told = line(message, left)
            if told:
                used += len(told.encode())
                out += told + "\n"
        out += "\n"
    return out


def parse(content: str) -> list[tuple[str, float]]:
    c = content.strip()
    for fence in ("```json", "```"):
        while c.startswith(fence):
            c = c[len(fence) :]
    while c.endswith("```"):
        c = c[:-3]
    try:
        found = json.loads(c.strip()).get("insights")
        got = []
        for item in found if isinstance(found, list) else []:
            text = item.get("text") if isinstance(item, dict) else None
            if not isinstance(text, str) or not text or "confidence" not in item:
                continue
            given = item["confidence"]
            number = 0.5 if not isinstance(given, (int, float)) or isinstance(given, bool) else float(given)
            got.append((text[:300], min(1.0, max(0.0, number))))
        if got:
            return got
    except (ValueError, AttributeError):
        pass
    return [(content[:300], 0.5)]
