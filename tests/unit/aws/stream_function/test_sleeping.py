"""Models that may sleep: every call names their inference component, and what is told while they wake."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from contract.sagemaker_errors import ASLEEP
from support.model_server import start_model_server
from support.sagemaker_endpoints import SageMakerEndpoints
from support.stream_host import build_event, start_stream_host
from support.stream_host.script import run_script

if TYPE_CHECKING:
    from support.background import Background

ADDRESSES = """
import { addressOf } from "./invoke.mjs";
console.log(JSON.stringify(input.map(addressOf)));
"""
EXPLAIN = """
import { explain, headersOf } from "./errors.mjs";
const error = explain(Object.assign(new Error(input), { $metadata: { httpStatusCode: 400 } }));
console.log(JSON.stringify([error.status, error.code, headersOf(error)["retry-after"]]));
"""


def test_a_call_names_the_component_of_an_endpoint_that_hosts_one() -> None:
    rows = [{"endpoint": "E", "component": "c"}, {"endpoint": "F"}]
    assert run_script(ADDRESSES, rows) == [
        {"EndpointName": "E", "InferenceComponentName": "c"},
        {"EndpointName": "F"},
    ]


def test_a_call_that_finds_no_copy_is_told_to_come_back() -> None:
    assert run_script(EXPLAIN, ASLEEP) == [503, "model_waking", "60"]


@pytest.mark.slow
def test_health_says_who_sleeps_and_who_wakes_and_stays_well(loop: Background) -> None:
    names = ("awake", "asleep", "waking", "starting")
    models: dict[str, Any] = {name: {"endpoint": "E", "component": name} for name in names}
    sagemaker = SageMakerEndpoints(dict.fromkeys(names, "InService"))
    sagemaker.copies = {"awake": (1, 1), "asleep": (0, 0), "waking": (1, 0)}
    with start_model_server(loop) as server:
        server.answering = sagemaker
        environment = {"AWS_ENDPOINT_URL_SAGEMAKER": server.url, "HEALTH_SECONDS": "0"}
        with start_stream_host(models=models, sagemaker_url="", environment=environment) as host:
            sagemaker.statuses["starting"] = "Creating"
            unready = host.invoke(build_event("/health"))
            assert (unready.status, json.loads(unready.body.read())["unready"]) == (
                503,
                {"starting": "is starting"},
            )
            sagemaker.statuses["starting"], sagemaker.copies["starting"] = "InService", (1, 1)
            answer = host.invoke(build_event("/health"))
            assert answer.status == 200
            assert json.loads(answer.body.read()) == {
                "status": "ok",
                "ready": ["awake", "starting"],
                "unready": {},
                "asleep": {"asleep": "asleep", "waking": "waking"},
            }
