"""`GET /health`, by what SageMaker says of the endpoints."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from support.model_server import start_model_server
from support.sagemaker_endpoints import SageMakerEndpoints
from support.stream_host import build_event, start_stream_host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background
    from support.stream_host import StreamAnswer, StreamHost

MODELS = {"b": {"endpoint": "B", "speaks": "openai-chat"}, "a": {"endpoint": "A"}, "twin": {"endpoint": "A"}}


@contextlib.contextmanager
def start_health(
    loop: Background, sagemaker: SageMakerEndpoints, models: dict[str, Any] = MODELS, seconds: int = 0
) -> Iterator[StreamHost]:
    """The function; what it finds out it tells for so many seconds."""
    with start_model_server(loop) as server:
        server.answering = sagemaker
        environment = {
            "AWS_ENDPOINT_URL_SAGEMAKER": server.url,
            "AWS_MAX_ATTEMPTS": "1",
            "HEALTH_SECONDS": str(seconds),
        }
        with start_stream_host(models=models, sagemaker_url="", environment=environment) as host:
            yield host


@pytest.fixture(scope="module")
def sagemaker() -> SageMakerEndpoints:
    return SageMakerEndpoints()


@pytest.fixture(scope="module")
def host(loop: Background, sagemaker: SageMakerEndpoints) -> Iterator[StreamHost]:
    with start_health(loop, sagemaker) as host:
        yield host


def ask(host: StreamHost, method: str = "GET") -> StreamAnswer:
    return host.invoke(build_event("/health", method=method))


def told(answer: StreamAnswer) -> Any:
    return json.loads(answer.body.read())


@pytest.mark.slow
def test_all_in_service_is_200(host: StreamHost, sagemaker: SageMakerEndpoints) -> None:
    sagemaker.statuses = {"A": "InService", "B": "InService"}
    answer = ask(host)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert "retry-after" not in answer.headers
    assert told(answer) == {"status": "ok", "ready": ["a", "b", "twin"], "unready": {}}


@pytest.mark.slow
def test_one_that_is_not_is_503_and_named(host: StreamHost, sagemaker: SageMakerEndpoints) -> None:
    sagemaker.statuses = {"A": "InService", "B": "Creating"}
    answer = ask(host)
    assert (answer.status, answer.headers["retry-after"]) == (503, "2")
    assert told(answer) == {
        "error": {
            "message": "Not ready: b (is starting).",
            "type": "unavailable_error",
            "code": "model_not_ready",
            "request_id": "the-request",
        },
        "status": "unready",
        "ready": ["a", "twin"],
        "unready": {"b": "is starting"},
    }


@pytest.mark.slow
def test_head_is_get_without_the_body(host: StreamHost, sagemaker: SageMakerEndpoints) -> None:
    sagemaker.statuses = {"A": "InService"}
    answer = ask(host, "HEAD")
    assert (answer.status, answer.headers["retry-after"], answer.body.read()) == (503, "2", b"")


@pytest.mark.parametrize("status", ["Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed"])
@pytest.mark.slow
def test_an_endpoint_that_is_changed_goes_on_answering(
    host: StreamHost, sagemaker: SageMakerEndpoints, status: str
) -> None:
    sagemaker.statuses = {"A": status, "B": "InService"}
    assert ask(host).status == 200


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("Creating", "is starting"),
        ("Deleting", "is being removed"),
        ("Failed", "could not be started"),
        ("OutOfService", "is out of service"),
        (None, "does not exist"),
        ("SomethingNew", "is not ready"),
        ("AccessDeniedException", "is not ready"),
    ],
)
@pytest.mark.slow
def test_each_other_state_has_its_words(
    host: StreamHost, sagemaker: SageMakerEndpoints, status: str | None, reason: str
) -> None:
    sagemaker.statuses = {"B": "InService", **({"A": status} if status else {})}
    assert told(ask(host))["unready"] == {"a": reason, "twin": reason}


@pytest.mark.slow
def test_a_look_that_failed_is_logged_for_the_operator_alone(
    host: StreamHost, sagemaker: SageMakerEndpoints
) -> None:
    sagemaker.statuses = {"A": "InService", "B": "ThrottlingException"}
    assert "Rate exceeded" not in ask(host).body.read().decode()
    host.wait_for_line('"endpoint":"B"', "Rate exceeded")


@pytest.mark.slow
def test_each_endpoint_is_asked_about_once_and_few_at_a_time(loop: Background) -> None:
    models = {f"m{number}": {"endpoint": f"E{number // 2}"} for number in range(80)}
    sagemaker = SageMakerEndpoints({f"E{number}": "InService" for number in range(40)})
    with start_health(loop, sagemaker, models) as host:
        assert len(told(ask(host))["ready"]) == 80
    assert sorted(sagemaker.asked) == sorted(sagemaker.statuses)
    assert sagemaker.most_at_once <= 10


@pytest.mark.slow
def test_callers_cannot_make_it_ask_at_will(loop: Background) -> None:
    sagemaker = SageMakerEndpoints({"A": "InService", "B": "Creating"})
    with start_health(loop, sagemaker, seconds=600) as host:
        first = told(ask(host))
        sagemaker.statuses["B"] = "InService"
        assert [told(ask(host)) for _ in range(3)] == [first] * 3
    assert sorted(sagemaker.asked) == ["A", "B"]


@pytest.mark.slow
def test_a_sagemaker_that_cannot_be_reached_leaves_no_model_ready() -> None:
    environment = {"AWS_ENDPOINT_URL_SAGEMAKER": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    with start_stream_host(models=MODELS, sagemaker_url="", environment=environment) as host:
        assert told(ask(host))["ready"] == []
