"""C007: brackets within brackets without end."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

DEEPEST = 100
"""How many arrays and objects may stand within each other; the format itself needs nine."""

RULE = Rule(
    id="C007",
    title="nested too deeply",
    meaning=f"""\
More than {DEEPEST} arrays or objects stand within each other. The format needs nine; a `sample` may need
some more. A file like this was probably written by a program that went wrong.""",
    example=Example(wrong="[" * (DEEPEST + 1), right='{"models": []}'),
)
