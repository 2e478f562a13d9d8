"""How far work is, in a line: done of total, rate, time left, and what is being done."""

from __future__ import annotations

from memscope.base.job import Progress
from memscope.base.text import clean_line


def progress_words(name: str, progress: Progress | None, seconds: float, *, found: int = 0) -> str:
    """What a status line says of work that has run for `seconds`: `12/53 scorings · 4.1/s · 0:10 left · embedded`.

    `found`: how many of what is done were on disk already, which says nothing about the rest.
    """
    if progress is None or not progress.unit:
        return clean_line(name) + " …"
    total = f"/{progress.total}" if progress.total is not None else ""
    said = [f"{progress.done}{total} {progress.unit}"]
    made = progress.done - found
    if made > 0 and seconds > 0.5:
        rate = made / seconds
        said.append(f"{rate:.0f}/s" if rate >= 10 else f"{rate:.1f}/s")
        if progress.total is not None:
            said.append(f"{clock((progress.total - progress.done) / rate)} left")
    said.append(progress.doing)
    return clean_line(" · ".join(filter(None, said)))


def clock(seconds: float) -> str:
    """0:07, 12:40, 3:05:00."""
    whole = int(seconds + 0.5)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
