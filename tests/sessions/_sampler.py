"""The first session sampler in plain Python, as classic mode has to have it, flaws included.

`scored` gives a file's numbers; `seen` is what earlier files named. It raises what the sampler did where it stopped
with a traceback (`STOPS`).
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone
from typing import Any

STOPS = (AttributeError, TypeError, ValueError, RecursionError, OverflowError)
SIGNS = ["error", "failed", "cannot", "unable", "exception", "traceback", "rejected", "denied"]
NAMES = [
    *["Timmy_Foundation/", "Rockachopa/", "compounding-intelligence", "the-nexus"],
    *["timmy-home", "hermes-agent", "the-beacon", "the-door"],
]


def scan(path: str) -> dict[str, Any]:
    meta: dict[str, Any] = {"path": path, "count": 0, "calls": 0, "failed": False, "repos": set(), "preview": ""}
    try:
        size = os.path.getsize(path)  # noqa: PTH202
        if size == 0:
            return meta
        with open(path, encoding="utf-8", errors="replace") as f:  # noqa: PTH123 - as it was
            first = f.readline().strip()
            if first:
                try:
                    message = json.loads(first)
                    message.get("timestamp", "")
                except json.JSONDecodeError:
                    pass
            tail = []
            count = 1
            if size > 8192:
                f.seek(max(0, size - 8192))
                f.readline()
            for line in f:
                line = line.strip()  # noqa: PLW2901
                if line:
                    tail.append(line)
                    count += 1
            if size > 8192 and count < 100:
                count = max(count, size // 500)
            meta["count"] = count
            for line in tail[-30:]:
                try:
                    read(json.loads(line), meta)
                except json.JSONDecodeError:
                    continue
    except OSError:
        pass
    return meta


def read(message: Any, meta: dict[str, Any]) -> None:
    if message.get("tool_calls"):
        meta["calls"] += len(message["tool_calls"])
    content = ""
    if isinstance(message.get("content"), str):
        content = message["content"].lower()
    elif isinstance(message.get("content"), list):
        for part in message["content"]:
            if isinstance(part, dict) and part.get("type") == "text":
                content += part.get("text", "").lower()
    if content:
        meta["preview"] = content[:200]
        if any(sign in content for sign in SIGNS):
            meta["failed"] = True
    if message.get("tool_calls"):
        for call in message["tool_calls"]:
            words = call.get("function", {}).get("arguments", "")
            if isinstance(words, str):
                for name in NAMES:
                    if name in words:
                        meta["repos"].add(name.rstrip("/"))


def dated(filename: str) -> datetime | None:
    parts = os.path.splitext(filename)[0].split("_")  # noqa: PTH122
    for i, part in enumerate(parts):
        if len(part) == 8 and part.isdigit():
            time = parts[i + 1] if i + 1 < len(parts) and len(parts[i + 1]) == 6 else "000000"
            try:
                return datetime.strptime(f"{part}_{time}", "%Y%m%d_%H%M%S").replace(tzinfo=timezone.utc)  # noqa: UP017
            except ValueError:
                continue
    return None


def scored(meta: dict[str, Any], now: datetime, seen: set[str]) -> dict[str, int]:
    when = dated(os.path.basename(meta["path"]))  # noqa: PTH119
    if when is None:
        try:
            when = datetime.fromtimestamp(os.path.getmtime(meta["path"]), tz=timezone.utc)  # noqa: PTH204, UP017
        except OSError:
            when = now - timedelta(days=365)
    days = (now - when).days
    unique = 0
    for repo in meta["repos"]:
        unique = max(unique, 1 if repo in seen else 5)
        seen.add(repo)
    return {
        "recency": 3 if days <= 7 else 2 if days <= 30 else 1,
        "length": 3 if meta["count"] > 50 else 2 if meta["count"] > 20 else 1,
        "repo_unique": unique,
        "outcome": 3 if meta["failed"] else 2 if meta["preview"].strip() else 1,
        "tool_calls": 2 if meta["calls"] > 10 else 0,
    }


def sample(folder: str, now: datetime, since: datetime | None = None, repo: str = "") -> list[dict[str, Any]]:
    """The rows of a folder, in the order of its names, which the sampler left to the file system."""
    seen: set[str] = set()
    rows = []
    for name in sorted(n for n in os.listdir(folder) if n.endswith(".jsonl")):  # noqa: PTH208
        when = dated(name)
        if since and when and when < since:
            continue
        meta = scan(os.path.join(folder, name))  # noqa: PTH118
        if repo and repo.lower() not in [r.lower() for r in meta["repos"]] and repo.lower() not in name.lower():
            continue
        rows.append({"name": name, "parts": scored(meta, now, seen), **meta})
    return rows
