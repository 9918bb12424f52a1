"""Which characters a URL and a path may contain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


BAD_CHARACTERS = [
    ("/ü%ZZ", "it contains a character outside ASCII"),
    ("/a%ZZ", "%ZZ is not a percent escape"),
    ("/a%", "% is not a percent escape"),
    ("/a%4", "%4 is not a percent escape"),
    ("/a b", "it contains a space"),
    ("/a\tb", "it contains a space"),
    ("/a\nb", "it contains a space"),
    ("/a\x00b", "it contains a control character"),
    ("/a\x7fb", "it contains a control character"),
    ("/a\u202eb", "it contains a character outside ASCII"),
    ("/a#b", "it contains a #"),
]
GOOD = ["/", "/v1/chat/completions", "/a%20b%C3%BC?x=%25&y=1", "/%7Euser"]


@pytest.mark.parametrize(("path", "reason"), BAD_CHARACTERS)
def test_an_address_that_every_call_would_fail_on_is_refused(
    path: str, reason: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][1]["local"] = {"engine": "url", "url": f"http://127.0.0.1:1{path}"}
    (found,) = problems_of(good)
    assert found.id == "C304"
    assert found.found.endswith(f": {reason}")


@pytest.mark.parametrize("key", ["ping", "invocations"])
@pytest.mark.parametrize(("path", "reason"), BAD_CHARACTERS)
def test_a_path_that_every_call_would_fail_on_is_refused(
    path: str, reason: str, key: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][1]["local"] = {"engine": "command", "run": ["serve", "{port}"], key: path}
    (found,) = problems_of(good)
    assert (found.id, found.fix) == ("C305", "")
    assert found.found.endswith(f": {reason}")


@pytest.mark.parametrize("path", GOOD)
def test_percent_escapes_and_queries_are_allowed(
    path: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][0]["local"] = {"engine": "url", "url": f"https://gpu-box:8000{path}", "ping": path}
    good["models"][1]["local"] = {"engine": "command", "run": ["serve", "{port}"], "invocations": path}
    assert problems_of(good) == ()
