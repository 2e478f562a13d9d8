"""GGUF files in this process: the numbers, what is not computed again, and what cannot be loaded.

Most of it needs the extra `llamacpp` and the package gguf, which writes tiny models of random weights.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memscope.base.errors import Cancelled, EngineError, UsageError
from memscope.base.job import Job
from memscope.conversation.ablation import Ablation
from memscope.conversation.model import Conversation
from memscope.conversation.render import render, response_text
from memscope.engines.chat import chat
from memscope.engines.llamacpp import ENGINE
from memscope.engines.llamacpp.native import Native
from memscope.engines.protocol import ResponseScore
from memscope.engines.registry import EngineOptions
from memscope.engines.token_engine import TokenEngine
from tests.engines.gguf_file import CHATML, SPECIAL, Shape, vocabulary, weights, write
from tests.fakes import assistant, memory, office, talk, user

Engines = Callable[..., TokenEngine]
Files = Callable[..., Path]

CLOSE = 1e-3  # nats a response: the arithmetic is float32, and batches are cut elsewhere


@pytest.fixture(scope="session")
def gguf_file(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """`gguf_file(layers=1)` is a file of such a `Shape`, written once."""
    pytest.importorskip("gguf")
    made: dict[Shape, Path] = {}

    def written(**shape: Any) -> Path:
        wanted = Shape(**shape)
        if wanted not in made:
            made[wanted] = write(tmp_path_factory.mktemp("gguf") / "tiny.gguf", wanted)
        return made[wanted]

    return written


@pytest.fixture
def engine_of() -> Iterator[Engines]:
    made: list[TokenEngine] = []

    def build(path: Path, **options: Any) -> TokenEngine:
        engine = ENGINE.build(EngineOptions(model=str(path), **options))
        assert isinstance(engine, TokenEngine)
        made.append(engine)
        return engine

    yield build
    for engine in made:
        engine.close()


def totals(scores: Sequence[ResponseScore]) -> list[float]:
    return [score.total for score in scores]


def long_talk() -> Conversation:
    """Eight memories among eight responses: thousands of tokens."""
    turns = []
    for number in range(8):
        turns += [
            memory(f"m{number}", f"Rule {number}: " + "the pnpm installer waters the other tents. " * 4),
            user(f"What is rule {number}? " + "Answer on the whole. " * 6),
            assistant(f"Rule {number} says " + "that the pnpm installer waters tents on the other worn ones. " * 4),
        ]
    return talk(*turns)


# --- without the package ---------------------------------------------------------------------------------------------


def test_naming_the_engine_loads_nothing_heavy() -> None:
    script = "import sys, memscope.engines.llamacpp; print({'llama_cpp', 'jinja2', 'httpx'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "set()"


def refusal(**options: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        ENGINE.build(EngineOptions(**options))
    return caught.value


def test_without_a_model_it_asks_for_a_file() -> None:
    assert "--model" in refusal().do


def test_a_missing_file_a_folder_and_another_file_are_no_models(tmp_path: Path) -> None:
    other = tmp_path / "model.safetensors"
    other.write_bytes(b"\x10\0\0\0\0\0\0\0{}")

    assert "No such file" in refusal(model=str(tmp_path / "none.gguf")).what
    assert "directory" in refusal(model=str(tmp_path)).what
    assert "no GGUF file" in refusal(model=str(other)).what


def test_a_template_that_does_not_exist_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    path.write_bytes(b"GGUF")

    assert "'chatm1'" in refusal(model=str(path), template="chatm1").what


def test_another_file_of_the_same_name_has_another_identity(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"

    def identity(**options: Any) -> object:
        return ENGINE.build(EngineOptions(model=str(path), **options)).identity

    path.write_bytes(b"GGUF one")
    one, again = identity(), identity()
    path.write_bytes(b"GGUF two")

    assert one == again
    assert identity() != one
    assert len({identity(), identity(device="cpu"), identity(template="chatml"), identity(fold="memories")}) == 4
    assert identity(device="cuda") == identity(device="gpu") != identity(device="cpu")


def test_another_version_of_the_library_has_another_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.gguf"
    path.write_bytes(b"GGUF")
    found = []
    for version in ("0.3.35", "0.3.36"):
        installed = tmp_path / version / f"llama_cpp_python-{version}.dist-info"
        installed.mkdir(parents=True)
        (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: llama-cpp-python\nVersion: {version}\n")
        monkeypatch.syspath_prepend(tmp_path / version)
        found.append(ENGINE.build(EngineOptions(model=str(path))).identity)

    assert found[0] != found[1]
    assert ("library", "llama-cpp-python 0.3.36") in found[1].options


def test_every_part_of_a_split_file_belongs_to_its_identity(tmp_path: Path) -> None:
    parts = [tmp_path / f"a-{part:05}-of-00003.gguf" for part in (1, 2, 3)]
    for part in parts:
        part.write_bytes(b"GGUF")

    def identity() -> object:
        return ENGINE.build(EngineOptions(model=str(parts[0]))).identity

    whole = identity()
    assert identity() == whole
    parts[2].write_bytes(b"GGUF of others")
    assert identity() != whole
    parts[1].unlink()
    missing = refusal(model=str(parts[0]))
    assert "a part of the model" in missing.what and missing.where == str(parts[1])


@pytest.mark.parametrize("device", ["banana", "CPU", "cuda:1"])
def test_a_device_that_there_is_not_is_refused(device: str) -> None:
    refused = refusal(model="a.gguf", device=device)

    assert repr(device) in refused.what and "cpu, cuda, gpu" in refused.do


def test_a_dtype_is_refused_as_the_file_has_its_own() -> None:
    refused = refusal(model="a.gguf", dtype="float16")

    assert "float16" in refused.what and "--dtype" in refused.do


# --- with it ---------------------------------------------------------------------------------------------------------


@pytest.mark.llamacpp
@pytest.mark.parametrize("conversation", [office(), long_talk()], ids=["office", "long"])
def test_what_is_not_computed_again_changes_no_number(
    conversation: Conversation, gguf_file: Files, engine_of: Engines, job: Job
) -> None:
    reusing = engine_of(gguf_file())
    reusing.score(render(conversation), job)

    for removed in [mem.key for mem in conversation.memories] + ["none"]:
        prompt = render(conversation, Ablation.of(removed))
        found, fresh = reusing.score(prompt, job), engine_of(gguf_file()).score(prompt, job)

        assert totals(found) == pytest.approx(totals(fresh), abs=CLOSE)
        assert [score.marks for score in found] == [score.marks for score in fresh]


@pytest.mark.llamacpp
def test_only_what_stands_behind_a_change_is_read_again(
    gguf_file: Files, engine_of: Engines, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    decode = Native._decode

    def counted(self: Native, tokens: Sequence[int], at: int, outputs: Sequence[int]) -> None:
        read.append(len(tokens))
        decode(self, tokens, at, outputs)

    monkeypatch.setattr(Native, "_decode", counted)
    conversation, engine = long_talk(), engine_of(gguf_file())
    engine.score(render(conversation), job)
    whole = len(engine.layout(render(conversation), job).whole)
    assert whole - 1 == sum(read)
    read.clear()

    engine.score(render(conversation, Ablation.of("m7")), job)

    behind = len(engine.layout(render(conversation, Ablation.of("m7")), job).whole) - whole * 7 / 8
    assert sum(read) < behind


@pytest.mark.llamacpp
def test_the_numbers_are_those_of_the_same_weights_elsewhere(gguf_file: Files, engine_of: Engines, job: Job) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    shape = Shape()
    config = transformers.LlamaConfig(
        vocab_size=len(vocabulary(shape)),
        hidden_size=shape.width,
        intermediate_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.shared,
        rms_norm_eps=1e-5,
        max_position_embeddings=shape.context,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        attn_implementation="eager",
    )
    other = transformers.LlamaForCausalLM(config).eval()
    names = {
        "attn_norm": "input_layernorm",
        "attn_q": "self_attn.q_proj",
        "attn_k": "self_attn.k_proj",
        "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj",
        "ffn_norm": "post_attention_layernorm",
        "ffn_gate": "mlp.gate_proj",
        "ffn_up": "mlp.up_proj",
        "ffn_down": "mlp.down_proj",
        "token_embd": "model.embed_tokens",
        "output_norm": "model.norm",
        "output": "lm_head",
    }
    state = {}
    for name, tensor in weights(shape).items():
        *block, last = name.split(".")
        if last in ("attn_q", "attn_k"):  # there the two halves of a head are turned against each other
            heads = shape.heads if last == "attn_q" else shape.shared
            pairs = tensor.reshape(heads, -1, 2, shape.width)
            tensor = pairs.swapaxes(1, 2).reshape(-1, shape.width).copy()  # noqa: PLW2901
        place = f"model.layers.{block[1]}.{names[last]}" if block else names[last]
        state[f"{place}.weight"] = torch.from_numpy(tensor)
    other.load_state_dict(state)
    engine, prompt = engine_of(gguf_file()), render(long_talk())
    laid = engine.layout(prompt, job)
    with torch.no_grad():
        logprobs = torch.log_softmax(other(torch.tensor([laid.whole])).logits[0].double(), -1).numpy()

    found = engine.score(prompt, job)

    for score, (start, end) in zip(found, laid.spans, strict=True):
        assert score.tokens is not None
        right = logprobs[np.arange(start - 1, end - 1), laid.whole[start:end]]
        assert np.abs(score.tokens.logprobs - right).max() < 1e-4
        assert score.total == pytest.approx(right.sum(), abs=CLOSE)


@pytest.mark.llamacpp
def test_what_the_model_generates_is_scored_alike(gguf_file: Files, engine_of: Engines, job: Job) -> None:
    model = engine_of(gguf_file()).model
    ids = model.lay(chat(render(office())), job)

    made = model.generate(ids, 20, job)
    whole = [*ids, *(token for token, _ in made)]
    [scored] = model.logprobs(whole, [(len(ids), len(whole))], job)
    [fresh] = engine_of(gguf_file()).model.logprobs(whole, [(len(ids), len(whole))], job)

    assert 1 <= len(made) <= 20
    assert scored.logprobs == pytest.approx([value for _, value in made], abs=1e-4)
    assert fresh.logprobs == pytest.approx([value for _, value in made], abs=1e-4)


@pytest.mark.llamacpp
def test_tokens_that_are_parts_of_characters_stand_where_they_are_in_the_text(
    gguf_file: Files, engine_of: Engines, job: Job
) -> None:
    text = "Größe 你好 – 😀 the pnpm"
    conversation = talk(user("Say it."), assistant(text))

    [score] = engine_of(gguf_file()).score(render(conversation), job)

    assert score.tokens is not None
    shown = response_text(conversation, 1)
    parts = [shown[a:b] for a, b in zip(score.tokens.starts, score.tokens.ends, strict=True)]
    assert "".join(parts) == text
    assert parts[-2:] == [" ", "pnpm"]
    assert sum(not part for part in parts) == sum(len(sign.encode()) - 1 for sign in text)


@pytest.mark.llamacpp
def test_a_beginning_is_set_where_the_template_does_not_write_it(
    gguf_file: Files, engine_of: Engines, job: Job
) -> None:
    said = chat(render(office()))

    writes = engine_of(gguf_file(bos=True, template="{{ bos_token }}" + CHATML)).model.lay(said, job)
    does_not = engine_of(gguf_file(bos=True)).model.lay(said, job)
    wants_none = engine_of(gguf_file()).model.lay(said, job)

    assert writes == does_not == [SPECIAL.index("<|endoftext|>"), *wants_none]


@pytest.mark.llamacpp
def test_a_file_without_a_template_needs_one_of_the_settings(gguf_file: Files, engine_of: Engines, job: Job) -> None:
    path = gguf_file(template=None)

    with pytest.raises(EngineError) as caught:
        engine_of(path).score(render(office()), job)

    assert "no chat template" in caught.value.what and "--template" in caught.value.do
    assert all(score.total < 0 for score in engine_of(path, template="chatml").score(render(office()), job))


@pytest.mark.llamacpp
def test_a_file_that_is_cut_off_says_what_may_be_wrong(
    gguf_file: Files, engine_of: Engines, job: Job, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = gguf_file().read_bytes()
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(whole[: len(whole) * 2 // 3])

    with pytest.raises(EngineError) as caught:
        engine_of(cut).score(render(office()), job)

    assert caught.value.where == str(cut)
    assert "cannot load" in caught.value.what and "cut off" in caught.value.do
    assert capfd.readouterr() == ("", "")


@pytest.mark.llamacpp
def test_nothing_is_written_to_the_terminal(
    gguf_file: Files, engine_of: Engines, job: Job, capfd: pytest.CaptureFixture[str]
) -> None:
    engine = engine_of(gguf_file())

    engine.score(render(office()), job)
    engine.score(render(long_talk()), job)
    engine.close()

    assert capfd.readouterr() == ("", "")


@pytest.mark.llamacpp
def test_a_conversation_that_is_too_long_is_named_with_both_numbers(
    gguf_file: Files, engine_of: Engines, job: Job
) -> None:
    with pytest.raises(EngineError) as caught:
        engine_of(gguf_file(context=300)).score(render(office()), job)

    assert "takes 300" in caught.value.what
    assert f"{engine_of(gguf_file()).count(render(office()), job)} tokens" in caught.value.what


@pytest.mark.llamacpp
def test_what_was_scored_before_changes_no_number_of_a_model_with_two_sets_of_factors(
    gguf_file: Files, engine_of: Engines, job: Job
) -> None:
    two_sets = gguf_file(rope="longrope", original=2100)  # a context of 2,100 tokens would be made one of 2,304
    model = engine_of(two_sets).model
    ids = [3 + number * 7 % 250 for number in range(2048)]
    [first] = model.logprobs(ids[:900], [(500, 900)], job)

    model.logprobs(ids, [(2000, 2048)], job)
    with pytest.raises(EngineError, match="takes 2,048 "):
        model.logprobs([*ids, 3], [(2000, 2049)], job)
    fresh = [engine_of(path).model for path in (two_sets, gguf_file())]

    assert model.longest(job) == 2048
    for other in (model, *fresh):  # the short factors of these files are all 1, as if there were none
        [again] = other.logprobs(ids[:900], [(500, 900)], job)
        assert again.logprobs == pytest.approx(first.logprobs, abs=1e-4)


@pytest.mark.llamacpp
def test_other_models_take_the_whole_context_they_were_trained_on(
    gguf_file: Files, engine_of: Engines, job: Job
) -> None:
    ids = [3 + number * 7 % 250 for number in range(1500)]
    model = engine_of(gguf_file(rope="yarn", original=1024)).model
    [first] = model.logprobs(ids[:900], [(500, 900)], job)
    model.logprobs(ids, [(1400, 1500)], job)
    [again] = model.logprobs(ids[:900], [(500, 900)], job)

    assert model.longest(job) == 4096
    assert again.logprobs == pytest.approx(first.logprobs, abs=1e-4)
    assert engine_of(gguf_file(rope="longrope", original=4096)).model.longest(job) == 4096


@pytest.mark.llamacpp
def test_two_sets_of_factors_are_expected_where_a_file_names_no_way_to_stretch(
    gguf_file: Files, engine_of: Engines, job: Job
) -> None:
    assert engine_of(gguf_file(original=1024)).model.longest(job) == 1024


@pytest.mark.llamacpp
def test_a_gpu_that_is_not_there_is_not_passed_over(gguf_file: Files, engine_of: Engines, job: Job) -> None:
    import llama_cpp

    if llama_cpp.llama_supports_gpu_offload():
        pytest.skip("there is a GPU")

    with pytest.raises(UsageError) as caught:
        engine_of(gguf_file(), device="cuda").score(render(office()), job)

    assert "no GPU" in caught.value.what and "--device cpu" in caught.value.do


@pytest.mark.llamacpp
def test_ids_that_the_model_does_not_have_are_refused(gguf_file: Files, engine_of: Engines, job: Job) -> None:
    for token in (-1, len(vocabulary(Shape()))):
        with pytest.raises(EngineError, match="token ids"):
            engine_of(gguf_file()).model.logprobs([1, 5, token], [(1, 3)], job)


@pytest.mark.llamacpp
def test_it_is_safe_from_any_thread(gguf_file: Files, engine_of: Engines, job: Job) -> None:
    engine, conversation = engine_of(gguf_file()), long_talk()
    right = {
        mem.key: totals(engine.score(render(conversation, Ablation.of(mem.key)), job)) for mem in conversation.memories
    }
    shared, found = engine_of(gguf_file()), dict[str, list[float]]()

    def score(key: str) -> None:
        found[key] = totals(shared.score(render(conversation, Ablation.of(key)), job))

    workers = [threading.Thread(target=score, args=(key,)) for key in right]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(600)

    assert found.keys() == right.keys()
    for key, values in right.items():
        assert found[key] == pytest.approx(values, abs=CLOSE)


@pytest.mark.llamacpp
def test_work_stops_when_it_is_cancelled_or_the_engine_closed(gguf_file: Files, engine_of: Engines) -> None:
    engine, job = engine_of(gguf_file()), Job()
    laid = engine.layout(render(office()), job)
    job.cancel()

    with pytest.raises(Cancelled):
        engine.model.logprobs(laid.whole, laid.spans, job)
    engine.close()
    with pytest.raises(Cancelled):
        engine.score(render(office()), Job())


_MEASURED = """
import re, sys
from pathlib import Path
from memscope.base.job import Job
from memscope.engines.llamacpp import ENGINE
from memscope.engines.registry import EngineOptions

def peak():
    status = Path("/proc/self/status").read_text()  # what getrusage tells begins with the parent's
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024

model = ENGINE.build(EngineOptions(model=sys.argv[1])).model
ids = [3 + number % 250 for number in range(int(sys.argv[2]))]
model.logprobs(ids[:40], [(20, 40)], Job())
before = peak()
[scored] = model.logprobs(ids, [(20, len(ids))], Job())
assert len(scored.logprobs) == len(ids) - 20
print(peak() - before)
"""


@pytest.mark.llamacpp
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_the_logits_of_a_long_response_are_never_held_at_once(gguf_file: Files) -> None:
    tokens, extra = 3_000, 60_000
    path = gguf_file(extra=extra, layers=1, width=16, heads=2, shared=1)

    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(path), str(tokens)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )

    assert done.stderr == ""
    assert 0 < int(done.stdout) < tokens * extra * 4 / 10  # bytes; the whole of them would be 720 MB
