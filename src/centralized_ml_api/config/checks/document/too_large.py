"""C009: far more text than a config can need."""

from __future__ import annotations

from centralized_ml_api.config.checks.rule import Example, Rule

LARGEST_BYTES = 16 * 1024 * 1024
"""Where reading stops: a thousand models take less than one mebibyte."""

RULE = Rule(
    id="C009",
    title="the file is too large",
    meaning=f"""\
The file is larger than {LARGEST_BYTES // 2**20} MiB. A thousand models take less than one, so this is
probably not a config but, say, a file of weights. Large samples belong into files of their own.""",
    example=Example(wrong="mlapi check model.gguf", right="mlapi check config/models.json", suffix=""),
)
