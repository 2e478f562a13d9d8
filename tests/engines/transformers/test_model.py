"""A model in this process: what it is, how it is loaded, what it says of what it cannot do, and its tokens."""

from __future__ import annotations

import copy
import gc
import json
import os
import shutil
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memscope.attribution.columns import columns
from memscope.base.errors import Cancelled, EngineError, UsageError
from memscope.base.job import Job
from memscope.conversation.ablation import AGAIN, BASELINE
from memscope.conversation.model import Conversation, Message, Text, ToolCall
from memscope.conversation.render import render
from memscope.engines.protocol import CountingEngine, Engine, Failure, OnePassEngine
from memscope.engines.registry import EngineOptions, engine_spec
from memscope.engines.transformers.engine import TransformersEngine
from tests.engines.transformers.models import front, interleaved
from tests.fakes import TABS, assistant, memory, office, talk, user, without

pytestmark = pytest.mark.hf

Engines = Callable[..., TransformersEngine]
Folders = Callable[..., Path]


@pytest.fixture
def own(folder: Folders, tmp_path: Path) -> Path:
    """A copy of a model's folder, to be spoiled."""
    path = tmp_path / "model"
    shutil.copytree(folder("llama"), path)
    return path


# --- what it is ------------------------------------------------------------------------------------------------------


def test_it_is_an_engine_with_a_way_of_its_own(engine: Engines) -> None:
    model = engine()
    assert isinstance(model, Engine)
    assert isinstance(model, OnePassEngine)
    assert isinstance(model, CountingEngine)


def test_making_it_loads_no_library_and_its_identity_is_known(own: Path) -> None:
    (own / "model.safetensors").write_bytes(b"never read")
    code = """
import sys
from memscope.engines.registry import EngineOptions, engine_spec
engine = engine_spec("transformers").build(EngineOptions(model=sys.argv[1], device="cpu"))
assert engine.identity.revision and engine.identity.model == sys.argv[1], engine.identity
assert not {"torch", "transformers"} & set(sys.modules)
engine.close()
"""
    subprocess.run([sys.executable, "-c", code, str(own.resolve())], check=True)


def test_the_identity_follows_the_files(own: Path, engine: Engines) -> None:
    first = engine(own).identity
    assert engine(own).identity == first
    assert (first.name, first.model, first.url) == ("transformers", str(own.resolve()), "")

    os.utime(own / "model.safetensors", (1, 1))
    touched = engine(own).identity
    (own / "generation_config.json").unlink()

    assert len({first, touched, engine(own).identity}) == 3


def unlike(options: dict[str, str]) -> dict[str, str]:
    """What one engine's options here may have otherwise than another's: all but the versions that compute."""
    return {name: value for name, value in options.items() if name != "library"}


def test_the_identity_holds_what_changes_numbers(own: Path, engine: Engines, tmp_path: Path) -> None:
    template = tmp_path / "t.jinja"
    template.write_text("{{ messages }}")
    plain = dict(engine(own).identity.options)
    assert plain.pop("library").startswith("transformers 5.")
    assert plain == {"device": "cpu", "dtype": "float32"}  # half precision is not for a CPU, unless asked for
    assert dict(engine(own, dtype="bfloat16").identity.options)["dtype"] == "bfloat16"
    assert plain | {"device": "cuda", "dtype": "auto"} == unlike(dict(engine(own, device="cuda:1").identity.options))
    assert unlike(dict(engine(own, fold="memories").identity.options)) == plain | {"fold": "memories"}
    told = [dict(engine(own, template=name).identity.options)["template"] for name in ("chatml", str(template))]
    assert len({*told}) == 2


def test_a_hub_name_has_the_commit_that_lies_in_the_cache(
    library: Any, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    commit = "0123456789abcdef0123456789abcdef01234567"
    snapshots = tmp_path / "hub" / "models--somebody--tiny" / "snapshots"
    snapshots.mkdir(parents=True)
    own.rename(snapshots / commit)
    refs = snapshots.parent / "refs"
    refs.mkdir()
    (refs / "main").write_text(commit)

    identity = engine_spec("transformers").build(EngineOptions(model="somebody/tiny", device="cpu")).identity

    assert (identity.model, identity.revision) == ("somebody/tiny", commit)


def test_the_length_is_that_of_the_configuration(engine: Engines, folder: Folders) -> None:
    assert engine().model.longest(Job()) == 4096
    model = engine(folder("llama", max_position_embeddings=60))
    with pytest.raises(EngineError, match=r"tokens, and the model takes 60"):
        model.score(render(office()), Job())
    assert model.count(render(office()), Job()) > 60
    assert not model.forwarded


def test_half_precision_scores_about_the_same(engine: Engines) -> None:
    whole, half = (engine("llama", dtype=dtype).score(render(office()), Job()) for dtype in ("float32", "bfloat16"))
    for one, other in zip(whole, half, strict=True):
        assert one.total != other.total
        assert one.total == pytest.approx(other.total, rel=0.1)


def test_the_doctor_finds_nothing_wrong(engine: Engines) -> None:
    spec, model = engine_spec("transformers"), engine("qwen3")
    assert spec.check is not None
    checks = list(spec.check(model, Job()))
    assert len(checks) > 3
    assert not [check for check in checks if check.verdict != "pass"]


def test_what_it_generates_has_the_log_probabilities_it_scores(engine: Engines) -> None:
    for kind in ("gemma3", "tied"):
        model = engine(kind).model
        ids = engine(kind).layout(render(office()), Job()).whole
        made = model.generate(ids, 12, Job())
        whole = ids + [token for token, _ in made]
        (scored,) = model.logprobs(whole, [(len(ids), len(whole))], Job())
        assert len(made) == 12
        assert scored.logprobs == pytest.approx([value for _, value in made], abs=1e-4)


# --- templates -------------------------------------------------------------------------------------------------------


def test_tools_and_calls_are_shown_to_the_models_own_template(engine: Engines) -> None:
    model = engine()
    conversation = Conversation(
        (user("Run it."), assistant("Yes.", ToolCall("1", "run", '{"command": "ls -l"}'))),
        tools=('{"name": "run", "description": "Runs a command."}',),
    )
    text = model.model._decode(model.layout(render(conversation), Job()).whole)
    assert "Runs a command." in text
    assert '"arguments": {"command": "ls -l"}' in text  # an object, as templates expect


def test_a_template_of_ones_own_is_given_the_models_special_tokens(engine: Engines, tmp_path: Path) -> None:
    path = tmp_path / "own.jinja"
    path.write_text("{% for m in messages %}[{{ m.role }}] {{ m.content }}{{ eos_token }}{% endfor %}")
    model = engine("llama", template=str(path))
    ids = model.layout(render(talk(user("Hello."), assistant("Hi."))), Job()).whole
    assert model.model._decode(ids) == "[user] Hello.<|im_end|>[assistant] Hi."
    assert [score.count for score in model.score(render(talk(user("Hello."), assistant("Hi."))), Job())] != [0]


def test_a_template_that_refuses_fails_with_its_words(own: Path, engine: Engines) -> None:
    refusing = "{% if messages[0].role == 'system' %}{{ raise_exception('no system, please') }}{% endif %}"
    for source, said in (
        (refusing, "no system, please"),
        ("{% for %}", "the chat template refuses"),
        ("{{ messages[0].content.nothing() }}", "the chat template refuses"),
        ("{{ 1 + messages[0].content }}", "the chat template refuses"),
    ):
        (own / "chat_template.jinja").write_text(source)
        model = engine(own)
        with pytest.raises(EngineError, match=said):
            model.score(render(office()), Job())
        landed = dict(columns(model, office(), [BASELINE, without("pnpm")], Job()))
        assert all(isinstance(result, Failure) and said in result.reason for result in landed.values())


def test_a_conversation_that_is_refused_leaves_the_ablations_that_are_not(own: Path, engine: Engines) -> None:
    strict = (
        "{% for m in messages %}{% if m.role == 'system' and loop.index > 1 %}{{ raise_exception('late') }}{% endif %}"
    )
    (own / "chat_template.jinja").write_text(strict + "<|im_start|>{{ m.content }}<|im_end|>{% endfor %}")
    model, conversation = engine(own), talk(user("What?"), memory("a", TABS), user("And?"), assistant("Tabs, I think."))

    landed = dict(columns(model, conversation, [BASELINE, without("a"), AGAIN], Job()))

    right = model.score(render(conversation, without("a")), Job())
    assert isinstance(landed[BASELINE], Failure)
    assert isinstance(landed[AGAIN], Failure)
    scores = landed[without("a")]
    assert not isinstance(scores, Failure)
    assert [score.total for score in scores] == pytest.approx([score.total for score in right], abs=1e-4)


def test_a_model_without_template_asks_for_one(own: Path, engine: Engines) -> None:
    (own / "chat_template.jinja").unlink()
    with pytest.raises(UsageError, match=r"no chat template. Give .*--template") as refused:
        engine(own).score(render(office()), Job())
    assert str(own.resolve()) in str(refused.value)
    with pytest.raises(UsageError, match="no chat template"):
        list(columns(engine(own), office(), [BASELINE], Job()))
    assert engine(own, template="chatml").score(render(office()), Job())


# --- what cannot be loaded -------------------------------------------------------------------------------------------


def made(**options: Any) -> Engine:
    return engine_spec("transformers").build(EngineOptions(**{"device": "cpu"} | options))


def test_no_model_and_no_folder_are_told_before_anything_is_loaded(library: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"transformers needs a model\. Give --model FOLDER"):
        made()
    with pytest.raises(UsageError, match=r"holds no model: there is no config\.json"):
        made(model=str(tmp_path))
    with pytest.raises(UsageError, match="there is no such folder"):
        made(model=str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="neither a folder nor a hub name"):
        made(model="what is this?")
    with pytest.raises(UsageError, match="there is no chat template 'nosuch'"):
        made(model="somebody/tiny", template="nosuch")


def test_gguf_files_are_sent_to_the_engine_that_reads_them(library: Any, tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    for path in (tmp_path, tmp_path / "model.gguf"):
        with pytest.raises(UsageError, match="--engine llamacpp"):
            made(model=str(path))


Spoil = Callable[[Path], object]


def _without_a_weight(path: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(path / "model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, path / "model.safetensors", metadata={"format": "pt"})


def _other_shape(path: Path) -> None:
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(config | {"intermediate_size": 100}))


SPOILED: dict[str, tuple[Spoil, str]] = {
    "no tokenizer": (
        lambda path: [(path / name).unlink() for name in ("tokenizer.json", "tokenizer_config.json")],
        "the model's tokenizer cannot be loaded",
    ),
    "broken tokenizer": (lambda p: (p / "tokenizer.json").write_text("{"), "the model's tokenizer cannot be loaded"),
    "broken configuration": (lambda p: (p / "config.json").write_text("{not json"), "cannot be loaded"),
    "another kind of model": (lambda p: (p / "config.json").write_text('{"model_type": "nosuch"}'), "cannot be loaded"),
    "no weights": (lambda p: (p / "model.safetensors").unlink(), "the model's weights cannot be loaded"),
    "weights cut short": (
        lambda p: (p / "model.safetensors").write_bytes((p / "model.safetensors").read_bytes()[:9000]),
        "the model's weights cannot be loaded .* Is the folder complete?",
    ),
    "no weights at all": (lambda p: (p / "model.safetensors").write_bytes(b"x" * 99), "the model's weights cannot be"),
    "a weight is missing": (_without_a_weight, r"the files lack 1 of the model's weights, lm_head.weight among them"),
    "weights of another shape": (_other_shape, "the model's weights cannot be loaded"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_broken_folder_is_told_and_no_number_comes_of_it(
    name: str, own: Path, engine: Engines, capfd: pytest.CaptureFixture[str]
) -> None:
    spoil, said = SPOILED[name]
    spoil(own)
    with pytest.raises(EngineError, match=said) as refused:
        engine(own).score(render(office()), Job())
    assert refused.value.lasting
    assert str(own.resolve()) in str(refused.value)

    landed = list(columns(engine(own), office(), [BASELINE, AGAIN, without("pnpm")], Job()))

    assert len(landed) == 3
    assert len({result.reason for _, result in landed if isinstance(result, Failure)}) == 1
    assert capfd.readouterr() == ("", "")  # nothing is written into a screen


def test_a_hub_name_out_of_reach_is_told(library: Any) -> None:
    with pytest.raises(EngineError, match=r"nobody/nothing: .*cannot be loaded .*As a hub name") as refused:
        made(model="nobody/nothing").score(render(office()), Job())
    assert refused.value.lasting


@pytest.mark.parametrize(("device", "said"), [("gpu", "there is no device 'gpu'"), ("meta", ""), ("cuda:77", "")])
def test_a_device_that_is_not_there_is_told(device: str, said: str, engine: Engines) -> None:
    with pytest.raises(UsageError, match=said or f"the device '{device}' is not available here") as refused:
        engine("llama", device=device).score(render(office()), Job())
    assert "cpu, cuda" in str(refused.value)


def test_code_that_comes_with_a_model_is_not_run(own: Path, engine: Engines, tmp_path: Path) -> None:
    config = json.loads((own / "config.json").read_text())
    custom = {"model_type": "own", "auto_map": {"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.Own"}}
    (own / "config.json").write_text(json.dumps(config | custom))
    (own / "own.py").write_text(f"import pathlib\npathlib.Path({str(tmp_path / 'run')!r}).write_text('')\n")
    with pytest.raises(EngineError, match="cannot be loaded"):
        engine(own).score(render(office()), Job())
    assert not (tmp_path / "run").exists()


def test_a_tokenizer_of_another_model_is_told(folder: Folders, engine: Engines) -> None:
    with pytest.raises(EngineError, match=r"the tokenizer makes token \d+, and the model knows 100"):
        engine(folder("llama", vocab_size=100)).score(render(office()), Job())


# --- what goes wrong while it runs -----------------------------------------------------------------------------------


def test_out_of_memory_at_one_ablation_fails_that_one_alone(engine: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    model, conversation = engine("gemma3"), interleaved(3)  # whose memory of a beginning has to be copied
    copies: list[object] = []
    right = copy.deepcopy

    def full(value: Any, memo: Any = None) -> Any:
        if memo is None:  # a copy of a whole, not of its parts
            copies.append(value)
            if len(copies) == 2:
                raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory")
        return right(value, memo)

    model.score(render(conversation), Job())
    monkeypatch.setattr(copy, "deepcopy", full)
    asked = [BASELINE, without("m0"), without("m1"), without("m2")]
    landed = dict(columns(model, conversation, asked, Job()))

    failed = {ablation: result.reason for ablation, result in landed.items() if isinstance(result, Failure)}
    assert failed.keys() == {without("m1")}
    assert "out of memory. Close" in failed[without("m1")]


def test_out_of_memory_in_what_all_share_fails_those_that_have_not_landed(engine: Engines) -> None:
    model, conversation = engine("gemma3"), interleaved(3)
    weights = model.model.weights()
    right, passes = weights._forward, []

    def forward(*arguments: Any) -> Any:
        passes.append(arguments)
        if (
            len(passes) == 3
        ):  # what comes before the first memory, the rest without it, and what comes before the second
            raise MemoryError
        return right(*arguments)

    weights._forward = forward  # type: ignore[method-assign]
    landed = dict(columns(model, conversation, [BASELINE, AGAIN, *map(without, ("m0", "m1", "m2"))], Job()))

    assert [ablation for ablation, result in landed.items() if not isinstance(result, Failure)] == [without("m0")]
    assert len(landed) == 5


def test_a_baseline_that_is_too_long_leaves_the_ablations_that_fit(engine: Engines, folder: Folders) -> None:
    conversation = front(memories=3, exchanges=2)
    whole = engine().count(render(conversation), Job())
    model = engine(folder("llama", max_position_embeddings=whole - 5))

    landed = dict(columns(model, conversation, [BASELINE, without("m0"), without("m1")], Job()))

    assert isinstance(landed[BASELINE], Failure)
    assert "tokens, and the model takes" in landed[BASELINE].reason
    short = engine().score(
        render(conversation.with_messages([m for n, m in enumerate(conversation.messages) if n != 1])), Job()
    )
    scores = landed[without("m0")]
    assert not isinstance(scores, Failure)
    assert [s.total for s in scores] == pytest.approx([s.total for s in short], abs=1e-4)
    assert not isinstance(landed[without("m1")], Failure)


def test_a_closed_engine_lets_go_of_its_model_and_scores_nothing(engine: Engines) -> None:
    model = engine()
    model.score(render(office()), Job())
    weights = weakref.ref(model.model.weights()._model)

    model.close()
    gc.collect()

    assert weights() is None
    with pytest.raises(Cancelled, match="closed"):
        model.score(render(office()), Job())
    model.close()


def test_several_threads_at_a_time_get_the_same_numbers(engine: Engines) -> None:
    model, conversation = engine("gemma3"), interleaved(4)
    alone = [score.total for score in model.score(render(conversation), Job())]
    found: list[list[float]] = []

    def work(number: int) -> None:
        if number % 2:
            found.append([score.total for score in model.score(render(conversation), Job())])
        else:
            landed = dict(columns(model, conversation, [BASELINE, without("m1")], Job()))
            scores = landed[BASELINE]
            assert not isinstance(scores, Failure)
            found.append([score.total for score in scores])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 6
    for totals in found:
        assert totals == pytest.approx(alone, abs=1e-4)


# --- tokens ----------------------------------------------------------------------------------------------------------

UNICODE = "I like tabs 🤖 and naïve 日本語, 👩‍👩‍👧!\n\tDone…"


def test_tokens_stand_where_their_text_stands(engine: Engines) -> None:
    model = engine("qwen3")
    for text in (UNICODE, "pnpm", "\ufffd?", "  two  spaces  "):
        (score,) = model.score(render(talk(user("What? 🤷"), assistant(text))), Job())
        tokens = score.tokens
        assert tokens is not None
        assert score.count == len(tokens.logprobs)
        assert tokens.logprobs.sum() == pytest.approx(score.total, abs=1e-9)
        assert tokens.starts[0] == 0
        assert tokens.ends[-1] == len(text)
        assert tokens.starts[1:].tolist() == tokens.ends[:-1].tolist()


def test_the_tokens_of_a_word_are_the_tokens_of_that_word(engine: Engines, folder: Folders) -> None:
    model = engine()
    (score,) = model.score(render(talk(user("What?"), assistant(UNICODE))), Job())
    assert score.tokens is not None
    texts = [UNICODE[a:b] for a, b in zip(score.tokens.starts, score.tokens.ends, strict=True)]
    spoken = model.model._words().backend_tokenizer
    offsets = spoken.encode(UNICODE, add_special_tokens=False).offsets
    for (start, end), text in zip(offsets, texts, strict=True):
        assert text == UNICODE[start:end] or not text or not UNICODE[start:end].isascii()
    assert " tabs" in texts
    assert sum(text in {"🤖", " 🤖"} for text in texts) == 1


def test_the_heat_of_a_memory_sums_to_its_effect(engine: Engines) -> None:
    model, conversation = engine("tied"), office()
    landed = dict(columns(model, conversation, [BASELINE, without("pnpm")], Job()))
    whole, less = landed[BASELINE], landed[without("pnpm")]
    assert not isinstance(whole, Failure)
    assert not isinstance(less, Failure)
    for one, other in zip(whole, less, strict=True):
        assert one.tokens is not None
        assert other.tokens is not None
        effects = one.tokens.logprobs - other.tokens.logprobs
        assert effects.sum() == pytest.approx(one.total - other.total, abs=1e-9)
        assert np.array_equal(one.tokens.starts, other.tokens.starts)


def test_an_empty_response_costs_nothing(engine: Engines) -> None:
    scores = engine().score(
        render(talk(user("Hm."), assistant(""), user("And?"), Message("assistant", (Text("Yes."),)))), Job()
    )
    assert [score.total == 0 for score in scores] == [True, False]
