"""Which calls ask to be answered later, and how a job is told."""

from __future__ import annotations

import json
import re

import pytest

from centralized_ml_api.api import anthropic
from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.jobs import (
    LISTED,
    MOST_LISTED,
    PREFERS_ASYNC,
    Page,
    PageError,
    cut_page,
    describe_job,
    list_jobs,
    path_of,
    read_page,
)


def prefers_async(values: list[str]) -> bool:
    return re.fullmatch(PREFERS_ASYNC, ",".join(values)) is not None


@pytest.mark.parametrize(
    "values",
    [
        ["respond-async"],
        ["Respond-Async"],
        [" respond-async\t"],
        ["respond-async; wait=10"],
        ["respond-async;a;b=c"],
        ["respond-async=", 'x="'],
        ['respond-async=""'],
        ["respond-async, wait=10"],
        ["wait=10, RESPOND-ASYNC"],
        ['note="a, b\\"", respond-async'],
        ["wait=10", "respond-async"],
        ["", "respond-async"],
    ],
)
def test_a_call_asks_to_be_answered_later(values: list[str]) -> None:
    assert prefers_async(values)


@pytest.mark.parametrize(
    "values",
    [
        [],
        [""],
        ["wait=10"],
        ["respond-asynchronously"],
        ["no-respond-async"],
        ["respond async"],
        ["respond-async=no"],
        ["wait; respond-async"],
        ['note="a, respond-async, b"'],
        ['note="a\\", respond-async"'],
        ["return=minimal", "handling=lenient"],
    ],
)
def test_a_call_does_not_ask_for_that(values: list[str]) -> None:
    assert not prefers_async(values)


def test_a_job_is_told_with_its_place_as_long_as_it_has_one() -> None:
    told = {"id": "job_1", "object": "job", "status": "done", "model": "chat", "created_at": 17}
    assert describe_job("job_1", "done", "chat", 17) == told
    assert describe_job("job_1", "queued", "chat", 17, 0) == {**told, "status": "queued", "ahead": 0}
    assert path_of("job_1") == "/v1/jobs/job_1"


def test_a_list_of_jobs_is_one_of_openais() -> None:
    first, last = describe_job("job_2", "done", "chat", 17), describe_job("job_1", "done", "chat", 17)
    ends = {"first_id": "job_2", "last_id": "job_1", "has_more": True}
    assert list_jobs([first, last], has_more=True) == {"object": "list", "data": [first, last], **ends}
    none = {"first_id": None, "last_id": None, "has_more": False}
    assert list_jobs([], has_more=False) == {"object": "list", "data": [], **none}


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ({}, Page(LISTED, None)),
        ({"limit": "1"}, Page(1, None)),
        ({"limit": str(MOST_LISTED), "after": "job_1", "order": "asc"}, Page(MOST_LISTED, "job_1")),
    ],
)
def test_a_part_of_the_list_is_asked_for_as_in_openais_lists(query: dict[str, str], page: Page) -> None:
    assert read_page(query) == page


@pytest.mark.parametrize(
    "limit", ["", "0", "-1", "1.5", "01", "x", "\u0661", str(MOST_LISTED + 1), "9" * 5000]
)
def test_a_limit_that_is_none_is_refused(limit: str) -> None:
    with pytest.raises(PageError, match="from 1 to 100") as refusal:
        read_page({"limit": limit})
    assert (refusal.value.error.status, refusal.value.error.code) == (400, "refused")


@pytest.mark.parametrize(
    ("page", "part"),
    [
        (Page(2), (["c", "b"], True)),
        (Page(3), (["c", "b", "a"], False)),
        (Page(1, "c"), (["b"], True)),
        (Page(2, "c"), (["b", "a"], False)),
        (Page(2, "a"), ([], False)),
    ],
)
def test_a_page_begins_after_the_one_that_is_named(page: Page, part: tuple[list[str], bool]) -> None:
    ids = ["c", "b", "a"]
    found, has_more = cut_page(ids, page)
    assert (ids[found], has_more) == part


def test_a_page_after_no_job_is_none() -> None:
    with pytest.raises(ValueError, match="not in list"):
        cut_page(["a"], Page(2, "b"))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.JOB_INTERRUPTED, "api_error"),
        (errors.TOO_MANY_JOBS, "rate_limit_error"),
        (errors.INVALID_BODY, "invalid_request_error"),
        (errors.ApiError(500, "", "", "x"), "api_error"),
        (errors.ApiError(499, "", "", "x"), "invalid_request_error"),
    ],
)
def test_an_error_has_anthropics_shape(error: errors.ApiError, kind: str) -> None:
    told = {"type": "error", "error": {"type": kind, "message": error.message}, "request_id": "req-1"}
    assert json.loads(anthropic.render_error(error, "req-1")) == told


@pytest.mark.parametrize(
    ("path", "is_anthropics"),
    [
        ("/v1/messages", True),
        ("/v1/messages/count_tokens", True),
        ("/chat/v1/messages", True),
        ("/v1/chat/completions", False),
        ("/messages", False),
        ("/a/b/v1/messages", False),
    ],
)
def test_a_path_has_errors_of_that_shape(path: str, *, is_anthropics: bool) -> None:
    assert (anthropic.PATHS.fullmatch(path) is not None) == is_anthropics
