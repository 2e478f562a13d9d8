"""What is told of one memory: its numbers, what a person said of it, what is due, its texts, and whom it worked
against.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memscope.actions.memory_decisions import SAID_NOTHING, Said, Step, Undone
from memscope.base.clock import time_words
from memscope.base.text import counted
from memscope.reports.failures import RowFailure
from memscope.reports.incremental import Standing
from memscope.reports.memories import MemoryReader
from memscope.reports.memory import EffectAt, MemoryDetail
from memscope.reports.view import nats, show, signed
from memscope.tui.colours import Signs
from memscope.tui.panes.memories.deciding import named
from memscope.tui.widgets.bars import Bar, bar, spark
from memscope.tui.widgets.paragraphs import Paragraph

_PLACES = 6  # occurrences that are named
_SHARED = 8  # words
_STEPS = 8  # decisions that are told, the latest
_WIDE = 24  # cells of a bar and of a history
_UNBROKEN = "\u00a0"  # between a name and its number, which stay on one line
_SAID = {
    "prune": "to be pruned",
    "keep": "kept",
    "pin": "pinned",
    "harmful": "called harmful",
    "clear": "nothing any more",
}


HELP = (
    "Every memory of the conversation, with its effects added up, in nats: total (the positive ones), net (all), "
    "max (the strongest), responses (effects above the response's cutoff), against (the negative ones). For the "
    "memory under the cursor: each of its texts, where it stands, what recognised it, its effect on every "
    "response, and memories that say nearly the same. Leaving one of those out at a time shows too little, for "
    "the other still tells it.\n\n"
    "d, K, P and H decide that a memory is to be pruned, kept or pinned, or that it is harmful; the same key again "
    "takes that back, u undoes step by step, and w writes a note. Space marks several, which are one step. A "
    "decision holds for the memory's key and text in every conversation. Nothing is called harmful until you say so: "
    "of a response that a memory worked against, either the memory misled, or the response disobeyed it. D shows "
    "what is to be pruned as a diff of the memory files; no file is changed.\n\n"
    "i scores the memories that are due and brings their weights up to date: the largest effect in the responses "
    "after a memory, and how it was before. o toggles a memory off and O shows what would be without those that are "
    "off. V finds what each memory is to each response, and p the memories that stand in for each other. A shows the "
    "memories across all conversations.\n\n"
    "Tab goes from the table to the text, the effects and the near duplicates. Enter leads from the table to the "
    "response where the memory mattered most, from an effect to its response, from a duplicate to that memory.\n\n"
    "Rows stay where they are while numbers land; they are sorted again when the run ends, and by s."
)


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known of a memory beside its effects: what a person said of it, how it stands for incremental scoring,
    how long the bar of its weight is (0 to 1), its verdicts in words, whether it is toggled off for a what-if, and what
    any text moves under the engine (`blur`, in nats)."""

    said: Said = SAID_NOTHING
    standing: Standing | None = None
    share: float | None = None
    verdict: str = ""
    off: bool = False
    blur: float = 0.0


def told(reader: MemoryReader, detail: MemoryDetail, beside: Beside, *, plain: bool) -> list[Paragraph]:
    """What is read of a memory."""
    return [
        *_numbers(reader, detail, beside),
        *_decided(beside.said),
        *_question(detail, beside),
        *_texts(reader, detail),
        *_weighed(beside, plain=plain),
        *_at_odds(reader, detail, beside),
        *_near(detail),
    ]


def decided_words(keys: Sequence[str], verdict: str, *, taken_back: bool) -> str:
    """What was decided just now."""
    return f"{'no longer ' if taken_back else ''}{_SAID[verdict]}: {named(keys)}; u takes it back"


def undone_words(found: Sequence[Undone]) -> str:
    """What was undone just now."""
    if not found:
        return "there is nothing to undo here"
    keys = list(dict.fromkeys(one.key for one in found))
    verdicts = dict.fromkeys("a note" if one.verdict == "note" else _SAID.get(one.verdict, "") for one in found)
    return f"undone: {', '.join(verdicts)}: {named(keys)}"


def _numbers(reader: MemoryReader, detail: MemoryDetail, beside: Beside) -> list[Paragraph]:
    row = detail.row
    places = ", ".join(f"#{message}" for message in dict.fromkeys(row.occurrences[:_PLACES]))
    more = len(row.occurrences) - _PLACES
    columns = [column for column in reader.columns(()) if column.numeric and column.title != "first"]
    numbers = [_UNBROKEN.join([*column.title.split(), column.text(row)]) for column in columns]
    if row.tokens is not None:
        numbers.append(f"tokens{_UNBROKEN}{row.tokens}")
    found = [
        Paragraph(detail.key, "title"),
        Paragraph(f"found by {', '.join(row.rules)} in {places}{f' and {more} more' if more > 0 else ''}", "note"),
        Paragraph(" · ".join(numbers), "note"),
    ]
    if beside.off:
        found.append(Paragraph("toggled off: O shows what would be without it", "note"))
    if beside.verdict:
        found.append(Paragraph(f"in all: {beside.verdict}", "note"))
    if reader.matrix.reason is not None:
        found.append(Paragraph(reader.matrix.reason, "warning"))
    elif (failure := reader.failure(detail.key)) is not None:
        found.append(Paragraph(_failed(failure), "warning"))
    return found


def _decided(said: Said) -> list[Paragraph]:
    """What a person said, the latest last."""
    if not said.steps:
        return []
    found = [Paragraph(f"you noted: {said.note}")] if said.note else []
    left_out = len(said.steps) - _STEPS
    steps = [_step(step) for step in said.steps[-_STEPS:]]
    words = "; ".join([*([f"{counted(left_out, 'decision')} before"] if left_out > 0 else []), *steps])
    return [*found, Paragraph(f"decided: {words}", "note")]


def _step(step: Step) -> str:
    return f"{time_words(step.at)} {'a note' if step.verdict == 'note' else _SAID.get(step.verdict, step.verdict)}"


def _question(detail: MemoryDetail, beside: Beside) -> list[Paragraph]:
    """That the memory worked against a response, and which of the two is right: only a person can tell."""
    hurt, said = detail.against(beside.blur), beside.said
    if hurt is None or hurt.effect is None:
        return []
    against = f"It worked against #{hurt.message} ({signed(hurt.effect)} nats)"
    if said.verdict in ("harmful", "keep"):
        words = "it misled" if said.verdict == "harmful" else "the response disobeyed it"
        return [Paragraph(f"{against}; you say: {words}.", "note")]
    ask = "Did the memory mislead (H), or did the response disobey it (K)?"
    return [Paragraph(f"{against}. {ask}", "note")]


def _at_odds(reader: MemoryReader, detail: MemoryDetail, beside: Beside) -> list[Paragraph]:
    """The memory as the response that it worked against most had it, and that response."""
    hurt = detail.against(beside.blur)
    if hurt is None:
        return []
    return [
        Paragraph(f"\nthe memory, and #{hurt.message} that it worked against", "title"),
        Paragraph(f"memory: {reader.conversation.memory_text(detail.key, before=hurt.message).strip()}"),
        Paragraph(f"#{hurt.message}: {reader.response(hurt.message).strip()}"),
    ]


def _texts(reader: MemoryReader, detail: MemoryDetail) -> list[Paragraph]:
    found, versions = [], reader.versions(detail.key)
    for number, version in enumerate(versions, 1):
        several = f"\ntext {number} of {len(versions)}, from #{version.message} on"
        found.append(Paragraph(several, "note") if len(versions) > 1 else Paragraph(""))
        found.append(Paragraph(version.text))
    return found


def _weighed(beside: Beside, *, plain: bool) -> list[Paragraph]:
    """The weight beside the largest one, the scores it comes from, and whether it is due."""
    standing = beside.standing
    if standing is None:
        return []
    if standing.weight is None or standing.last_scored is None:
        return [Paragraph(f"\nweight: {standing.words}; i scores what is due", "note")]
    filled = bar(beside.share or 0.0, 1.0, _WIDE, plain=plain).rstrip()
    scores: Sequence[float | None] = [one.score for one in standing.history][-_WIDE:]
    when = f"{counted(len(standing.history), 'time')}, last {time_words(standing.last_scored)}"
    return [
        Paragraph(f"\nweight {nats(standing.weight)} nats {filled}", "note"),
        Paragraph(f"scores {spark(scores, _WIDE, plain=plain)} last {nats(standing.history[-1].score)} nats", "note"),
        Paragraph(f"scored {when}; {standing.words}", "note"),
    ]


def _near(detail: MemoryDetail) -> list[Paragraph]:
    found = []
    for near in detail.near:
        words = ", ".join(near.shared[:_SHARED]) + ("…" if len(near.shared) > _SHARED else "")
        said = f"\n{near.part:.0%} of its words, or of the other's, are in {near.key} too: {words}"
        found.append(Paragraph(said, "note"))
    return found


def _failed(failure: RowFailure) -> str:
    if failure.again:
        return f"could not be scored: {failure.error} (R tries again)"
    return f"{counted(failure.cells, 'effect')} could not be measured: {failure.error}. {failure.do}".rstrip()


def effect_bar(reader: MemoryReader, found: EffectAt, signs: Signs) -> Bar:
    """The effect on a response as a bar."""
    label = f"#{found.message} {reader.opening(found.message)}"
    words = {"pending": signs.pending, "failed": signs.failed}.get(found.state) or show(found.effect)
    return Bar(label, found.effect, words, key=found.message, dim=not found.counts)
