"""C202: a header that must not reach a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_CREDENTIALS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-amz-security-token"}
)
_OF_THE_CONNECTION = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer", "trailers",
        "transfer-encoding", "upgrade", "host", "content-length", "expect", "forwarded", "via",
    }
)  # fmt: skip


def _check(context: Context) -> Iterator[Problem]:
    for integration in context.integrations:
        for header in integration.texts("headers"):
            reason = _reason(header.value.lower())
            if reason:
                yield RULE.problem(
                    header.location,
                    found=f"{quoted(header.value)}, {reason}",
                    expected="a header that is meant for the model",
                    fix="remove it; to tell the model who calls, choose a header of your own",
                )


def _reason(header: str) -> str:
    if header in _CREDENTIALS:
        return "which carries credentials"
    if header in _OF_THE_CONNECTION or header.startswith("x-forwarded-"):
        return "which belongs to the connection"
    return ""


RULE = Rule(
    id="C202",
    title="forbidden header",
    meaning="""\
Credentials (`Authorization`, `Cookie`, `x-api-key`…) stay at the gateway: a model has no use for its
callers' keys and may log them. Headers of the connection (`Host`, `Connection`, `Transfer-Encoding`,
`X-Forwarded-…`) are each server's own and cannot be passed on.

Source: RFC 9110, section 7.6.1 (headers that an intermediary must not forward)""",
    example=Example(
        at="$.models[1].integration", wrong='"headers": ["Authorization"]', right='"headers": ["X-Caller"]'
    ),
    check=_check,
)
