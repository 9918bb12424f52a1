"""C009: far more text than a config can need."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

LARGEST_BYTES = 1024 * 1024
"""Where reading stops: a thousand models fit, each with a function and a local server, over many lines."""

MOST_VALUES = 100_000
"""How many texts, numbers, arrays and objects are read: such a thousand models have a third of them."""

RULE = Rule(
    id="C009",
    title="the file is too large",
    meaning=f"""\
The file is larger than {LARGEST_BYTES // 2**20} MiB, or holds more than {MOST_VALUES:,} values (texts,
numbers, arrays, objects). A thousand models, each with a function and a local server, fit; so this is
probably not a config but, say, a file of weights. Large samples belong into files of their own.""",
    example=Example(wrong="mlapi check model.gguf", right="mlapi check config/models.json", suffix=""),
)
