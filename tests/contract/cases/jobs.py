"""Calls that ask to be answered later, as far as one request tells; `test_jobs` follows them to their end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api import openai
from centralized_ml_api.api.http import JOBS_PATH
from centralized_ml_api.local.jobs.store import ID
from contract.case import AWS, JSON, LOCAL, Case, Expected, Json, Request, refused
from contract.cases.openai import chat

if TYPE_CHECKING:
    from support.running_gateway import Answer

PREFER = {"Prefer": "respond-async"}
ONLY = LOCAL
"""The target that has jobs with this config; on AWS they are asked for, see `test_jobs_on_aws`."""


@dataclass(frozen=True)
class Taken:
    """The document of a job that has no answer yet."""

    model: str

    def check(self, answer: Answer) -> None:
        """Compares it."""
        told = answer.json
        assert ID.fullmatch(told["id"]), told
        assert (told["object"], told["model"]) == ("job", self.model), told
        assert told["status"] in {"queued", "running"}, told
        assert isinstance(told["created_at"], int), told
        assert (answer.header("location") or "").endswith(f"/v1/jobs/{told['id']}"), answer
        assert int(answer.header("retry-after") or 0) > 0, answer


def later(request: Request, prefer: str = "respond-async") -> Request:
    """The same call, answered later."""
    return replace(request, headers={**request.headers, "Prefer": prefer})


def taken(model: str) -> Expected:
    """What a call gets that is answered later."""
    return Expected(202, Taken(model), JSON, {"preference-applied": "respond-async"})


_ECHO = Request("/echo", b'{"a": 1}', headers={"Content-Type": JSON})
_OF_ONE = {"allow": "GET, HEAD, DELETE, OPTIONS"}

CASES = [
    *(
        Case(f"a call is answered later: {name}", later(request), taken(model), only=ONLY)
        for name, request, model in (
            ("of a model", _ECHO, "echo"),
            ("of a function", Request("/function", b"{}"), "function"),
            ("that streams", Request("/events", b"{}"), "events"),
            ("by the body", chat(), "chat"),
            ("below an entry", replace(chat(model="any"), path=f"/chat{openai.CHAT_PATH}"), "chat"),
            (
                "below an entry, oddly",
                replace(chat(model="a\r\nb: c"), path=f"/chat{openai.CHAT_PATH}"),
                "chat",
            ),
            ("whose body has no length", replace(_ECHO, chunked=True), "echo"),
        )
    ),
    *(
        Case(f"the preference is found: {prefer}", later(_ECHO, prefer), taken("echo"), only=ONLY)
        for prefer in ("Respond-Async", "wait=5, respond-async; x=y", 'note="a, b", respond-async')
    ),
    *(
        Case(f"another preference changes nothing: {prefer}", later(_ECHO, prefer), Expected(200), only=ONLY)
        for prefer in ("wait=5", "respond-asynchronously", 'note="a, respond-async"', "respond-async=no")
    ),
    Case("without `aws.jobs` AWS answers at once", later(_ECHO), Expected(200), only=AWS),
    Case(
        "a path that does not exist is refused at once",
        later(Request("/nope")),
        refused(errors.UNKNOWN_PATH),
        only=ONLY,
    ),
    Case(
        "an unknown model is refused at once",
        later(chat(model="nope")),
        refused(openai.MODEL_NOT_FOUND),
        only=ONLY,
    ),
    Case(
        "a model that is not served is refused at once",
        later(Request("/not-served")),
        refused(errors.NOT_SERVED),
        only=ONLY,
    ),
    Case(
        "a body that is too large is refused at once",
        later(Request("/echo", b"x" * (6 * 1024 * 1024 + 1))),
        refused(errors.BODY_TOO_LARGE),
        only=ONLY,
    ),
    Case("reading is answered at once", Request("/health", b"", "GET", PREFER), Expected(503), only=ONLY),
    *(
        Case(
            f"an unknown job is told so: {method} {path}",
            Request(path, b"", method),
            refused(errors.JOB_NOT_FOUND),
            only=ONLY,
        )
        for method in ("GET", "DELETE")
        for path in (f"{JOBS_PATH}/job_{'0' * 32}", f"{JOBS_PATH}/..%2F..%2Fkeys")
    ),
    Case(
        "without teams nobody lists jobs",
        Request(JOBS_PATH, b"", "GET"),
        Expected(200, Json({"object": "list", "data": []}), JSON),
        only=ONLY,
    ),
    Case(
        "another method of a job is 405 with Allow",
        Request(f"{JOBS_PATH}/job_0", method="PUT"),
        Expected(405, headers=_OF_ONE),
        only=ONLY,
    ),
    Case(
        "another method of the list of jobs is 405 with Allow",
        Request(JOBS_PATH, method="PUT"),
        Expected(405, headers={"allow": "GET, HEAD, OPTIONS"}),
        only=ONLY,
    ),
]
