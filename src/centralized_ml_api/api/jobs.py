"""Answers that take minutes: a call that asks for it (`Prefer: respond-async`) is answered later, as a job.

Both targets agree on what is here: which calls ask for it, and how a job is told.
Source: https://www.rfc-editor.org/rfc/rfc7240#section-4.1
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from centralized_ml_api.api.error_shape import REFUSED, ApiError
from centralized_ml_api.api.http import JOB_PATH
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

JobStatus = Literal["queued", "running", "done", "failed", "cancelled"]
OPEN: frozenset[JobStatus] = frozenset({"queued", "running"})
"""The states in which there is no answer yet."""

PREFER_HEADER = "prefer"
APPLIED = ("preference-applied", "respond-async")
"""The header that says that the preference was obeyed."""

RETRY_AFTER_SECONDS = 5
"""How long to wait before looking at a job again, or before asking again where there are too many."""

CALL_SECONDS = 900
"""How long the call of a job may take, its wait for the model included: as long as AWS's functions run.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

LISTED, MOST_LISTED = 20, 100
"""How many jobs a list has where its reader names no `limit`, and the largest `limit`: as in OpenAI's lists.

Source: https://platform.openai.com/docs/api-reference/batch/list
"""

_LIMIT = re.compile("[1-9][0-9]{0,2}")

_PREFERENCE = r'(?:[^",]|"(?:[^"\\]|\\[\s\S])*")*'
_ASYNC = "".join(f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in APPLIED[1])
PREFERS_ASYNC = (
    rf"(?:{_PREFERENCE},)*[ \t]*{_ASYNC}[ \t]*"
    rf'(?:=[ \t]*(?:"")?[ \t]*)?(?:;{_PREFERENCE})?(?:,[\s\S]*)?'
)
"""Matches all values of `Prefer`, joined by commas, that have the preference: no value, any parameters.

It is the same regular expression, without flags, to Python, JavaScript and RE2.
Source: https://www.rfc-editor.org/rfc/rfc7240#section-2
"""


def path_of(job_id: str) -> str:
    """Returns the path of a job. Pure."""
    return JOB_PATH.replace("{id}", job_id)


def describe_job(
    job_id: str, status: JobStatus, model: str, created_at: int, ahead: int | None = None
) -> dict[str, Any]:
    """Builds the document of a job. Pure.

    Args:
        job_id: Its id.
        status: How it is.
        model: What its call calls.
        created_at: When it was asked for, in seconds since the epoch.
        ahead: How many jobs are called before it; None where nobody knows, or it is over.
    """
    told = {"id": job_id, "object": "job", "status": status, "model": model, "created_at": created_at}
    return told if ahead is None else {**told, "ahead": ahead}


@record
class Page:
    """Which part of a list its reader asks for: so many jobs, those after the one with this id."""

    limit: int = LISTED
    after: str | None = None


class PageError(Exception):
    """The reader of a list asks for no part of it.

    Attributes:
        error: What it is told.
    """

    def __init__(self, error: ApiError) -> None:
        super().__init__(error.message)
        self.error = error


def read_page(query: Mapping[str, str]) -> Page:
    """Returns the part of a list that the query of its path names. Pure.

    Raises:
        PageError: `limit` is no number from 1 to `MOST_LISTED`.
    """
    limit = query.get("limit", str(LISTED))
    if not _LIMIT.fullmatch(limit) or int(limit) > MOST_LISTED:
        raise PageError(REFUSED.with_message("limit", most=MOST_LISTED))
    return Page(int(limit), query.get("after"))


def cut_page(ids: list[str], page: Page) -> tuple[slice, bool]:
    """Returns where a part of a list is, and whether there is more behind it. Pure.

    Args:
        ids: Those of all jobs.
        page: The part.

    Raises:
        ValueError: There is no job with the id after which it begins.
    """
    start = 0 if page.after is None else ids.index(page.after) + 1
    return slice(start, start + page.limit), len(ids) > start + page.limit


def list_jobs(documents: Iterable[dict[str, Any]], *, has_more: bool) -> dict[str, Any]:
    """Builds a part of the list of jobs, the newest first, as OpenAI's lists are. Pure.

    Args:
        documents: Those of the jobs.
        has_more: Whether there are jobs behind them.
    """
    data = list(documents)
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return {"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": has_more}
