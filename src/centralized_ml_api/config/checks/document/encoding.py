"""C002: the file is not text in UTF-8."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C002",
    title="the file is not UTF-8 text",
    meaning="""\
Configs are text in UTF-8, with or without a byte order mark. Editors on Windows sometimes save "Unicode"
as UTF-16, or the letters of one country in an older encoding. Save the file again as UTF-8.""",
    example=Example(wrong="a file saved as UTF-16", right="the same file saved as UTF-8", suffix=""),
)
