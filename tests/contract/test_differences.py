"""`docs/reference/differences.md` is the table of differences; `GOLDEN=write` writes it anew."""

from __future__ import annotations

import os
from pathlib import Path

from contract.differences import DIFFERENCES, KEY_DIFFERENCES, STREAM_DIFFERENCES

PAGE = Path(__file__).parents[2] / "docs/reference/differences.md"
ALL = (*DIFFERENCES, *STREAM_DIFFERENCES, *KEY_DIFFERENCES)
HEAD = """\
# Differences between the targets

A client cannot tell one machine from AWS, but for this: API Gateway, SageMaker or Lambda leaves no choice.

`tests/contract` asks every row of both targets: of `mlapi up` as it runs, and of the template that
`mlapi deploy` would deploy, by AWS's documented rules. No real API Gateway takes part, so what AWS does not
document is not compared: malformed HTTP, too many or too large headers, answers over 6 MB.

| what | on one machine | on AWS | why |
| --- | --- | --- | --- |
"""


def test_the_page_has_every_difference_and_no_other() -> None:
    page = HEAD + "".join(
        f"| {one.name} | {one.on_one_machine} | {one.on_aws} | [source]({one.source}) |\n" for one in ALL
    )
    if os.environ.get("GOLDEN") == "write":
        PAGE.write_text(page)
    assert PAGE.read_text() == page, "run it with GOLDEN=write"


def test_every_difference_has_a_name_of_its_own() -> None:
    assert len({one.name for one in ALL}) == len(ALL)
