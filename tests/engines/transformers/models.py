"""Tiny models with random weights, and a tokenizer trained on the spot: nothing is downloaded.

The weights are larger than those of a model that is about to be trained, so that every token leans on those before it
and a wrong cache, mask or position moves the numbers by nats.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from memscope.conversation.model import Conversation, Memory, Message, Text

CHATML = (
    "{%- if tools -%}{{ '<|im_start|>tools\n' + tools | tojson + '<|im_end|>\n' }}{%- endif -%}"
    "{%- for m in messages -%}{{ '<|im_start|>' + m.role + '\n' + m.content }}"
    "{%- for c in m.tool_calls or [] %}{{ '\n<tool_call>' + c.function | tojson + '</tool_call>' }}{%- endfor -%}"
    "{{ '<|im_end|>\n' }}{%- endfor -%}"
)
WINDOW = 40  # tokens that a layer with a sliding window sees
VOCABULARY = 600

_SAID = """You are a coding agent. Indent with tabs. Install packages with pnpm, and deploy on Mondays only.
Which package manager is it? I do not know yet, so I will have a look. Use pnpm to install packages. Done.
The user likes green tea and short answers. assistant user system tool note number asks about the project.
"""


def tokenizer(vocabulary: int = VOCABULARY) -> Any:
    """Byte-level BPE with ChatML's special tokens and template."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers, trainers
    from tokenizers.models import BPE
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator([_SAID], trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.chat_template = CHATML
    return fast


def config(kind: str, **more: Any) -> Any:
    """The configuration of a tiny model: one of `KINDS`."""
    import transformers

    shape = {
        "vocab_size": VOCABULARY,
        "hidden_size": 48,
        "intermediate_size": 96,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 12,
        "max_position_embeddings": 4096,
        "initializer_range": 0.25,
        "tie_word_embeddings": False,
        "bos_token_id": None,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    name, of_its_kind = (KINDS | REFUSED)[kind]
    return getattr(transformers, name)(**shape | of_its_kind | more)


KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("LlamaConfig", {}),
    "qwen3": ("Qwen3Config", {}),
    "phi3": ("Phi3Config", {}),
    "tied": ("LlamaConfig", {"tie_word_embeddings": True}),
    "mistral": ("MistralConfig", {"sliding_window": WINDOW}),
    "gemma3": ("Gemma3TextConfig", {"sliding_window": WINDOW, "sliding_window_pattern": 2, "num_hidden_layers": 4}),
    "gpt2": ("GPT2Config", {"n_embd": 48, "n_layer": 3, "n_head": 4, "n_positions": 2048}),
    "gemma3n": (
        "Gemma3nTextConfig",
        {
            "sliding_window": WINDOW,
            "num_hidden_layers": 4,
            "num_kv_shared_layers": 2,
            "layer_types": ["sliding_attention", "full_attention"] * 2,
            "hidden_size_per_layer_input": 16,
            "vocab_size_per_layer_input": 600,
            "laurel_rank": 8,
            "altup_num_inputs": 2,
            "activation_sparsity_pattern": [0.0] * 4,
            "intermediate_size": [96] * 4,
        },
    ),
    "lfm2": ("Lfm2Config", {"num_hidden_layers": 4, "layer_types": ["conv", "full_attention"] * 2}),
    "qwen3-next": (
        "Qwen3NextConfig",
        {
            "num_hidden_layers": 4,
            "layer_types": ["linear_attention", "full_attention"] * 2,
            "linear_num_value_heads": 4,
            "linear_num_key_heads": 2,
            "linear_key_head_dim": 12,
            "linear_value_head_dim": 12,
            "num_experts": 4,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 32,
            "shared_expert_intermediate_size": 32,
        },
    ),
}
CUTTABLE = ("llama", "qwen3", "phi3", "tied", "gpt2")  # whose memory of a beginning is a part of that of the whole
SLIDING = ("mistral", "gemma3")
REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "mamba": ("MambaConfig", {"state_size": 8}),
    "jamba": (
        "JambaConfig",
        {
            "num_hidden_layers": 4,
            "attn_layer_period": 2,
            "attn_layer_offset": 1,
            "use_mamba_kernels": False,
            "num_experts": 2,
        },
    ),
}
"""Models that do not go on rightly from what they have read."""


def make(folder: Path, kind: str = "llama", *, seed: int = 7, **more: Any) -> Path:
    """Writes a model into `folder`, as save_pretrained does."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    AutoModelForCausalLM.from_config(config(kind, **more)).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


# Conversations, all of plain messages that every protocol can carry.


def front(memories: int = 4, exchanges: int = 3) -> Conversation:
    """Memories one behind the other, as messages in front of everything."""
    noted = [_note(n) for n in range(memories)]
    return Conversation((_system(), *noted, *(m for n in range(exchanges) for m in _exchange(n))))


def interleaved(memories: int = 4) -> Conversation:
    """A memory before each exchange."""
    return Conversation((_system(), *(m for n in range(memories) for m in (_note(n), *_exchange(n)))))


def inside() -> Conversation:
    """Memories that are lines of a longer message: of the first, and of what the user says."""
    system = Message("system", (Text("You are a coding agent."), _memory(0), Text("Be short."), _memory(1)))
    asks = Message("user", (Text("This is what I know:"), _memory(2), Text("Which package manager is it?")))
    return Conversation((system, *_exchange(0), asks, Message("assistant", (Text("Use pnpm, I think."),))))


def several() -> Conversation:
    """A memory that occurs three times, one of them within a message, and another between."""
    return Conversation(
        (
            _system(),
            _note(0),
            *_exchange(0),
            _note(1),
            Message("user", (Text("Again:"), _memory(0))),
            Message("assistant", (Text("Install packages with pnpm, as noted."),)),
            _note(0),
            *_exchange(2),
        )
    )


CONVERSATIONS = {"front": front, "interleaved": interleaved, "inside": inside, "several": several}


def _system() -> Message:
    return Message("system", (Text("You are a coding agent."),))


def _memory(n: int) -> Memory:
    facts = ("Indent with tabs.", "Install packages with pnpm.", "Deploy on Mondays only.", "The user likes green tea.")
    return Memory(f"m{n}", f"Note number {n}: {facts[n % len(facts)]}")


def _note(n: int) -> Message:
    return Message("user", (_memory(n),))


def _exchange(n: int) -> tuple[Message, Message]:
    asks = Message("user", (Text(f"Exchange {n}: what about packages and green tea?"),))
    return asks, Message("assistant", (Text(f"I will have a look at number {n}, and install with pnpm."),))
