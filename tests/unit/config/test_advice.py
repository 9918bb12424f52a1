"""What a problem advises, and which characters an address and a path may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("key", "value", "fix"),
    [
        ("instance", 3, 'write text such as "ml.g5.2xlarge"'),
        ("image", 3, 'write "3"'),
        ("model_data", 3, 'write text such as "s3://my-bucket/model.tar.gz"'),
        ("instances", [3], 'write text such as "ml.g5.2xlarge"'),
        ("name", True, 'write "true"'),
        ("description", 1.5, 'write "1.5"'),
        ("name", [], 'write text such as "open-llama"'),
        ("instances", 3, ""),
        ("accept_eula", 3, ""),
    ],
)
def test_a_value_of_the_wrong_type_is_put_in_quotes_only_where_that_is_right(
    key: str, value: Any, fix: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][0][key] = value
    assert [one.fix for one in problems_of(good) if one.id == "C012"] == [fix]


@pytest.mark.parametrize(
    ("key", "value", "fix"),
    [
        ("ends", 2030, 'write text such as "2030-06-01T18:00:00+02:00"'),
        ("budget", {"usd": 5, "email": 3}, 'write text such as "you@example.com"'),
    ],
)
def test_a_known_format_gets_an_example(
    key: str, value: Any, fix: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["event"] = {key: value}
    assert [one.fix for one in problems_of(good) if one.id == "C012"] == [fix]


BAD_CHARACTERS = [
    ("/ü%ZZ", "it has a character outside of ASCII"),
    ("/a%ZZ", "%ZZ is no percent escape"),
    ("/a%", "% is no percent escape"),
    ("/a%4", "%4 is no percent escape"),
    ("/a b", "it has a space in it"),
    ("/a\tb", "it has a space in it"),
    ("/a\nb", "it has a space in it"),
    ("/a\x00b", "it has a control character in it"),
    ("/a\x7fb", "it has a control character in it"),
    ("/a\u202eb", "it has a character outside of ASCII"),
    ("/a#b", "it has a # in it"),
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
