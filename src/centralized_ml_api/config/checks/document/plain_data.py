"""C008: a value that JSON does not have."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C008",
    title="not a plain value",
    meaning="""\
A config holds what JSON can hold: texts, finite numbers, true and false, arrays, and objects whose keys
are texts. Not `NaN` or `Infinity`, not numbers of thousands of digits or beyond what a computer's
numbers reach, not half a character (`"\\ud800"` alone). In YAML neither anchors and aliases (`&a`, `*a`)
nor tags (`!!set`).

YAML has its own traps: without quotes, some programs read `yes`, `on`, `1:30` or `2026-12-01` as
something else than text. Here only `true`, `false`, `null` and numbers as JSON writes them are not text.""",
    example=Example(
        wrong="models: &all []\nendpoints: *all",
        right="models: []\nendpoints: []",
        suffix=".yaml",
    ),
)
