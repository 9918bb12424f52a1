"""The request headers that are passed to a model: which may be listed, and how."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.checks.context import repeated
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import quoted, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.config.document.node import Node
    from centralized_ml_api.errors import Problem

_NAME = re.compile(r"[A-Za-z0-9-]{1,256}")
_CREDENTIALS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-amz-security-token"}
)
_HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer", "trailers",
        "transfer-encoding", "upgrade", "host", "content-length", "expect", "forwarded", "via",
    }
)  # fmt: skip
_ALWAYS_PASSED = frozenset({"content-type", "accept"})


def _headers(context: Context) -> list[Node[str]]:
    return [header for integration in context.integrations for header in integration.strings("headers")]


def _check_form(context: Context) -> Iterator[Problem]:
    for header in _headers(context):
        if not _NAME.fullmatch(header.value):
            name = header.value.partition(":")[0].strip()
            yield MALFORMED_HEADER.problem(
                header.location,
                found=quoted(header.value),
                expected="the name of a header: letters, digits and hyphens",
                fix=write(re.sub(r"[^A-Za-z0-9-]+", "-", name).strip("-")),
            )


MALFORMED_HEADER = CheckedRule(
    id="C201",
    title="malformed header name",
    meaning="""\
`headers` lists the request headers that are passed on to the model. Each item is a name without a value,
made up of letters, digits and hyphens; API Gateway and SageMaker accept nothing else.""",
    example=Example(
        at="$.models[1].integration", wrong='"headers": ["X-Team: red"]', right='"headers": ["X-Team"]'
    ),
    check=_check_form,
)


def _check_forbidden(context: Context) -> Iterator[Problem]:
    for header in _headers(context):
        name = header.value.lower()
        if name in _CREDENTIALS:
            reason = "which carries credentials"
        elif name in _HOP_BY_HOP or name.startswith("x-forwarded-"):
            reason = "which belongs to the connection"
        elif name.startswith("x-mlapi-"):
            reason = "by which the parts of the gateway tell each other who calls"
        else:
            continue
        yield FORBIDDEN_HEADER.problem(
            header.location,
            found=f"{quoted(header.value)}, {reason}",
            expected="a header that is meant for the model",
            fix="remove it; to tell the model who is calling, use a header of your own",
        )


FORBIDDEN_HEADER = CheckedRule(
    id="C202",
    title="forbidden header",
    meaning="""\
Credentials (`Authorization`, `Cookie`, `x-api-key`, …) stay at the gateway: a model does not need its
callers' keys, and might log them. Connection headers (`Host`, `Connection`, `Transfer-Encoding`,
`X-Forwarded-…`) apply to a single hop and cannot be passed on. With `X-Mlapi-…` the parts of the gateway on
one machine tell each other which team calls: a caller must not be able to say that.

Source: RFC 9110, section 7.6.1 (headers that an intermediary must not forward)""",
    example=Example(
        at="$.models[1].integration", wrong='"headers": ["Authorization"]', right='"headers": ["X-Caller"]'
    ),
    check=_check_forbidden,
)


def _check_duplicates(context: Context) -> Iterator[Problem]:
    for integration in context.integrations:
        for header, earlier in repeated(integration.strings("headers"), str.lower):
            yield DUPLICATE_HEADER.problem(
                header.location,
                found=f"{quoted(header.value)} after {quoted(earlier.value)}",
                expected="each header once",
                fix="remove it",
            )


DUPLICATE_HEADER = CheckedRule(
    id="C203",
    title="duplicate header",
    meaning="""\
`headers` lists the same header twice. Header names are not case-sensitive.""",
    example=Example(
        at="$.models[1].integration", wrong='"headers": ["X-Team", "x-team"]', right='"headers": ["X-Team"]'
    ),
    check=_check_duplicates,
)


def _check_redundant(context: Context) -> Iterator[Problem]:
    for header in _headers(context):
        if header.value.lower() in _ALWAYS_PASSED:
            yield REDUNDANT_HEADER.problem(
                header.location,
                found=quoted(header.value),
                expected="headers other than Content-Type and Accept",
                fix="remove it",
            )


REDUNDANT_HEADER = CheckedRule(
    id="C204",
    title="redundant header",
    severity="warning",
    meaning="""\
`Content-Type` and `Accept` are always passed on to the model. Listing them has no effect.""",
    example=Example(at="$.models[1].integration", wrong='"headers": ["Accept"]', right='"headers": []'),
    check=_check_redundant,
)

RULES = (MALFORMED_HEADER, FORBIDDEN_HEADER, DUPLICATE_HEADER, REDUNDANT_HEADER)
