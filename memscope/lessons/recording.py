"""An episode that is over, put into the memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from memscope.lessons.cards import merged, merged_classic
from memscope.lessons.model import AgentMemory, Episode, LoggedEpisode
from memscope.lessons.rules import taught, with_new


def recorded(memory: AgentMemory, episode: Episode, at: float, *, classic: bool = False) -> AgentMemory:
    """The memory with the episode recorded, which ended `at`, in seconds since the epoch.

    `classic`: cards are merged as classic mode has it, and what is blank makes a rule. An episode is read strictly in
    both modes, where classic memory takes any: a score out of 0 to 1 or as a text, any steps, null for a task or a
    mistake. Of a card, too, some is told apart as in the other mode: 3 and "3" are one worker or decision, 0 and null
    are two, and evidence and lessons that are blank, or no texts, are as they are there.
    """
    if not classic:
        episode = replace(episode, mistakes=_with_words(episode.mistakes), successes=_with_words(episode.successes))
    task = episode.task_id
    total = memory.total_episodes + 1
    logged = LoggedEpisode(
        timestamp=datetime.fromtimestamp(at, UTC).isoformat(),
        task_id=task,
        score=episode.score,
        steps=episode.steps,
        summary=episode.trajectory_summary,
    )
    return replace(
        memory,
        total_episodes=total,
        task_rules={**memory.task_rules, task: taught(memory.task_rules.get(task, ()), episode)},
        episode_log=(*memory.episode_log, logged),
        score_history={**memory.score_history, task: (*memory.score_history.get(task, ()), episode.score)},
        mistakes=with_new(memory.mistakes, filter(None, episode.mistakes)),
        mistake_cards=(merged_classic if classic else merged)(memory.mistake_cards, episode.mistake_cards, total),
        successes=with_new(memory.successes, filter(None, episode.successes)),
    )


def _with_words(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text for text in texts if text.strip())
