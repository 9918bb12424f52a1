"""Answers what callers ask of jobs: HTTP on loopback, for the gateway alone, which knows a token of this run.

The gateway has compared keys by then, and says whose call it is. A call that comes here at any other path
than those of jobs is one that asked to be answered later; it would have gone to a model.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
from typing import TYPE_CHECKING, Any

from aiohttp import hdrs, web

from centralized_ml_api.api import anthropic
from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.http import JOB_PATH, JOBS_PATH
from centralized_ml_api.api.jobs import (
    APPLIED,
    PREFER_HEADER,
    RETRY_AFTER_SECONDS,
    PageError,
    cut_page,
    describe_job,
    list_jobs,
    path_of,
    read_page,
)
from centralized_ml_api.local.gateway import (
    DOOR_CALLER_HEADER,
    DOOR_HOST_HEADER,
    DOOR_MODEL_HEADER,
    DOOR_TEAM_HEADER,
    JOIN_PROOF_HEADER,
)
from centralized_ml_api.local.jobs.book import TooManyJobsError
from centralized_ml_api.local.jobs.types import Asked
from centralized_ml_api.local.machine.listen import refuse_web_pages

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from centralized_ml_api.local.jobs.book import JobBook
    from centralized_ml_api.local.jobs.runner import JobRunner
    from centralized_ml_api.local.jobs.types import Answered, Job

BODY_BYTES = 64 * 1024 * 1024
"""More than the gateway lets pass."""

_UPLOADS = 4
"""So many bodies are in memory at the same time."""

_PIECE_BYTES = 256 * 1024
_NOBODY = "-"
_UNKEPT = frozenset(
    {
        # Credentials: no file has them.
        *("authorization", "x-api-key", "cookie", "proxy-authorization"),
        # About the way of the call that came, not of the one that is made.
        *("connection", "content-length", "transfer-encoding", "host", "expect", "te", "upgrade"),
        *("x-request-id", PREFER_HEADER),
    }
)
_UNKEPT_BEGINNINGS = ("x-mlapi-", "x-envoy-", "x-forwarded-")


def build_jobs_application(book: JobBook, runner: JobRunner, token: str) -> web.Application:
    """Builds the application; `api.jobs` says how a job is described.

    Args:
        book: The jobs.
        runner: Calls for them.
        token: What the gateway proves itself with.
    """
    desk = _Desk(book, runner)

    @web.middleware
    async def check_proof(request: web.Request, handler: Any) -> web.StreamResponse:
        given = request.headers.get(JOIN_PROOF_HEADER, "")
        if not hmac.compare_digest(given.encode(errors="surrogateescape"), token.encode()):
            raise web.HTTPUnauthorized
        try:
            answer: web.StreamResponse = await handler(request)
        except OSError:
            return _refuse(request, errors.API_FAILED)
        return answer

    application = web.Application(middlewares=[refuse_web_pages, check_proof], client_max_size=BODY_BYTES)
    application.add_routes(
        [
            web.get(JOBS_PATH, desk.show_list),
            web.get(JOB_PATH, desk.show),
            web.delete(JOB_PATH, desk.delete),
            web.post("/{path:.*}", desk.add),
        ]
    )
    return application


class _Desk:
    """Handles the requests."""

    def __init__(self, book: JobBook, runner: JobRunner) -> None:
        self._book, self._runner = book, runner
        self._uploads = asyncio.Semaphore(_UPLOADS)

    async def add(self, request: web.Request) -> web.StreamResponse:
        """Takes a call that is to be answered later, and answers 202 with its job."""
        async with self._uploads:
            body = await request.read()
            try:
                job = await self._book.add(_read_asked(request), body)
            except TooManyJobsError:
                return _refuse(request, errors.TOO_MANY_JOBS, _WAIT)
        headers = {"location": path_of(job.id), APPLIED[0]: APPLIED[1], **_WAIT}
        return _respond(202, self._describe(job), headers)

    async def show_list(self, request: web.Request) -> web.StreamResponse:
        """Lists jobs of a team; without teams, nobody sees another's."""
        team = _team_of(request)
        jobs = self._book.list_of(team) if team else []
        try:
            part, has_more = cut_page([job.id for job in jobs], read_page(request.query))
        except PageError as refusal:
            return _refuse(request, refusal.error)
        except ValueError:
            return _refuse(request, errors.JOB_NOT_FOUND)
        places = self._book.places()
        told = (_describe(job, places.get(job.id, 0)) for job in jobs[part])
        return _respond(200, list_jobs(told, has_more=has_more))

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Answers as the model did; 202 with the job while the model has not."""
        job = self._find(request)
        if job is None:
            return _refuse(request, errors.JOB_NOT_FOUND)
        if job.is_open:
            return _respond(202, self._describe(job), _WAIT)
        if job.status == "cancelled":
            return _respond(200, self._describe(job))
        if job.answered is None:
            return _refuse(request, _error_of(job), path=job.asked.path)
        return await self._hand_out(request, job.answered, self._book.store.answer_of(job))

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """Cancels a job that is open, or forgets one that is over."""
        job = self._find(request)
        if job is None:
            return _refuse(request, errors.JOB_NOT_FOUND)
        cancelled = await self._runner.cancel(job) if job.is_open else None
        if cancelled is None:
            job = self._find(request) or job
            await self._book.forget(job)
        return _respond(200, self._describe(cancelled or job))

    async def _hand_out(self, request: web.Request, answered: Answered, path: Path) -> web.StreamResponse:
        """Answers as the call was answered, or 404 once the job is being forgotten."""
        try:
            file = await asyncio.to_thread(path.open, "rb")
        except FileNotFoundError:
            return _refuse(request, errors.JOB_NOT_FOUND)
        with file:
            answer = web.StreamResponse(status=answered.status)
            for name, value in answered.headers:
                answer.headers.add(name, value)
            answer.content_length = os.fstat(file.fileno()).st_size
            await answer.prepare(request)
            while request.method != hdrs.METH_HEAD and (
                piece := await asyncio.to_thread(file.read, _PIECE_BYTES)
            ):
                await answer.write(piece)
        await answer.write_eof()
        return answer

    def _find(self, request: web.Request) -> Job | None:
        return self._book.find(request.match_info["id"], _team_of(request))

    def _describe(self, job: Job) -> dict[str, Any]:
        return _describe(job, self._book.ahead_of(job))


_WAIT = {"retry-after": str(RETRY_AFTER_SECONDS)}


def _team_of(request: web.Request) -> str:
    team = request.headers.get(DOOR_TEAM_HEADER, "")
    return "" if team == _NOBODY else team


def _read_asked(request: web.Request) -> Asked:
    """Reads what is kept of a call; the path names the model, or else its body does."""
    first = request.path.split("/")[1]
    kept = tuple(
        (name.lower(), value)
        for name, value in request.headers.items()
        if name.lower() not in _UNKEPT and not name.lower().startswith(_UNKEPT_BEGINNINGS)
    )
    return Asked(
        team=_team_of(request),
        path=request.raw_path,
        model=request.headers.get(DOOR_MODEL_HEADER, "") if first == "v1" else first,
        headers=kept,
        caller=request.headers.get(DOOR_CALLER_HEADER, ""),
        host=request.headers.get(DOOR_HOST_HEADER, "localhost"),
    )


def _describe(job: Job, ahead: int | None) -> dict[str, Any]:
    place = ahead if job.is_open else None
    return describe_job(job.id, job.status, job.asked.model, int(job.created), place)


def _error_of(job: Job) -> errors.ApiError:
    return errors.ERRORS.get(job.error, errors.JOB_INTERRUPTED)


def _refuse(
    request: web.Request,
    error: errors.ApiError,
    headers: Mapping[str, str] | None = None,
    *,
    path: str = "",
) -> web.StreamResponse:
    """Answers with an error of the API, in the shape of the path that was called."""
    request_id = request.headers.get("x-request-id", "")
    is_anthropic = anthropic.PATHS.fullmatch(path.partition("?")[0])
    render = anthropic.render_error if is_anthropic else errors.render_error
    return _respond(error.status, render(error, request_id), headers)


def _respond(
    status: int, document: dict[str, Any] | str, headers: Mapping[str, str] | None = None
) -> web.StreamResponse:
    """Builds a response of JSON, whose type names no encoding, as on every other path."""
    text = document if isinstance(document, str) else json.dumps(document)
    return web.Response(status=status, body=text.encode(), content_type="application/json", headers=headers)
