"""C004: the text is not JSON."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C004",
    title="not valid JSON",
    meaning="""\
The text breaks the grammar of JSON at this place: often a comma, a quotation mark or a bracket is
missing just before it. Comments (`//` and `/* */`) and a comma after the last item are welcome; keys and
texts need double quotes. Reading stops here, so this is the only problem shown; the rest follows once it
is mended. A file whose name ends in `.yaml` or `.yml` is read as YAML instead.""",
    example=Example(wrong='{"models": [] "endpoints": []}', right='{"models": [], "endpoints": []}'),
)
