"""How large a model is, as far as its id tells; specs do not say."""

from __future__ import annotations

import re

_COUNT = re.compile(
    r"(?:^|-)(?:"
    r"(?P<experts>\d+x\d+b|8-22b)|(?P<point>\d+)b(?P<tenth>\d)|(?P<whole>\d+)(?P<unit>[bm])"
    r")(?![a-z0-9])",
    re.IGNORECASE,
)
_PER_BILLION = {"b": 1, "m": 1000}

_VERSIONED = ("llama-2", "llama-3", "gemma-2", "gemma-3", "guard-3", "qwen2-5")
"""Families whose version stands before the count: `llama-2-7b` is version 2 with 7 billion.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/jumpstart-foundation-models-latest.html (their names).
"""

_FRACTIONAL = ("gpt-neo", "tinyllama", "qwen2", "distill-qwen", "solar")
"""Families whose ids write a point as a dash: `gpt-neo-2-7b` has 2.7 billion.

Source: https://github.com/EleutherAI/gpt-neo, https://github.com/jzhang38/TinyLlama,
https://qwenlm.github.io/blog/qwen2/, https://github.com/deepseek-ai/DeepSeek-R1 and
https://huggingface.co/upstage/SOLAR-10.7B-v1.0 (the counts in their names).
"""

_EXPERTS = {"8x7b": 46.7, "8x22b": 141.0, "8-22b": 141.0}
"""Experts share layers: a mixture of 8 experts of 7 billion has fewer than 56. One id writes the x as a dash.

Source: https://mistral.ai/news/mixtral-of-experts and https://mistral.ai/news/mixtral-8x22b.
"""

_NAMED = {
    "whisper-tiny": 0.039,
    "whisper-base": 0.074,
    "whisper-small": 0.244,
    "whisper-medium": 0.769,
    "whisper-large": 1.55,
    "whisper-large-v2": 1.55,
    "whisper-large-v3": 1.55,
    "whisper-large-v3-turbo": 0.809,
}
"""Ends of ids that name a size instead of a count.

Source: https://github.com/openai/whisper#available-models-and-languages.
"""


def count_of(model_id: str) -> float | None:
    """Returns the billions of parameters in an id (rule 22): `llama-3-70b` 70, `bloom-1b7` 1.7, `125m` 0.125.

    Whether a dash before a single digit is a decimal point depends on the family; None if that is not known,
    and if the id has no count.
    """
    named = next((size for end, size in _NAMED.items() if model_id.endswith(f"-{end}")), None)
    found = _COUNT.search(model_id)
    return named if named or not found else _read(found, model_id[: found.start()])


def _read(found: re.Match[str], head: str) -> float | None:
    if found["experts"]:
        return _EXPERTS.get(found["experts"].lower())
    if found["point"]:
        return float(f"{found['point']}.{found['tenth']}")
    whole = _whole(found["whole"], head)
    return None if whole is None else whole / _PER_BILLION[found["unit"].lower()]


def _whole(digits: str, head: str) -> float | None:
    """Returns the number before the unit, with what is before a dash if that is part of it."""
    family, _, before = head.rpartition("-")
    if not before.isdigit() or len(digits) > 1 or family.rpartition("-")[2].isdigit():
        return float(digits)
    if head.endswith(_VERSIONED):
        return float(digits)
    return float(f"{before}.{digits}") if family.endswith(_FRACTIONAL) else None
