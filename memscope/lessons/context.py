"""What an agent is told of past episodes at the beginning of the next one, within a budget of tokens.

A block holds what is worth most for the task: where not all of it fits, lines go from the least important on. What is
then left of the budget goes to lines that are short enough, the most important of them first; so one that would never
fit takes no room from the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum, auto
from typing import NamedTuple, TypeVar

from memscope.lessons.block import CHARACTERS, HEADING, Section, as_shown, by_seen, heading, mean_line, text_of, tokens
from memscope.lessons.classic_context import classic_text
from memscope.lessons.model import AVOID, AgentMemory, LoggedEpisode, MistakeCard
from memscope.lessons.words import lines_of, one_line

BUDGET = 200  # tokens
MISTAKES = CARDS = 3  # at most
SUMMARY = 100  # characters of an episode's

_T = TypeVar("_T")


class Cut(NamedTuple):
    """A line that had no room. `section`: its name, a `block.Section`; `line`: its words, without the bullet."""

    section: str
    line: str


@dataclass(frozen=True, slots=True)
class Context:
    """The block, "" where there is nothing to say. `budget`: in tokens, None for none; `cut`: what had no room in it,
    in the order in which it would stand there."""

    text: str
    tokens: int
    budget: int | None
    cut: tuple[Cut, ...]


class Worth(IntEnum):
    """What goes first where the budget is short. Of one worth the oldest goes first; of cards, the least seen."""

    TOLD_MISTAKE = auto()  # the same words stand there as a rule of the task
    EPISODE = auto()
    MEAN = auto()
    OTHER_MISTAKE = auto()
    OTHER_CARD = auto()
    GENERAL_RULE = auto()
    CARD_OF_TASK = auto()
    MISTAKE_OF_TASK = auto()
    RULE_OF_TASK = auto()


def context(
    memory: AgentMemory,
    task: str | None,
    budget: int | None = BUDGET,
    *,
    max_rules: int = 5,
    max_recent: int = 3,
    classic: bool = False,
) -> Context:
    """The block for an episode of `task`, None for one of no task that is known.

    `budget`: in tokens of four characters, never passed; None for no limit. `max_rules` of the task, and as many
    general ones, and `max_recent` episodes are candidates at most. `classic`: as classic memory has it, which knows no
    budget.
    """
    if classic:
        text = classic_text(memory, task, max_rules, max_recent)
        return Context(text, tokens(text), None, ())
    name = one_line(task or "")
    candidates = list(_candidates(memory, task or "", max_rules, max_recent))
    fits = set(range(len(candidates))) if budget is None else _fitting(candidates, name, budget * CHARACTERS)
    text = text_of(((line.section, line.words) for place, line in enumerate(candidates) if place in fits), name)
    cut = tuple(Cut(line.section.value, line.words) for place, line in enumerate(candidates) if place not in fits)
    return Context(text, tokens(text), budget, cut)


class _Line(NamedTuple):
    """A candidate. `rank`: among those of its worth, 0 for the one that goes last."""

    section: Section
    words: str
    worth: Worth
    rank: int


def _candidates(memory: AgentMemory, task: str, max_rules: int, max_recent: int) -> Iterator[_Line]:
    """All that would be said without a budget, in the order of the block."""
    rules = lines_of(memory.task_rules.get(task, ())) if task else ()
    yield from _newest_last(Section.RULES, _last(rules, max_rules), Worth.RULE_OF_TASK)
    yield from _newest_last(Section.GENERAL, _last(lines_of(memory.global_rules), max_rules), Worth.GENERAL_RULE)
    yield from _mistakes(lines_of(memory.mistakes), set(rules))
    yield from _cards(memory.mistake_cards, task)
    if not task:
        return
    recent = _last([episode for episode in memory.episode_log if episode.task_id == task], max_recent)
    yield from _newest_last(Section.EPISODES, [*map(_episode, recent)], Worth.EPISODE)
    if scores := memory.score_history.get(task, ()):
        yield _Line(Section.MEAN, mean_line(one_line(task), scores), Worth.MEAN, 0)


def _newest_last(section: Section, lines: Sequence[str], worth: Worth) -> Iterator[_Line]:
    for age, words in zip(reversed(range(len(lines))), lines, strict=True):
        yield _Line(section, words, worth, age)


def _mistakes(mistakes: Sequence[str], rules: set[str]) -> Iterator[_Line]:
    """Those that a rule of the task says to avoid, then the others, the newest first."""
    newest = mistakes[::-1]
    of_task = [mistake for mistake in newest if AVOID + mistake in rules]
    others = [mistake for mistake in newest if AVOID + mistake not in rules]
    for rank, mistake in enumerate([*of_task, *others][:MISTAKES]):
        worth = Worth.MISTAKE_OF_TASK if rank < len(of_task) else Worth.OTHER_MISTAKE
        yield _Line(Section.MISTAKES, f"AVOID: {mistake}", worth, rank)


def _cards(cards: Iterable[MistakeCard], task: str) -> Iterator[_Line]:
    """Those of the task, then the others, those seen most first."""
    ordered = sorted(by_seen(cards), key=lambda card: card.task_id != task)
    for rank, card in enumerate(ordered[:CARDS]):
        worth = Worth.CARD_OF_TASK if card.task_id == task else Worth.OTHER_CARD
        label = f"[{one_line(card.mistake_type) or 'mistake'}, seen {card.seen_count}x]"
        evidence = one_line(card.evidence)
        said = [label, one_line(card.lesson), f"Evidence: {evidence}" if evidence else ""]
        yield _Line(Section.CARDS, " ".join(filter(None, said)), worth, rank)


def _episode(episode: LoggedEpisode) -> str:
    told = f"Score {episode.score:.2f} in {episode.steps} steps"
    summary = one_line(episode.summary)[:SUMMARY]
    return f"{told}: {summary}" if summary else told


def _last(items: Sequence[_T], most: int) -> Sequence[_T]:
    return items[-most:] if most > 0 else ()


def _fitting(candidates: Sequence[_Line], task: str, characters: int) -> set[int]:
    """The places of the lines that fit into so many characters."""
    by_worth: dict[Worth, list[tuple[int, _Line]]] = {worth: [] for worth in reversed(Worth)}
    for place, line in sorted(enumerate(candidates), key=lambda placed: placed[1].rank):
        by_worth[line.worth].append((place, line))
    room = characters - len(HEADING)
    fits: set[int] = set()
    headed: set[Section] = set()
    rules: set[str] = set()  # of the task, that stand in the block
    for worth, lines in by_worth.items():
        for place, line in lines:
            if worth is Worth.MISTAKE_OF_TASK and line.words.replace("AVOID: ", AVOID, 1) in rules:
                by_worth[Worth.TOLD_MISTAKE].append((place, line))
                continue
            title = "" if line.section in headed else heading(line.section, task)
            needed = len(as_shown(line.section, line.words)) + 1 + (len(title) + 1 if title else 0)
            if needed > room:
                continue
            room -= needed
            fits.add(place)
            headed.add(line.section)
            if worth is Worth.RULE_OF_TASK:
                rules.add(line.words)
    return fits
