"""Classic memory on the document of its file: the block for the next episode, consolidation, and the summary.

As classic mode has to have it, flaws included. Nothing here reads a file or calls a model.
"""

from __future__ import annotations

import json
from typing import Any

Document = dict[str, Any]
EVERY = 20


def ranked(memory: Document) -> list[Document]:
    return sorted(
        memory.get("mistake_cards", []),
        key=lambda card: (int(card.get("seen_count", 0)), int(card.get("last_seen_episode", 0))),
        reverse=True,
    )


def block(memory: Document, task: str | None = None, max_rules: int = 5, max_recent: int = 3) -> str:
    lines = ["## MEMORY FROM PAST EPISODES"]

    def section(heading: str, said: list[str]) -> None:
        if said:
            lines.extend([f"\n{heading}", *(f"  - {line}" for line in said)])

    if task and task in memory.get("task_rules", {}):
        section(f"Rules for {task}:", memory["task_rules"][task][-max_rules:])
    section("General rules (all tasks):", memory.get("global_rules", [])[-max_rules:])
    section("Mistakes to avoid:", [f"AVOID: {mistake}" for mistake in memory.get("mistakes", [])[-3:]])
    section("Structured mistake cards:", [card_line(card) for card in ranked(memory)[:3]])
    if task:
        recent = [episode for episode in memory.get("episode_log", []) if episode.get("task_id") == task]
        section(
            f"Recent {task} episodes:",
            [f"Score {e['score']:.2f} in {e['steps']} steps: {e['summary'][:100]}" for e in recent[-max_recent:]],
        )
        scores = memory.get("score_history", {}).get(task)
        if scores:
            mean = sum(scores) / len(scores)
            lines.append(f"\nYour mean score on {task}: {mean:.2f} (over {len(scores)} episodes)")
    return "\n".join(lines) if len(lines) > 1 else ""


def card_line(card: Document) -> str:
    label, seen = card.get("mistake_type", "mistake"), int(card.get("seen_count", 1))
    return f"[{label}, seen {seen}x] {card.get('lesson', '')} Evidence: {card.get('evidence', '')}"


def prompt(memory: Document) -> str:
    outcomes = "\n".join(
        f"task={episode['task_id']} score={episode['score']:.2f}: {episode['summary']}"
        for episode in memory.get("episode_log", [])[-30:]
    )
    return f"""You are analyzing an AI agent's performance across multiple episodes.
Here are recent episode outcomes:

{outcomes}

Extract 5 concise, actionable rules the agent should follow in future episodes.
Each rule should be 1 sentence. Focus on what WORKS and what to AVOID.

Return ONLY a JSON array of strings:
["Rule 1...", "Rule 2...", ...]
"""


def is_due(memory: Document) -> bool:
    total = memory.get("total_episodes", 0)
    last = memory.get("last_consolidated_at") or 0
    return bool(total - (0 if isinstance(last, str) else last) >= EVERY)


def consolidate(memory: Document, reply: str | None) -> Document:
    """Changes `memory`, where it is due. `reply`: of the model, None where there is none or it failed."""
    if not is_due(memory):
        return memory
    try:
        if reply is None:
            raise ValueError("no model")
        start, end = reply.find("["), reply.rfind("]") + 1
        if start != -1 and end > 0:
            merge(memory, [f"[CONSOLIDATED] {rule}" for rule in json.loads(reply[start:end])])
    except (ValueError, RecursionError):
        merge(memory, by_scores(memory))
    memory["last_consolidated_at"] = memory.get("total_episodes", 0)
    return memory


def by_scores(memory: Document) -> list[str]:
    good = [e for e in memory.get("episode_log", []) if e.get("score", 0.0) >= 0.85 and e.get("summary")]
    return [f"[HIGH SCORE {e['score']:.2f}] {e['summary'][:120]}" for e in good]


def merge(memory: Document, rules: list[str]) -> None:
    memory["global_rules"] = list(dict.fromkeys(memory.get("global_rules", []) + rules))[-20:]


def summary(memory: Document) -> Document:
    return {
        "total_episodes": memory.get("total_episodes", 0),
        "global_rules": len(memory.get("global_rules", [])),
        "task_rules": {task: len(rules) for task, rules in memory.get("task_rules", {}).items()},
        "mistakes_stored": len(memory.get("mistakes", [])),
        "mistake_cards_stored": len(memory.get("mistake_cards", [])),
        "top_mistake_cards": [
            {
                "mistake_type": card.get("mistake_type"),
                "task_id": card.get("task_id"),
                "seen_count": card.get("seen_count", 0),
            }
            for card in ranked(memory)[:5]
        ],
        "scores_by_task": {
            task: round(sum(scores) / len(scores), 3)
            for task, scores in memory.get("score_history", {}).items()
            if scores
        },
    }
