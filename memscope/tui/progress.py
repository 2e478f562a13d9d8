"""How far work is, in a line: done of total, rate, time left, and what is being done."""

from __future__ import annotations

from memscope.base.job import Progress
from memscope.base.text import clean_line, clock


def progress_words(name: str, progress: Progress | None, seconds: float, *, found: int = 0, in_flight: int = 0) -> str:
    """What a status line says of work that has run for `seconds`: `12/53 scorings · 4.1/s · 0:10 left · 4 in flight ·
    vllm`.

    `found`: how many of what is done were on disk already, which says nothing about the rest. `in_flight`: requests
    that a server is at.
    """
    if progress is None or not progress.unit:
        return clean_line(progress.doing if progress is not None and progress.doing else name) + " …"
    total = f"/{progress.total:,}" if progress.total is not None else ""
    said = [f"{progress.done:,}{total} {progress.unit}"]
    made = progress.done - found
    if made > 0 and seconds > 0.5:
        rate = made / seconds
        said.append(f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s")
        if progress.total is not None:
            said.append(f"{clock((progress.total - progress.done) / rate)} left")
    if in_flight > 0:
        said.append(f"{in_flight} in flight")
    said.append(progress.doing)
    return clean_line(" · ".join(filter(None, said)))
