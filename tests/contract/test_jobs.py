"""Calls that are answered later, to their end: what they are told then is what they would have been told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from centralized_ml_api.api import error_shape
from centralized_ml_api.api.http import JOBS_PATH
from contract.case import AWS, LOCAL, Case, Expected, Request, refused, send
from contract.cases import (
    below_entries,
    bodies,
    errors,
    fallback,
    functions,
    hosted,
    media,
    openai,
    request_headers,
    response_headers,
    sizes,
    statuses,
)
from contract.cases.jobs import later
from contract.targets import Targets, serve_template
from support.jobs_on_aws import make_table
from support.moto_server import start_moto
from support.synthesis import build_plan_of, synthesize
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.targets import Hosts
    from support.background import Background
    from support.local_api import LocalApi
    from support.running_gateway import Answer

TARGETS = (LOCAL, AWS)

UNAVAILABLE = 503
"""What a caller is told who may come back later; a job comes back by itself."""

ROOMS = (
    bodies,
    request_headers,
    response_headers,
    statuses,
    errors,
    sizes,
    functions,
    openai,
    hosted,
    below_entries,
    fallback,
    media,
)
CALLS = [
    case
    for room in ROOMS
    for case in room.CASES
    if case.request.method == "POST" and not case.patient and "Authorization" not in case.request.headers
]
BOTH = [(target, case) for case in CALLS for target in TARGETS if case.only in {None, target}]
ASKED = [(target, case) for target, case in BOTH if case.expected.status != UNAVAILABLE]
WAITING = [(target, case) for target, case in BOTH if case.expected.status == UNAVAILABLE]


@pytest.fixture(scope="module")
def targets(
    tmp_path_factory: pytest.TempPathFactory, local: LocalApi, background: Background, hosts: Hosts
) -> Iterator[Targets]:
    """Both targets; the AWS one asks for jobs, which one machine always has."""
    written = json.loads((local.folder / "models.json").read_text())
    config = local.folder / "with-jobs.json"
    config.write_text(json.dumps({**written, "aws": {"jobs": True}}))
    output = tmp_path_factory.mktemp("jobs") / "cdk.out"
    template = synthesize(build_plan_of(config), output)
    with start_moto(tmp_path_factory.mktemp("moto")) as moto:
        make_table(moto.client("dynamodb"), template.id_of("AWS::DynamoDB::Table"))
        document, url = template.document, moto.url
        with serve_template(document, output, local, background, hosts=hosts, tables_url=url) as targets:
            yield targets


@pytest.fixture(scope="module")
def own_paths_of_functions(local: LocalApi) -> set[str]:
    """The paths that API Gateway answers by functions of entries, which know no jobs."""
    config = json.loads((local.folder / "models.json").read_text())
    entries = [*config["models"], *config.get("endpoints", [])]
    return {f"/{entry['name']}" for entry in entries if entry["integration"]["type"] == "lambda"}


def place_of(answer: Answer) -> str:
    """Where a job is, below the address of the API."""
    place = urlsplit(answer.header("location") or "").path
    return place[place.index(JOBS_PATH) :]


def ask(url: str, place: str, method: str = "GET") -> Answer:
    return send(url, Request(place, b"", method))


def wait_for(url: str, answer: Answer) -> Answer:
    """The answer to a call that asked to be answered later; itself if it came at once."""
    if answer.status != 202 or answer.header("location") is None:
        return answer
    place, last = place_of(answer), [answer]

    def is_over() -> bool:
        last[0] = ask(url, place)
        return last[0].status != 202

    wait_until(is_over, f"{place} is over")
    return last[0]


@pytest.mark.slow
@pytest.mark.parametrize(("target", "case"), ASKED, ids=[f"{target}: {case.name}" for target, case in ASKED])
def test_a_call_is_answered_later_as_it_would_have_been(
    targets: Targets, own_paths_of_functions: set[str], target: str, case: Case
) -> None:
    url = targets.url(target)
    taken = send(url, later(case.request))
    if case.expected.status < 400:
        is_job = target == LOCAL or urlsplit(case.request.path).path not in own_paths_of_functions
        assert (taken.status == 202) is is_job, taken
    case.expected.check(wait_for(url, taken), target)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "case"), WAITING, ids=[f"{target}: {case.name}" for target, case in WAITING]
)
def test_a_call_whose_model_is_away_waits_for_it(
    targets: Targets, own_paths_of_functions: set[str], target: str, case: Case
) -> None:
    url = targets.url(target)
    taken = send(url, later(case.request))
    if target == AWS and urlsplit(case.request.path).path in own_paths_of_functions:
        return case.expected.check(taken, target)
    place = place_of(taken)
    wait_for(url, send(url, later(Request("/echo", b"{}"))))  # it has had its turn after the first one
    waiting = ask(url, place)
    assert (waiting.status, waiting.json["status"] in {"queued", "running"}) == (202, True), waiting
    assert ask(url, place, "DELETE").json["status"] == "cancelled"
    return None


@pytest.mark.slow
@pytest.mark.parametrize("target", [LOCAL])
def test_not_even_a_function_gets_a_credential_later(targets: Targets, target: str) -> None:
    url = targets.url(target)
    headers = {"Authorization": "Bearer x", "Cookie": "a=b", "X-Own": "a"}
    answer = wait_for(url, send(url, later(Request("/function", b"{}", headers=headers))))
    assert answer.json["headers"].get("X-Own") == "a", answer
    assert not {"Authorization", "Cookie", "Prefer"} & answer.json["headers"].keys(), answer


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_a_job_is_read_again_until_it_is_forgotten(targets: Targets, target: str) -> None:
    url = targets.url(target)
    taken = send(url, later(Request("/echo", b"{}")))
    place = place_of(taken)
    first = wait_for(url, taken)
    again = ask(url, place)
    assert (again.status, again.body) == (first.status, first.body) == (200, first.body)
    assert again.header("x-request-id") == first.header("x-request-id")
    head = ask(url, place, "HEAD")
    assert (head.status, head.body) == (200, b"")
    told: dict[str, Any] = ask(url, place, "DELETE").json
    assert (told["id"], told["status"], "ahead" in told) == (taken.json["id"], "done", False)
    refused(error_shape.JOB_NOT_FOUND).check(ask(url, place), target)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_a_call_under_way_is_cancelled(targets: Targets, target: str) -> None:
    url = targets.url(target)
    place = place_of(send(url, later(Request("/hangs", b"{}"))))
    wait_until(lambda: ask(url, place).json["status"] == "running", "it runs")
    waiting = ask(url, place)
    assert (waiting.status, waiting.header("preference-applied")) == (202, None)
    assert int(waiting.header("retry-after") or 0) > 0
    for method in ("DELETE", "GET", "DELETE"):
        answer = ask(url, place, method)
        Expected(200).check(answer, target)
        assert answer.json["status"] == "cancelled"
    last = ask(url, place, "DELETE")
    if target == LOCAL:
        refused(error_shape.JOB_NOT_FOUND).check(last, target)
    else:  # its model still works at it, which nothing can stop there
        assert (last.status, last.json["status"]) == (200, "cancelled")


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_an_answer_that_is_an_error_has_failed(targets: Targets, target: str) -> None:
    url = targets.url(target)
    taken = send(url, later(Request("/breaks", b"{}")))
    assert wait_for(url, taken).status == 500
    assert ask(url, place_of(taken), "DELETE").json["status"] == "failed"
