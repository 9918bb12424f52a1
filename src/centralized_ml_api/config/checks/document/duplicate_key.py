"""C006: one key twice in one object."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C006",
    title="duplicate key",
    meaning="""\
An object has the same key twice. Most programs would silently keep the last one; which of the two you
meant cannot be known, so neither is taken. Remove one. Often the second was copied and should have been
renamed.""",
    example=Example(wrong='{"models": [], "models": []}', right='{"models": [], "endpoints": []}'),
)
