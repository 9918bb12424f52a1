"""Answers that take minutes: a call that asks for it (`Prefer: respond-async`) is answered later, as a job.

Both targets agree on what is here: which calls ask for it, and how a job is told.
Source: https://www.rfc-editor.org/rfc/rfc7240#section-4.1
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from centralized_ml_api.api.http import JOB_PATH

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def list_jobs(documents: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Builds the list of jobs from their documents, the newest first. Pure."""
    return {"object": "list", "data": list(documents)}
