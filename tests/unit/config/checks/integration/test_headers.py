"""Which headers may be listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("header", ["X-Team", "x", "X-Amzn-SageMaker-Custom-Attributes", "a" * 256, "X-1"])
def test_a_header_of_your_own_is_fine(
    header: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][1]["integration"]["headers"] = [header]
    assert problems_of(good) == ()


@pytest.mark.parametrize(
    ("header", "fix"),
    [
        ("X-Team: red", 'write "X-Team"'),
        (" X Team ", 'write "X-Team"'),
        ("X_Team", 'write "X-Team"'),
        ("", ""),
        (":", ""),
        ("a" * 257, 'write "' + "a" * 78 + "…"),
    ],
)
def test_what_is_not_a_name_is_refused(
    header: str, fix: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][1]["integration"]["headers"] = [header]
    (problem,) = problems_of(good)
    assert (problem.id, problem.fix) == ("C201", fix)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        *((name, "which carries credentials") for name in (
            "Authorization", "proxy-authorization", "cookie", "set-cookie", "X-API-Key",
            "x-amz-security-token",
        )),
        *((name, "which belongs to the connection") for name in (
            "Connection", "keep-alive", "proxy-authenticate", "proxy-connection", "TE", "trailer", "trailers",
            "transfer-encoding", "upgrade", "Host", "content-length", "expect", "forwarded", "via",
            "X-Forwarded-For",
        )),
        ("X-Mlapi-Callers-Team", "by which the parts of the gateway tell each other who calls"),
    ],
)  # fmt: skip
def test_credentials_and_headers_of_the_connection_are_refused(
    header: str, reason: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][1]["integration"]["headers"] = [header]
    (problem,) = problems_of(good)
    assert (problem.id, problem.found) == ("C202", f'"{header}", {reason}')


def test_the_same_header_a_third_time_is_compared_with_the_first(
    good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][1]["integration"]["headers"] = ["X-Team", "x-team", "X-Other", "X-TEAM"]
    assert [(problem.id, problem.found) for problem in problems_of(good)] == [
        ("C203", '"x-team" after "X-Team"'),
        ("C203", '"X-TEAM" after "X-Team"'),
    ]


@pytest.mark.parametrize("header", ["Content-Type", "ACCEPT"])
def test_what_always_passes_is_a_warning(
    header: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][1]["integration"]["headers"] = [header]
    (problem,) = problems_of(good)
    assert (problem.id, problem.severity) == ("C204", "warning")
