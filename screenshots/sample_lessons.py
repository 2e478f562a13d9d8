"""A made-up file of lessons: what an agent learned in some thirty episodes of three tasks."""

from __future__ import annotations

from itertools import count
from pathlib import Path

_START = 1_778_000_000.0  # seconds since the epoch
_HOUR = 3600.0

_SCORES = {
    "root-cause-analysis": (0.31, 0.42, 0.38, 0.55, 0.61, 0.58, 0.72, 0.81, 0.78, 0.88, 0.86, 0.92),
    "checkout-flow": (0.64, 0.58, 0.71, 0.47, 0.66, 0.69, 0.74, 0.90),
    "log-triage": (0.91, 0.87, 0.93, 0.36, 0.89),
}
_SUMMARIES = {
    "root-cause-analysis": (
        "Looked at auth-service first; its signing key had expired an hour before the alerts",
        "Blamed the database, whose pool was only the first to show the leak",
        "Followed one trace id from the gateway on, and found the retry storm",
    ),
    "checkout-flow": (
        "Cart total wrong after a coupon: the discount was applied before the shipping was added",
        "Rounded each line of the cart in place of the sum",
    ),
    "log-triage": (
        "Grouped 4,000 lines by their template, and named the three that began with the deploy",
        "Found the one worker whose clock was off by the order of its lines",
        "Sorted by the first time each message came up; the oldest new one was the cause",
    ),
}
_SUCCESSES = {
    "root-cause-analysis": [
        "Read the logs of the failing service before those around it",
        "Compared with the last good deploy",
    ],
    "checkout-flow": ["Wrote the failing case as a test before any change"],
    "log-triage": ["Grouped lines by template before reading any"],
}
_MISTAKES = {
    "root-cause-analysis": ["Escalated before anything was diagnosed", "Restarted the service, and lost its state"],
    "checkout-flow": ["Changed the rounding in two places at once"],
    "log-triage": ["Grouped lines by template before reading any"],
}
_CARDS = {
    "root-cause-analysis": {
        "mistake_type": "early_escalation",
        "correct_decision": "diagnose first",
        "evidence": "paged the on-call at step 2, with no log read",
        "lesson": "Name a suspect, and what speaks for it, before anybody is paged.",
    },
    "checkout-flow": {
        "mistake_type": "two_changes_at_once",
        "correct_decision": "one change, one run",
        "evidence": "both changes were in the run that failed",
        "lesson": "Change one thing, run, and only then the next.",
    },
}


def write_lessons(path: Path) -> None:
    """Writes it, as the episodes would have come."""
    from memscope.lessons import file
    from memscope.lessons.consolidation import by_scores, consolidated, is_due
    from memscope.lessons.episode import episode_of
    from memscope.lessons.model import AgentMemory
    from memscope.lessons.recording import recorded

    memory, at = AgentMemory(), count()
    rounds = max(map(len, _SCORES.values()))
    for number in range(rounds):
        for task, scores in _SCORES.items():
            if number >= len(scores):
                continue
            score = scores[number]
            episode = {
                "task_id": task,
                "score": score,
                "steps": 12 - number // 2,
                "trajectory_summary": _SUMMARIES[task][number % len(_SUMMARIES[task])],
                "successes": _SUCCESSES[task] if score >= 0.85 else [],
                "mistakes": _MISTAKES[task] if score < 0.5 else [],
                "mistake_cards": [_CARDS[task]] if score < 0.6 and task in _CARDS else [],
            }
            memory = recorded(memory, episode_of(episode), _START + next(at) * _HOUR)
            if is_due(memory):
                memory = consolidated(memory, by_scores(memory))
    file.save(path, memory)
