"""`llamacpp`: a GGUF file, computed in this process by llama.cpp (the extra `llamacpp`).

What stands before a change is not computed again, and nothing is rounded that need not be: keys and values are kept in
float32, and flash attention is off. Models with LongRoPE take no more than the context they began with: behind it
llama.cpp turns all positions by other factors, and the numbers of short conversations would be others.
"""

from __future__ import annotations

from memscope.engines.llamacpp.model import LlamaCpp
from memscope.engines.registry import EngineSpec
from memscope.engines.token_checks import token_checks
from memscope.engines.token_engine import TokenEngine

ENGINE = EngineSpec(
    "llamacpp",
    "a GGUF file, in this process",
    LlamaCpp.capabilities,
    lambda options: TokenEngine(LlamaCpp(options), options.fold),
    packages=("llama_cpp",),
    extra="llamacpp",
    check=token_checks,
)
