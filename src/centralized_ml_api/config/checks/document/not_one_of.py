"""C013: a word that is none of those the key knows."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C013",
    title="unknown value",
    meaning="""\
This key takes one of a few words, and this is none of them. They are written exactly as shown, in lower
case.""",
    example=Example(at="$.models[1].integration", wrong='"type": "rest"', right='"type": "api"'),
)
