"""`docs/reference/differences.md` is the table of differences; `GOLDEN=write` rewrites it."""

from __future__ import annotations

import os
from pathlib import Path

from contract.differences import (
    DIFFERENCES,
    KEY_DIFFERENCES,
    PAUSE_DIFFERENCES,
    SAGEMAKER,
    STREAM_DIFFERENCES,
)

PAGE = Path(__file__).parents[2] / "docs/reference/differences.md"
GUIDE = "https://docs.aws.amazon.com/apigateway/latest/developerguide"
ALL = (*DIFFERENCES, *STREAM_DIFFERENCES, *KEY_DIFFERENCES, *PAUSE_DIFFERENCES)
HEAD = """\
# Differences between the targets

Clients see the same API on one machine and on AWS, except for the differences below. API Gateway, SageMaker
or Lambda makes each of them unavoidable, except those of paths under `/v1`: on AWS, nothing translates these
APIs for SageMaker yet.

`tests/contract` checks every row on both targets: on a running `mlapi up`, and on the template that
`mlapi deploy` would deploy, interpreted by AWS's documented rules. No real API Gateway takes part, so
behaviour that AWS does not document is not compared: malformed HTTP, too many or too large headers,
responses over 6 MB.

| what | on one machine | on AWS | why |
| --- | --- | --- | --- |
"""
TAIL = """
The tests do not wait for these limits, which on AWS are SageMaker's:

| what | on one machine | on AWS | why |
| --- | --- | --- | --- |
| a complete response under `/v1` | 300 seconds | 60 seconds | [source]({invoke}) |
| a recording of more than 6 MB | up to 25 MB, or `max_body_mib` | 413 | [source]({quotas}) |
| a stream | no limit, but 300 seconds between two chunks | 8 minutes | [source]({hosting}) |

A call to a model that sleeps is held on one machine while the model wakes, or told when to come back, from
measured times. On AWS it is a 503 `model_waking` with `Retry-After: 60` until the model is awake: SageMaker
[refuses]({zero}) it, and a wake takes minutes.

On one machine, the header `x-event-ends` is missing from errors that end a request before its path is known:
400 `malformed_request`, 408 and 431.

A key that was refused just before `starts` works within a second on one machine, and within five on AWS,
where API Gateway [remembers]({cache}) the refusal for so long. A pause, too, begins and ends within two
seconds here and ten there; on AWS it needs keys, `/health` does not tell of it, and a deploy that changes
the function of keys ends it. With `allow_from`, the 403 of a caller from elsewhere has an empty `type`,
`code` and `message` on AWS where the event has a start, or API Gateway calls a model or function itself: it
[refuses]({flow}) such a call before it asks the function that words the others.

A call that asks to be [answered later](../how-to/answers-that-take-minutes.md) is so on one machine, and on
AWS where the config has [`aws.jobs`](../how-to/jobs-on-aws.md); elsewhere it is answered at once. Jobs on
AWS [differ](../how-to/jobs-on-aws.md#what-differs-from-one-machine) in how long they wait, and in what
`DELETE` and a look do.

On AWS, tokens and dollars are counted, and `GET /v1/usage` exists, only where some of them are
[limited](../how-to/limit-spending.md#on-aws). There, a config with such limits has no entry with a
function. What is left of a team's `requests_per_day` is in no header and not in `GET /v1/usage` on AWS: API
Gateway counts it, and a function would have to [ask]({day}) it anew with every call.
""".format(
    invoke=SAGEMAKER,
    zero="https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-zero-instances.html",
    hosting="https://docs.aws.amazon.com/sagemaker/latest/dg/hosting-faqs.html",
    quotas="https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
    day="https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsage.html",
    cache=f"{GUIDE}/configure-api-gateway-lambda-authorization.html",
    flow=f"{GUIDE}/apigateway-authorization-flow.html",
)


def test_the_page_has_every_difference_and_no_other() -> None:
    rows = [
        (difference.name, difference.on_one_machine, difference.on_aws, f"[source]({difference.source})")
        for difference in ALL
    ]
    page = HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows) + TAIL
    if os.environ.get("GOLDEN") == "write":
        PAGE.write_text(page)
    assert PAGE.read_text() == page, "run it with GOLDEN=write"


def test_every_difference_has_a_name_of_its_own() -> None:
    assert len({difference.name for difference in ALL}) == len(ALL)
