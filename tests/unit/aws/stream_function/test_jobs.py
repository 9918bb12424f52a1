"""Calls whose callers do not wait: the real functions over moto's DynamoDB, Lambda's queue between them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from centralized_ml_api.plan.aws.jobs import LIMITS
from support.asked_jobs import ANSWER, QUESTION, code_of
from support.jobs_on_aws import CHAT_PATH, JOB_PATH, TABLE, Jobs, make_table
from support.model_server import answer as always
from support.stream_host import build_event
from support.waiting import wait_until

if TYPE_CHECKING:
    from support.background import Background

pytestmark = pytest.mark.slow
DAY_SECONDS = 24 * 60 * 60


def test_a_call_becomes_a_job_whose_answer_is_as_it_would_have_been(jobs: Jobs) -> None:
    accepted = jobs.call(body=QUESTION)
    document = json.loads(accepted.body.read())
    assert accepted.status == 202
    assert accepted.headers["preference-applied"] == "respond-async"
    assert accepted.headers["location"] == f"/prod/v1/jobs/{document['id']}"
    assert accepted.headers["retry-after"] == "5"
    assert document == {
        "id": document["id"],
        "object": "job",
        "status": "queued",
        "model": "hosted",
        "created_at": document["created_at"],
    }
    assert isinstance(document["created_at"], int)
    assert len(document["id"]) == len("job_") + 32
    assert jobs.server.asked == [], "nothing has run"
    waiting, said = jobs.look(document["id"])
    assert (waiting.status, json.loads(said), waiting.headers["retry-after"]) == (202, document, "5")
    jobs.run()
    done, body = jobs.look(document["id"])
    assert (done.status, body) == (200, ANSWER)
    assert done.headers["content-type"] == "application/json"
    assert done.headers["x-request-id"] == accepted.headers["x-request-id"]
    assert jobs.look(document["id"], method="HEAD")[1] == b""
    assert jobs.statuses() == {document["id"]: "done"}


def test_lambda_is_asked_to_run_it_without_an_answer_by_the_functions_own_credentials(jobs: Jobs) -> None:
    job_id = jobs.start(QUESTION)
    (headers,) = jobs.queue.asked
    assert headers["x-amz-invocation-type"] == "Event"
    assert "/lambda/aws4_request" in headers["authorization"]
    assert jobs.queue.events == [{"owner": "red", "id": job_id}]


def test_what_a_job_runs_is_what_was_sent_without_the_callers_credentials(jobs: Jobs) -> None:
    headers = {
        "Prefer": "respond-async",
        "X-Mine": "mine",
        "X-Other": "no",
        "x-api-key": "the-key",
        "Authorization": "Bearer the-key",
        "Cookie": "the-key",
    }
    jobs.front.invoke(build_event(CHAT_PATH, QUESTION, headers, team="red")).body.read()
    assert "the-key" not in str(jobs.items())
    jobs.run()
    (asked,) = jobs.server.asked
    assert asked.headers["x-mine"] == "mine"
    assert {"x-other", "prefer", "x-api-key", "cookie"}.isdisjoint(asked.headers)
    assert json.loads(asked.body) == {**QUESTION, "model": "m"}


def test_a_job_names_the_betas_of_its_call(jobs: Jobs) -> None:
    betas = {"Anthropic-Beta": "a,b", "Anthropic-Version": "2026-10-21"}
    body = {**QUESTION, "model": "claude", "max_tokens": 9}
    sent = {"Prefer": "respond-async", **betas}
    accepted = jobs.front.invoke(build_event("/v1/messages", body, sent, team="red"))
    assert accepted.status == 202, accepted.body.read()
    jobs.run()
    (asked,) = jobs.server.asked
    assert {name: asked.headers[name.lower()] for name in betas} == betas


@pytest.mark.parametrize("size", [0, 1_200_000])
def test_bodies_larger_than_an_item_of_the_table_come_back_whole(jobs: Jobs, size: int) -> None:
    body = bytes(range(256)) * (size // 256)
    jobs.server.answering = always(200, body[::-1], content_type="audio/wav")
    job_id = jobs.start(body, "/native")
    jobs.run()
    done, answered = jobs.look(job_id)
    assert jobs.server.asked[0].body == body
    assert (done.headers["content-type"], answered) == ("audio/wav", body[::-1])
    assert not any("#request#" in span for span in jobs.spans()), "the question is not kept any longer"


def test_a_stream_is_kept_with_all_its_events(jobs: Jobs) -> None:
    events = b'data: {"choices": [{"index": 0, "delta": {"content": "b"}}]}\n\ndata: [DONE]\n\n'
    jobs.server.answering = always(200, events, content_type="text/event-stream")
    job_id = jobs.start({**QUESTION, "stream": True})
    jobs.run()
    done, body = jobs.look(job_id)
    assert done.headers["content-type"].startswith("text/event-stream")
    assert body == events


def test_an_error_of_the_model_is_the_answer_of_a_job_that_failed(jobs: Jobs) -> None:
    jobs.server.answering = always(400, b'{"error": {"message": "mine"}}', content_type="application/json")
    job_id = jobs.start(QUESTION)
    jobs.run()
    failed, body = jobs.look(job_id)
    assert failed.status == 400
    assert json.loads(body)["error"]["message"] == "mine"
    assert jobs.statuses() == {job_id: "failed"}


def test_a_request_that_no_model_takes_is_refused_at_once(jobs: Jobs) -> None:
    for body, status in (({"model": "none"}, 404), (b"{", 400)):
        answer = jobs.call(body=body)
        assert answer.status == status
        answer.body.read()
    assert jobs.queue.events == []
    assert jobs.spans() == set()


def test_a_paused_model_takes_no_jobs(jobs: Jobs) -> None:
    event = build_event(CHAT_PATH, QUESTION, {"Prefer": "respond-async"}, team="red")
    event["requestContext"]["authorizer"]["paused"] = json.dumps({"hosted": "Back at two."})
    answer = jobs.front.invoke(event)
    assert (answer.status, code_of(answer.body.read())) == (503, "paused")
    assert jobs.queue.events == []


def test_a_job_runs_once_however_often_lambda_is_handed_it(jobs: Jobs) -> None:
    jobs.start(QUESTION)
    jobs.queue.events *= 2
    jobs.run()
    jobs.run()
    assert len(jobs.server.asked) == 1


def test_only_the_team_that_asked_sees_a_job(jobs: Jobs) -> None:
    job_id = jobs.start(QUESTION)
    for team, found in (("blue", job_id), (None, job_id), ("red", "job_0")):
        for method in ("GET", "HEAD", "DELETE"):
            answer, body = jobs.look(found, team, method)
            assert answer.status == 404
            assert code_of(body) == "job_not_found"
    assert (jobs.statuses("blue"), list(jobs.statuses())) == ({}, [job_id])


def test_without_keys_the_id_alone_opens_a_job_and_nobody_sees_a_list(jobs: Jobs) -> None:
    job_id = jobs.start(QUESTION, team=None)
    jobs.run()
    assert jobs.look(job_id, team=None)[1] == ANSWER
    assert jobs.statuses(team=None) == {}


def test_a_job_that_waits_is_cancelled_and_never_runs(jobs: Jobs) -> None:
    job_id = jobs.start(QUESTION)
    cancelled, body = jobs.look(job_id, method="DELETE")
    assert (cancelled.status, json.loads(body)["status"]) == (200, "cancelled")
    jobs.run()
    assert jobs.server.asked == []
    shown, body = jobs.look(job_id)
    assert (shown.status, json.loads(body)["status"]) == (200, "cancelled")
    jobs.look(job_id, method="DELETE")
    assert jobs.look(job_id)[0].status == 404
    assert jobs.spans() == set()


def test_the_answer_of_a_job_that_is_cancelled_while_it_runs_is_dropped(jobs: Jobs, loop: Background) -> None:
    model = Gate()
    jobs.server.answering = model
    job_id = jobs.start(QUESTION)
    running = jobs.begin()
    wait_until(lambda: bool(jobs.server.asked), "the model is asked")
    assert jobs.statuses() == {job_id: "running"}
    assert json.loads(jobs.look(job_id, method="DELETE")[1])["status"] == "cancelled"
    loop.run(model.open())
    assert b"".join(running) == b"null"
    assert jobs.statuses() == {job_id: "cancelled"}
    assert jobs.spans() == {f"job#{job_id}"}


def test_a_job_holds_its_place_while_its_model_works_however_often_it_is_deleted(
    jobs: Jobs, loop: Background
) -> None:
    model = Gate()
    jobs.server.answering = model
    first, *_ = [jobs.start(QUESTION) for _ in range(LIMITS["most_at_once"])]
    running = jobs.begin()
    wait_until(lambda: bool(jobs.server.asked), "the model is asked")
    for _ in range(3):
        deleted, body = jobs.look(first, method="DELETE")
        assert (deleted.status, json.loads(body)["status"]) == (200, "cancelled")
    refused = jobs.call(body=QUESTION)
    assert (refused.status, code_of(refused.body.read())) == (429, "too_many_jobs")
    loop.run(model.open())
    assert b"".join(running) == b"null"
    jobs.start(QUESTION)
    jobs.look(first, method="DELETE")
    assert jobs.look(first)[0].status == 404


def test_a_job_whose_caller_was_told_that_it_never_ran_does_not_run(jobs: Jobs) -> None:
    job_id = jobs.start(QUESTION)
    jobs.age(job_id, LIMITS["queue_seconds"] + LIMITS["grace_seconds"] + 1)
    assert jobs.look(job_id)[0].status == 503
    jobs.run()
    assert jobs.server.asked == []


def test_a_job_that_is_done_is_forgotten_with_all_that_belongs_to_it(jobs: Jobs) -> None:
    job_id = jobs.start(QUESTION)
    jobs.run()
    forgotten, body = jobs.look(job_id, method="DELETE")
    assert (forgotten.status, json.loads(body)["status"]) == (200, "done")
    assert jobs.look(job_id)[0].status == 404
    assert jobs.spans() == set()


def test_a_team_has_so_many_jobs_at_once_and_others_are_not_held_up(jobs: Jobs) -> None:
    started = [jobs.start(QUESTION) for _ in range(LIMITS["most_at_once"])]
    refused = jobs.call(body=QUESTION)
    assert (refused.status, refused.headers["retry-after"]) == (429, "5")
    assert code_of(refused.body.read()) == "too_many_jobs"
    assert len(jobs.queue.events) == len(started)
    assert jobs.spans() >= {f"job#{job_id}" for job_id in started}
    assert len(jobs.statuses()) == len(started), "the refused one has left nothing"
    jobs.start(QUESTION, team="blue")
    jobs.run()
    jobs.start(QUESTION)
    assert jobs.call(body=QUESTION).status == 429
    jobs.look(started[1], method="DELETE")
    jobs.start(QUESTION)


def test_a_job_whose_function_has_died_failed_and_holds_no_place(jobs: Jobs) -> None:
    started = [jobs.start(QUESTION) for _ in range(LIMITS["most_at_once"])]
    model = Gate()
    jobs.server.answering = model
    jobs.begin()
    wait_until(lambda: bool(jobs.server.asked), "the model is asked")
    jobs.runner.kill()
    for job_id in started[:2]:
        assert jobs.look(job_id)[0].status == 202
        jobs.age(job_id, LIMITS["run_seconds"] + LIMITS["grace_seconds"])
    interrupted, body = jobs.look(started[0])
    assert (interrupted.status, code_of(body)) == (502, "job_interrupted")
    never, body = jobs.look(started[1])
    assert (never.status, code_of(body)) == (503, "model_not_ready")
    assert [jobs.statuses()[job_id] for job_id in started[:3]] == ["failed", "failed", "queued"]
    jobs.start(QUESTION)
    jobs.start(QUESTION)
    assert jobs.call(body=QUESTION).status == 429


def test_the_newest_job_is_listed_first(jobs: Jobs) -> None:
    started = [jobs.start(QUESTION) for _ in range(LIMITS["most_at_once"])]
    assert list(jobs.statuses()) == started[::-1], "within one second, too"


def test_a_job_is_kept_for_a_day(jobs: Jobs) -> None:
    job_id = jobs.start(QUESTION)
    jobs.run()
    jobs.age(job_id, DAY_SECONDS - 600)
    assert jobs.look(job_id)[0].status == 200
    jobs.age(job_id, 600)
    assert jobs.look(job_id)[0].status == 404
    assert jobs.statuses() == {}


def test_with_an_event_that_ends_a_job_is_kept_until_its_table_goes(jobs: Jobs) -> None:
    with jobs.deploy({"EVENT_ENDS": "2030-06-01T16:00:00Z"}) as front:
        event = build_event(CHAT_PATH, QUESTION, {"Prefer": "respond-async"}, team="red")
        front.invoke(event).body.read()
    (job,) = (item for item in jobs.items() if "created_at" in item)
    assert "expires_at" not in job


def test_a_deployment_without_jobs_ignores_the_preference(jobs: Jobs) -> None:
    with jobs.deploy({"JOBS_TABLE": ""}) as front:
        answer = front.invoke(build_event(CHAT_PATH, QUESTION, {"Prefer": "respond-async"}))
        assert (answer.status, answer.body.read()) == (200, ANSWER)


def test_a_job_that_lambda_does_not_take_is_none(jobs: Jobs) -> None:
    jobs.queue.status = 429
    refused = jobs.call(body=QUESTION)
    assert (refused.status, code_of(refused.body.read())) == (503, "model_not_ready")
    assert jobs.statuses() == {}
    assert jobs.spans() == set()


def test_a_job_of_which_lambda_may_know_never_runs_unseen(jobs: Jobs) -> None:
    jobs.queue.loses_answers = True
    refused = jobs.call(body=QUESTION)
    assert refused.status == 503
    refused.body.read()
    jobs.run()
    assert jobs.server.asked == [], "its caller may have asked again"


def test_too_large_an_answer_is_an_error(jobs: Jobs) -> None:
    jobs.server.answering = stream_on
    job_id = jobs.start(b"", "/native")
    jobs.run()
    failed, body = jobs.look(job_id)
    assert (failed.status, code_of(body)) == (502, "answer_too_large")


def test_an_answer_that_breaks_off_is_a_job_that_failed(jobs: Jobs) -> None:
    async def break_off(request: web.Request, _body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b'data: {"choices": []}\n\n')
        assert request.transport is not None
        request.transport.abort()
        return response

    jobs.server.answering = break_off
    job_id = jobs.start({**QUESTION, "stream": True})
    jobs.run()
    _, body = jobs.look(job_id)
    assert body.startswith(b"data: ")
    assert b"model_failed" in body
    assert jobs.statuses() == {job_id: "failed"}


@pytest.mark.parametrize(
    ("preferences", "is_job"),
    [
        (["respond-async"], True),
        (["wait=10, Respond-Async"], True),
        (['return=minimal; a="x, y"', "respond-async; b"], True),
        (['respond-async=""'], True),
        (["respond-async=no"], False),
        (['a="respond-async, respond-async"'], False),
        (["respond-asynchronously", "x-respond-async"], False),
    ],
)
def test_the_preference_is_read_as_its_rfc_says(jobs: Jobs, preferences: list[str], *, is_job: bool) -> None:
    event: dict[str, Any] = build_event(CHAT_PATH, QUESTION, {"Prefer": preferences[-1]}, team="red")
    event["multiValueHeaders"]["Prefer"] = preferences
    answer = jobs.front.invoke(event)
    answer.body.read()
    assert answer.status == (202 if is_job else 200)


def test_nothing_becomes_a_job_that_cannot_be_kept(jobs: Jobs) -> None:
    jobs.database.delete_table(TableName=TABLE)
    try:
        for answer in (
            jobs.call(body=QUESTION),
            jobs.call("/v1/jobs", method="GET"),
            jobs.call(JOB_PATH, method="GET", id="job_0"),
        ):
            assert (answer.status, code_of(answer.body.read())) == (503, "model_not_ready")
    finally:
        make_table(jobs.database, TABLE)
    assert jobs.queue.events == []


class Gate:
    """A model that answers when it is let."""

    def __init__(self) -> None:
        self._gate = asyncio.Event()

    async def open(self) -> None:
        """Lets it answer."""
        self._gate.set()

    async def __call__(self, _request: web.Request, _body: bytes) -> web.StreamResponse:
        await self._gate.wait()
        return web.Response(body=ANSWER, content_type="application/json")


async def stream_on(request: web.Request, _body: bytes) -> web.StreamResponse:
    """An answer of 20 megabytes."""
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    await response.prepare(request)
    for _ in range(20):
        await response.write(bytes(1024 * 1024))
    return response
