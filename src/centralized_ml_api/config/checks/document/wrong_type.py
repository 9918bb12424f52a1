"""C012: a text where a number must stand, and the like."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C012",
    title="wrong type",
    meaning="""\
The value is of another type than this key takes. Nothing is converted silently: `"3"` is a text and not
the number 3, `3.0` is no whole number, `1` is not `true`, and one text is no array of texts. To leave a
key out, remove it; `null` does not stand for that.""",
    example=Example(at="$.models[0].integration.properties", wrong='"timeout": "29"', right='"timeout": 29'),
)
