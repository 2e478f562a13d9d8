"""A lexical language model in numpy that needs no download: `ENGINE`."""

from memscope.engines.embedded.engine import Embedded
from memscope.engines.registry import EngineOptions, EngineSpec


def _build(options: EngineOptions) -> Embedded:
    return Embedded()


ENGINE = EngineSpec(
    "embedded",
    "Word predictability in numpy: no model, no server, no download (lexical).",
    Embedded.capabilities,
    _build,
)
