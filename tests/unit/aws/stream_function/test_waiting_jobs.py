"""Jobs on AWS that wait: for a model that is away, for the end of a pause, for a key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.asked_jobs import ANSWER, QUESTION, code_of
from support.model_server import answer as always
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.jobs_on_aws import Jobs


pytestmark = pytest.mark.slow


@pytest.fixture
def away(jobs: Jobs) -> Iterator[list[str]]:
    """The endpoint has no server that runs; the test may give it back these."""
    replicas = [*jobs.endpoint.replicas]
    jobs.endpoint.replicas.clear()
    jobs.endpoint.refused = 0
    yield replicas
    jobs.endpoint.replicas[:] = replicas


def test_a_job_whose_model_is_away_waits_until_it_is_there(jobs: Jobs, away: list[str]) -> None:
    job_id = jobs.start(b"{}", "/native")
    running = jobs.begin()
    wait_until(lambda: jobs.endpoint.refused > 1, "it was called in vain")
    jobs.endpoint.replicas += away
    assert b"".join(running) == b"null"
    assert jobs.look(job_id)[1] == ANSWER
    assert (len(jobs.server.asked), jobs.statuses()) == (1, {job_id: "done"})


@pytest.mark.usefixtures("away")
def test_a_job_one_of_whose_entries_has_answered_does_not_wait_for_the_others(jobs: Jobs) -> None:
    jobs.server.answering = always(429, b'{"error": {"message": "busy"}}', content_type="application/json")
    job_id = jobs.start({**QUESTION, "model": "falls"})
    jobs.run()
    failed, body = jobs.look(job_id)
    assert (failed.status, code_of(body), failed.headers["x-served-by"]) == (503, "model_not_ready", "native")
    assert len(jobs.server.asked) == 1


def test_a_job_waits_for_an_entry_whose_fallback_cannot_take_its_body(jobs: Jobs, away: list[str]) -> None:
    job_id = jobs.start({**QUESTION, "model": "rescued", "logprobs": True})
    running = jobs.begin()
    wait_until(lambda: jobs.endpoint.refused > 1, "it was called in vain")
    jobs.endpoint.replicas += away
    assert b"".join(running) == b"null"
    assert jobs.look(job_id)[1] == ANSWER
    assert (len(jobs.server.asked), jobs.statuses()) == (1, {job_id: "done"})


@pytest.mark.usefixtures("away")
def test_a_job_that_is_cancelled_while_its_model_is_away_calls_it_never(jobs: Jobs) -> None:
    job_id = jobs.start(b"{}", "/native")
    running = jobs.begin()
    wait_until(lambda: jobs.endpoint.refused > 1, "it was called in vain")
    jobs.look(job_id, method="DELETE")
    assert b"".join(running) == b"null", "the function does not wait to its own end"
    assert (jobs.endpoint.replicas, jobs.statuses()) == ([], {job_id: "cancelled"})


@pytest.mark.usefixtures("away")
def test_a_job_waits_no_longer_than_its_function_may_run(jobs: Jobs) -> None:
    job_id = jobs.start(b"{}", "/native")
    assert b"".join(jobs.runner.begin(jobs.queue.events.pop(0), timeout_seconds=60)) == b"null"
    failed, body = jobs.look(job_id)
    assert (failed.status, code_of(body)) == (503, "model_not_ready")


@pytest.mark.parametrize("what", ["", "hosted"], ids=["its team", "its model"])
def test_a_job_that_is_paused_meanwhile_waits_until_that_ends(jobs: Jobs, what: str) -> None:
    job_id = jobs.start(QUESTION)
    jobs.queue.paused["red"] = {what: "Back at two."}
    running = jobs.begin()
    wait_until(lambda: len(jobs.queue.admitted) > 2, "it asked again whether it may call")
    assert (jobs.server.asked, jobs.statuses()) == ([], {job_id: "running"})
    jobs.queue.paused.clear()
    assert b"".join(running) == b"null"
    assert jobs.look(job_id)[1] == ANSWER
    assert (len(jobs.server.asked), set(jobs.queue.admitted)) == (1, {"red"})


def test_the_pause_of_another_model_or_team_holds_no_job_up(jobs: Jobs) -> None:
    job_id = jobs.start(QUESTION)
    jobs.queue.paused |= {"red": {"native": ""}, "blue": {"": ""}}
    jobs.run()
    assert (jobs.look(job_id)[1], jobs.queue.admitted) == (ANSWER, ["red"])


def test_a_job_that_stays_paused_fails_as_a_caller_would(jobs: Jobs) -> None:
    job_id = jobs.start(QUESTION)
    jobs.queue.paused["red"] = {"hosted": "Back at two."}
    assert b"".join(jobs.runner.begin(jobs.queue.events.pop(0), timeout_seconds=60)) == b"null"
    failed, body = jobs.look(job_id)
    assert (failed.status, code_of(body), failed.headers["retry-after"]) == (503, "paused", "60")
    assert "Back at two." in json.loads(body)["error"]["message"]
    assert jobs.statuses() == {job_id: "failed"}


@pytest.mark.parametrize("is_waiting", [False, True], ids=["before it runs", "while it waits"])
def test_the_job_of_a_team_whose_key_is_revoked_fails(jobs: Jobs, *, is_waiting: bool) -> None:
    job_id = jobs.start(QUESTION)
    jobs.queue.paused["red"] = {"": ""} if is_waiting else {}
    jobs.queue.revoked |= set() if is_waiting else {"red"}
    running = jobs.begin()
    wait_until(lambda: len(jobs.queue.admitted) > int(is_waiting), "it asked whether it may call")
    jobs.queue.revoked.add("red")
    assert b"".join(running) == b"null"
    failed, body = jobs.look(job_id)
    assert (failed.status, code_of(body)) == (401, "unauthorized")
    assert (jobs.server.asked, jobs.statuses()) == ([], {job_id: "failed"})


def test_a_job_waits_while_nobody_can_say_whether_its_team_has_a_key(jobs: Jobs) -> None:
    job_id = jobs.start(QUESTION)
    jobs.queue.trouble = "throttled"
    running = jobs.begin()
    wait_until(lambda: len(jobs.queue.admitted) > 1, "it asked again")
    assert jobs.server.asked == []
    jobs.queue.trouble = ""
    assert b"".join(running) == b"null"
    assert jobs.look(job_id)[1] == ANSWER


def test_where_nobody_has_a_key_nobody_is_asked(jobs: Jobs) -> None:
    job_id = jobs.start(QUESTION, team=None)
    jobs.run()
    assert (jobs.look(job_id, team=None)[1], jobs.queue.admitted) == (ANSWER, [])
