"""Classic recording on plain dictionaries, as classic mode has to have it, flaws included."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Memory = dict[str, Any]


def fresh() -> Memory:
    return {
        "version": 1,
        "total_episodes": 0,
        "last_consolidated_at": None,
        "global_rules": [],
        "task_rules": {},
        "episode_log": [],
        "score_history": {},
        "mistakes": [],
        "mistake_cards": [],
        "successes": [],
    }


def save(memory: Memory, path: Path) -> None:
    memory["episode_log"] = memory["episode_log"][-100:]
    with path.open("w") as file:
        json.dump(memory, file, indent=2)


def record(memory: Memory, episode: Mapping[str, Any], at: float) -> None:
    task = episode.get("task_id", "unknown")
    score = float(episode.get("score", 0.0))
    memory["score_history"].setdefault(task, []).append(score)
    memory["episode_log"].append(
        {
            "timestamp": datetime.fromtimestamp(at, UTC).isoformat(),
            "task_id": task,
            "score": score,
            "steps": episode.get("steps", 0),
            "summary": episode.get("trajectory_summary", ""),
        }
    )
    memory["total_episodes"] = memory.get("total_episodes", 0) + 1
    memory.setdefault("mistake_cards", [])
    for name in ("mistakes", "successes"):
        for text in episode.get(name, []):
            if text and text not in memory[name]:
                memory[name].append(text)
    for card in episode.get("mistake_cards", []):
        _merge(memory, card, task)
    rules = memory["task_rules"].setdefault(task, [])
    if score >= 0.85:
        _add_rules(rules, "[WORKS]", episode.get("successes", []))
    if score < 0.50:
        _add_rules(rules, "[AVOID]", episode.get("mistakes", []))
    memory["task_rules"][task] = rules[-10:]


def _add_rules(rules: list[str], label: str, texts: list[str]) -> None:
    for text in texts:
        if f"{label} {text}" not in rules:
            rules.append(f"{label} {text}")


def _merge(memory: Memory, card: Any, task: str) -> None:
    if not isinstance(card, dict):
        return
    new = {
        "mistake_type": str(card.get("mistake_type") or "unknown_mistake"),
        "task_id": str(card.get("task_id") or task),
        "worker_id": card.get("worker_id"),
        "bad_decision": card.get("bad_decision"),
        "correct_decision": card.get("correct_decision"),
        "evidence": str(card.get("evidence") or "")[:300],
        "lesson": str(card.get("lesson") or "Avoid repeating this failure.")[:300],
    }
    now = int(memory.get("total_episodes", 0) or 0)
    cards = memory["mistake_cards"]
    for old in cards:
        if _key(old) == _key(new):
            old["seen_count"] = int(old.get("seen_count", 1)) + 1
            old["last_seen_episode"] = now
            old["evidence"] = new["evidence"] or old.get("evidence", "")
            old["lesson"] = new["lesson"] or old.get("lesson", "")
            return
    cards.append({**new, "seen_count": 1, "first_seen_episode": now, "last_seen_episode": now})
    cards.sort(key=lambda one: (int(one.get("seen_count", 0)), int(one.get("last_seen_episode", 0))), reverse=True)
    del cards[30:]


def _key(card: Mapping[str, Any]) -> tuple[Any, ...]:
    worker, decision = card.get("worker_id") or "", card.get("correct_decision") or ""
    return card.get("mistake_type"), card.get("task_id"), worker, decision
