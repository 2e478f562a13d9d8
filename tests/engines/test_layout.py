"""Laying prompts out: an ablation costs one layout and gives what a fresh look gives; what does not compare says so."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscope.attribution.columns import columns
from memscope.attribution.matrix import NOT_VISIBLE, RETOKENISED, Matrix, MatrixRun, State
from memscope.base.errors import EngineError
from memscope.base.job import Job
from memscope.conversation.ablation import BASELINE, Ablation
from memscope.conversation.model import Conversation, Memory, Message, Text, ToolCall
from memscope.conversation.render import Renderer, render
from memscope.engines.chat import Chat
from memscope.engines.layout import Layout, Layouts
from memscope.engines.protocol import Engine
from memscope.engines.registry import EngineOptions, engine_spec
from memscope.engines.stored import stored
from memscope.engines.templates import Template
from memscope.engines.token_engine import NOT_SHOWN
from memscope.store.database import Database
from memscope.store.scores import ScoreStore
from tests.engines.laying import TEMPLATES
from tests.engines.token_server import NAME, Formula, TokenServer
from tests.fakes import assistant, memory, office, talk, user

Serve = Callable[..., TokenServer]
JOB = Job()
MODEL = Formula()
OK, FAILED, BEFORE = State.OK, State.FAILED, State.BEFORE


class Counting:
    """Lays out with a template, as text or as token ids, and counts how often."""

    def __init__(self, template: Template, *, tokens: bool = False) -> None:
        self.calls = 0
        self._template = template
        self._tokens = tokens
        self._lock = threading.Lock()

    def __call__(self, said: Chat, _: Job) -> Any:
        with self._lock:
            self.calls += 1
        text = self._template.render(said)
        return MODEL.encode(text) if self._tokens else text


# --- ablations -------------------------------------------------------------------------------------------------------

words = st.one_of(st.text(max_size=8), st.sampled_from(["Tea.", "Tea.", "<think>\nhm\n</think>\n\nTea.", " x ", "\n"]))
dialogues = st.lists(
    st.one_of(
        words.map(user),
        words.map(assistant),
        st.builds(lambda text: assistant(text, ToolCall("c", "run", '{"a": 1}')), words),
        st.builds(memory, st.sampled_from(["a", "b", "c"]), words),
        st.builds(lambda key, text: Message("user", (Text("Know:"), Memory(key, text))), st.sampled_from("abc"), words),
    ),
    max_size=8,
).map(lambda messages: talk(user("Hi."), *messages, assistant("Tea.")))


@pytest.mark.parametrize("tokens", [False, True], ids=["text", "tokens"])
@pytest.mark.parametrize("name", ["chatml", "llama3", "thinking", "drops-system", "own-calls"])
@settings(max_examples=30)
@given(dialogues, st.randoms())
def test_an_ablation_is_laid_out_as_a_fresh_look_lays_it_out(
    name: str, tokens: bool, conversation: Conversation, order: random.Random
) -> None:
    """Whichever prompt comes first."""
    renderer = Renderer(conversation)
    plan = list(MatrixRun(conversation).plan) or [BASELINE]
    order.shuffle(plan)
    together: Layouts[Any] = Layouts(Counting(TEMPLATES[name], tokens=tokens))

    for ablation in plan:
        prompt = renderer.prompt(ablation)
        fresh: Layout[Any] = Layouts[Any](Counting(TEMPLATES[name], tokens=tokens)).of(prompt, JOB)
        assert together.of(prompt, JOB) == fresh


@pytest.mark.parametrize("tokens", [False, True], ids=["text", "tokens"])
@pytest.mark.parametrize("name", ["chatml", "llama3", "own-calls"])
def test_the_first_layout_costs_two_more_for_each_response_and_an_ablation_one(name: str, tokens: bool) -> None:
    conversation = talk(
        memory("a", "Tea is green."),
        user("Tea?"),
        assistant("Green."),
        Message("user", (Text("Hot?"), Memory("b", "Tea is hot."))),
        assistant("Yes."),
        memory("c", "Tea is dear."),
        user("Dear?"),
        assistant("Very."),
    )
    lay = Counting(TEMPLATES[name], tokens=tokens)
    layouts: Layouts[Any] = Layouts(lay)

    layouts.of(render(conversation), JOB)
    assert lay.calls == 1 + 2 * 3
    for key in "abc":
        lay.calls = 0
        layouts.of(render(conversation, Ablation.of(key)), JOB)
        assert lay.calls == 1


def test_a_memory_that_stands_in_two_places_costs_what_stands_between_them() -> None:
    conversation = talk(
        memory("a", "Tea."), user("1"), assistant("One."), memory("a", "Tea."), user("2"), assistant("Two.")
    )
    lay = Counting(TEMPLATES["chatml"])
    layouts: Layouts[str] = Layouts(lay)
    layouts.of(render(conversation), JOB)
    lay.calls = 0

    layouts.of(render(conversation, Ablation.of("a")), JOB)

    assert lay.calls == 1 + 2


def test_threads_that_come_first_look_once_together() -> None:
    conversation = office()
    lay = Counting(TEMPLATES["chatml"])
    layouts: Layouts[str] = Layouts(lay)
    found: list[Layout[str]] = []
    threads = [threading.Thread(target=lambda: found.append(layouts.of(render(conversation), JOB))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert lay.calls == 8 + 2 * 3
    assert all(laid == found[0] for laid in found)


def test_a_failure_of_the_first_is_not_remembered() -> None:
    failing = [True]

    def lay(said: Chat, _: Job) -> str:
        if failing[0]:
            raise EngineError("not now")
        return TEMPLATES["chatml"].render(said)

    layouts: Layouts[str] = Layouts(lay)
    with pytest.raises(EngineError, match="not now"):
        layouts.of(render(office()), JOB)
    failing[0] = False
    assert len(layouts.of(render(office()), JOB).spans) == 3


# --- what does not compare -------------------------------------------------------------------------------------------


def bare(messages: Sequence[Mapping[str, Any]], _: Sequence[Mapping[str, Any]]) -> str:
    """A template without marks between messages: what is said runs into what is said next."""
    return "".join(message["content"] + "\n" for message in messages)


def deaf_to_late_systems(messages: Sequence[Mapping[str, Any]], _: Sequence[Mapping[str, Any]]) -> str:
    """A template that drops system messages behind the head without a word."""
    shown = [m for at, m in enumerate(messages) if at == 0 or m["role"] != "system"]
    return "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in shown)


def matrix_of(engine: Engine, conversation: Conversation) -> Matrix:
    run = MatrixRun(conversation)
    for ablation, result in columns(engine, conversation, run.plan, Job()):
        run.land(ablation, result)
    return run.snapshot()


def engine_at(server: TokenServer, name: str = "vllm") -> Engine:
    return engine_spec(name).build(EngineOptions(base_url=server.url, model=NAME))


RUNNING_INTO = talk(
    user("Tea or coffee?"),
    memory("m", "She likes tea.\n\n"),
    assistant("\nTea."),
    user("Hot?"),
    assistant("Yes, hot."),
)
DROPPED = talk(
    user("Tea or coffee?"),
    memory("m", "She likes tea."),
    assistant("Tea."),
    Message("user", (Text("Hot?"), Memory("m", "She likes tea."))),
    assistant("Yes, hot."),
)


@pytest.mark.parametrize(
    ("conversation", "render_", "why"),
    [(RUNNING_INTO, bare, RETOKENISED), (DROPPED, deaf_to_late_systems, NOT_VISIBLE)],
    ids=["retokenised", "not visible"],
)
def test_a_cell_fails_in_those_words_alone_and_from_the_store_too(
    conversation: Conversation, render_: Callable[..., str], why: str, token_server: Serve, tmp_path: Path
) -> None:
    server = token_server("vllm", render=render_)
    database = Database(tmp_path / "kept")
    first = stored(engine_at(server), ScoreStore(database))
    whole = matrix_of(first, conversation)
    server.die()
    again = stored(engine_at(server), ScoreStore(database))  # a new process, and the server is gone
    resumed = matrix_of(again, conversation)
    for engine in (first, again):
        engine.close()
    database.close()

    for matrix in (whole, resumed):
        assert matrix.state.tolist() == [[FAILED, OK]]
        assert matrix.error(0, 0) == why
        assert matrix.cell_errors == {(0, 0): why}
        assert not matrix.errors
    assert why.startswith(("retokenised", "memory not visible to this template"))
    assert resumed.effects.tolist()[0][1] == whole.effects.tolist()[0][1] != 0


def test_a_response_that_a_template_shows_nothing_of_fails_alone(token_server: Serve) -> None:
    """One that calls a tool, with a template that drops calls."""
    conversation = talk(
        memory("m", "Tea."), user("Look."), assistant("", ToolCall("1", "look", "{}")), user("So?"), assistant("Tea.")
    )
    engine = engine_at(token_server("vllm", render=bare))

    matrix = matrix_of(engine, conversation)
    engine.close()

    assert matrix.state.tolist() == [[FAILED, OK]]
    assert matrix.error(0, 0) == NOT_SHOWN
