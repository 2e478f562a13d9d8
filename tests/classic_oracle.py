"""Classic memory scoring in plain Python, as classic mode has to have it, flaws included.

A conversation is a list of entries, {"role", "content"} and for a memory "memory_key"; those of the role system at its
head are in front of everything that is scored. `call` takes messages and gives one log-probability for each of the
assistant's, or raises `CallFailed`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

Entry = dict[str, str]
Call = Callable[[list[Entry]], list[float]]
THRESHOLD = 0.01


class CallFailed(Exception):  # noqa: N818 - what happened
    """The server gave no scores."""


def split(messages: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    head = 0
    while head < len(messages) and messages[head]["role"] == "system":
        head += 1
    return list(messages[:head]), list(messages[head:])


def build(system: list[Entry], entries: list[Entry], chosen: range, skip: Callable[[Entry], bool]) -> list[Entry]:
    picked = [entries[i] for i in chosen if not skip(entries[i])]
    return [{"role": entry["role"], "content": entry["content"]} for entry in system + picked]


def divergence(base: list[float], without: list[float]) -> list[float]:
    """A score that is missing counts as the baseline's, one too many for nothing."""
    return [max(0.0, b - (without[i] if i < len(without) else b)) for i, b in enumerate(base)]


def adjacent_dedup(keys: Sequence[str]) -> list[str]:
    out: list[str] = []
    for key in keys:
        if not out or out[-1] != key:
            out.append(key)
    return out


def score_memories(messages: Sequence[Entry], call: Call, *, unique: bool) -> tuple[list[str], list[list[float]]]:
    """The keys of the rows, and the rows. A row that failed is zeros; a baseline that fails raises."""
    system, entries = split(messages)
    found = [entry["memory_key"] for entry in entries if "memory_key" in entry]
    keys = list(dict.fromkeys(found)) if unique else adjacent_dedup(found)
    whole = range(len(entries))
    base = call(build(system, entries, whole, lambda _: False))
    rows = []
    for key in keys:
        try:
            without = call(build(system, entries, whole, lambda entry, key=key: entry.get("memory_key") == key))  # type: ignore[misc]
        except CallFailed:
            rows.append([0.0] * len(base))
        else:
            rows.append(divergence(base, without))
    return keys, rows


def important(keys: Sequence[str], rows: Sequence[Sequence[float]], column: int) -> list[tuple[str, float]]:
    above = [(key, row[column]) for key, row in zip(keys, rows, strict=True) if row[column] > THRESHOLD]
    return sorted(above, key=lambda one: -one[1])


def end_of_window(entries: list[Entry], start: int, responses: int) -> int:
    count = 0
    for i in range(start, len(entries)):
        count += entries[i]["role"] == "assistant"
        if count >= responses:
            return i + 1
    return len(entries)


def in_window(messages: Sequence[Entry], call: Call, key: str, responses: int) -> list[float] | None:
    """The effects in a memory's window; None where there is no response in it."""
    system, entries = split(messages)
    first = next(i for i, entry in enumerate(entries) if entry.get("memory_key") == key)
    chosen = range(first, end_of_window(entries, first, responses))
    if not any(entries[i]["role"] == "assistant" for i in chosen):
        return None
    base = call(build(system, entries, chosen, lambda _: False))
    return divergence(base, call(build(system, entries, chosen, lambda entry: entry.get("memory_key") == key)))


def score_memory(messages: Sequence[Entry], call: Call, key: str, responses: int) -> float:
    return sum(in_window(messages, call, key, responses) or [])


def incremental(
    messages: Sequence[Entry],
    call: Call,
    last_scored: Mapping[str, float],
    *,
    now: float,
    max_age: float,
    responses: int,
    percent: int,
) -> list[tuple[str, float]]:
    """Keys and scores of what is due, the one scored longest ago first. Those that fail are left out."""
    _, entries = split(messages)
    seen: dict[str, int] = {}
    for place, entry in enumerate(entries):
        if "memory_key" in entry:
            seen.setdefault(entry["memory_key"], place)
    waits = [key for key in seen if now - last_scored.get(key, 0.0) >= max_age]
    waits.sort(key=lambda key: last_scored.get(key, 0.0))
    lengths = [len(entry["content"]) for entry in entries]
    limit = sum(lengths) * percent // 100
    scored = []
    for key in waits:
        if sum(lengths[: seen[key] + 1]) > limit:
            continue
        try:
            effects = in_window(messages, call, key, responses)
        except CallFailed:
            continue
        if effects is not None:
            scored.append((key, max(effects, default=0.0)))
    return scored


def score_finetune(messages: Sequence[Entry], call: Call, count: int) -> list[tuple[int, float]]:
    """(message, divergence) of the responses among the last entries, the highest first."""
    system, entries = split(messages)
    chosen = range(max(0, len(entries) - count), len(entries))
    responses = [i for i in chosen if entries[i]["role"] == "assistant"]
    if not responses:
        return []
    base = call(build(system, entries, chosen, lambda _: False))
    found = divergence(base, call(build(system, entries, chosen, lambda entry: "memory_key" in entry)))
    found += [0.0] * (len(responses) - len(found))
    pairs = [(place + len(system), found[i]) for i, place in enumerate(responses)]
    return sorted(pairs, key=lambda pair: -pair[1])
