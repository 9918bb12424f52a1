"""C003: nothing stands in the file."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C003",
    title="the file is empty",
    meaning="""\
The file holds nothing, or only spaces and comments. The smallest config is `{"models": []}`; `mlapi
init` writes one that serves something.""",
    example=Example(wrong="// to do", right='{"models": []}'),
)
