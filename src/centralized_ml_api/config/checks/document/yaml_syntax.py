"""C005: the text is not YAML."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C005",
    title="not valid YAML",
    meaning="""\
The text breaks the grammar of YAML at this place or just before it: often the indentation differs by a
space, a tab stands where spaces must, or a text with `: `, `#` or `*` in it needs quotes. Reading stops
here, so this is the only problem shown; the rest follows once it is mended. One file holds one document.""",
    example=Example(wrong="models: [\nendpoints: []", right="models: []\nendpoints: []", suffix=".yaml"),
)
