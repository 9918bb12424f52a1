"""`docs/reference/differences.md` is the table of differences; `GOLDEN=write` writes it anew."""

from __future__ import annotations

import os
from pathlib import Path

from contract.differences import DIFFERENCES, KEY_DIFFERENCES, SAGEMAKER, STREAM_DIFFERENCES

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
TAIL = """
How long an answer may take is not waited for by a test:

| what | on one machine | on AWS | why |
| --- | --- | --- | --- |
| an answer in one piece under `/v1` | 300 seconds | 60 seconds, of SageMaker | [source]({invoke}) |
| a stream | no limit, but 300 seconds between two pieces | 8 minutes, of SageMaker | [source]({hosting}) |

On one machine the header `x-event-ends` is missing where a request ended before it had a path: 400
`malformed_request`, 408, 431.
""".format(invoke=SAGEMAKER, hosting="https://docs.aws.amazon.com/sagemaker/latest/dg/hosting-faqs.html")


def test_the_page_has_every_difference_and_no_other() -> None:
    page = HEAD + "".join(
        f"| {one.name} | {one.on_one_machine} | {one.on_aws} | [source]({one.source}) |\n" for one in ALL
    )
    page += TAIL
    if os.environ.get("GOLDEN") == "write":
        PAGE.write_text(page)
    assert PAGE.read_text() == page, "run it with GOLDEN=write"


def test_every_difference_has_a_name_of_its_own() -> None:
    assert len({one.name for one in ALL}) == len(ALL)
