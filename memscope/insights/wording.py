"""The fixed words of the prompt that asks a chat model what traces teach."""

from __future__ import annotations

ME = "You are a memory consolidation engine. You answer in JSON only."
TRACES = "## Recent Session Traces"
OBSERVED = "## Rule-Based Observations (synthesize and elevate these)"
TRUNCATED = "...[truncated]"


def task(count: int, *, observed: bool) -> str:
    """The last section: what is asked for. `observed`: whether observations stand before it."""
    lines = [
        "## Task",
        f"Say what these sessions teach, in up to {count} insights: patterns that work, anti-patterns, best practices.",
        "Answer with JSON of this form and nothing else:",
        '{"insights": [{"text": "...", "confidence": 0.0}]}',
        "- text: at most 200 characters, of use to somebody who has not seen the sessions.",
        "- confidence: 0 to 1, by the strength of the evidence.",
    ]
    if observed:
        lines.append("- Do not repeat the observations word for word: say what is behind them.")
    return "\n".join(lines)
