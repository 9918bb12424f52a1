from __future__ import annotations

import pytest

from centralized_ml_api.local.servers import UrlTarget, invocations_path, parse_url
from centralized_ml_api.plan.types import UrlServing


@pytest.mark.parametrize(
    ("url", "ping", "expected"),
    [
        ("http://gpu:8000/v1/chat", None, UrlTarget("gpu", 8000, False, "/v1/chat", None)),  # noqa: FBT003
        ("https://gpu", "/health", UrlTarget("gpu", 443, True, "/", "https://gpu/health")),  # noqa: FBT003
        ("http://gpu/a?b=c", None, UrlTarget("gpu", 80, False, "/a?b=c", None)),  # noqa: FBT003
        (
            "http://[::1]:81/a",
            "http://other/ping",
            UrlTarget("::1", 81, False, "/a", "http://other/ping"),  # noqa: FBT003
        ),
    ],
)
def test_an_address_is_taken_apart(url: str, ping: str | None, expected: UrlTarget) -> None:
    assert parse_url(UrlServing(url, ping)) == expected
    assert invocations_path(UrlServing(url, ping)) == expected.path


@pytest.mark.parametrize(
    "url", ["gpu:8000/x", "ftp://gpu/x", "http:///x", "http://me:word@gpu/x", "http://gpu:no/"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_url(UrlServing(url, None))
