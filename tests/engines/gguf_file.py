"""Tiny GGUF files with random weights, written by the tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MERGES = [
    "e r",
    "Ġ t",
    "i n",
    "Ġ a",
    "o n",
    "Ġt h",
    "r e",
    "Ġth e",
    "e n",
    "p n",
    "pn p",
    "pnp m",
    "Ġ w",
    "o r",
    "er s",
]
CHATML = (
    "{%- for m in messages -%}{{ '<|im_start|>' + m.role + '\\n' + m.content }}"
    "{%- for c in m.tool_calls or [] %}{{ '\\n<tool_call>\\n' + c.function | tojson + '\\n</tool_call>' }}{%- endfor %}"
    "{{ '<|im_end|>\\n' }}{%- endfor -%}"
)


@dataclass(frozen=True)
class Shape:
    """What a file holds. `extra`: tokens of the vocabulary that no text is made of; `bos`: a text has to begin with
    the first special token; `template`: the file's own, if any; `rope`: how positions are stretched, if a file says
    so; `original`: the tokens of a context up to which they are not, or by short factors."""

    layers: int = 2
    width: int = 32
    heads: int = 4
    shared: int = 2  # heads with keys and values of their own
    hidden: int = 48
    context: int = 4096
    extra: int = 0
    bos: bool = False
    template: str | None = CHATML
    rope: str = ""
    original: int = 0
    seed: int = 1


def _bytes_as_letters() -> list[str]:
    """The letter that stands for each byte in a byte-level vocabulary."""
    printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in printed else chr(next(others)) for byte in range(256)]


def vocabulary(shape: Shape) -> list[str]:
    merged = [merge.replace(" ", "") for merge in MERGES]
    return [*SPECIAL, *_bytes_as_letters(), *merged, *(f"<extra {n}>" for n in range(shape.extra))]


def weights(shape: Shape) -> dict[str, NDArray[np.float32]]:
    """By llama.cpp's names, in its order: queries and keys turn neighbouring pairs."""
    rng = np.random.default_rng(shape.seed)
    width, narrow = shape.width, shape.width // shape.heads * shape.shared

    def made(rows: int, columns: int) -> NDArray[np.float32]:
        return rng.normal(0, 2.0 / columns**0.5, (rows, columns)).astype(np.float32)

    def norm() -> NDArray[np.float32]:
        return (1 + rng.normal(0, 0.1, width)).astype(np.float32)

    count = len(vocabulary(shape))
    found = {"token_embd": made(count, width), "output_norm": norm(), "output": made(count, width)}
    for layer in range(shape.layers):
        found |= {
            f"blk.{layer}.{name}": tensor
            for name, tensor in {
                "attn_norm": norm(),
                "attn_q": made(width, width),
                "attn_k": made(narrow, width),
                "attn_v": made(narrow, width),
                "attn_output": made(width, width),
                "ffn_norm": norm(),
                "ffn_gate": made(shape.hidden, width),
                "ffn_up": made(shape.hidden, width),
                "ffn_down": made(width, shape.hidden),
            }.items()
        }
    return found


def write(path: Path, shape: Shape) -> Path:
    """A Llama of random weights in float32."""
    import gguf

    writer: Any = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.shared)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(10_000.0)
    if shape.rope:
        writer.add_rope_scaling_type(gguf.RopeScalingType(shape.rope))
    if shape.original:
        writer.add_rope_scaling_orig_ctx_len(shape.original)
    if shape.rope == "yarn":
        writer.add_rope_scaling_factor(shape.context / shape.original)
    tokens = vocabulary(shape)
    kinds = [gguf.TokenType.CONTROL if token in SPECIAL else gguf.TokenType.NORMAL for token in tokens]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(MERGES)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(shape.bos)
    if shape.template is not None:
        writer.add_chat_template(shape.template)
    for name, tensor in weights(shape).items():
        writer.add_tensor(f"{name}.weight", tensor)
    if shape.rope == "longrope":
        turned = shape.width // shape.heads // 2
        writer.add_tensor("rope_factors_short.weight", np.ones(turned, np.float32))
        writer.add_tensor("rope_factors_long.weight", np.linspace(1, 8, turned, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
