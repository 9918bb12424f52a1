from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from centralized_ml_api.local.envoy.stats import BUCKETS_MILLISECONDS, MILLISECONDS, REQUESTS
from centralized_ml_api.local.gateway import ServedRoute
from centralized_ml_api.local.traffic.read import parse_counted
from support.running_gateway import start_gateway
from support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.gateway import Gateway
    from support.background import Background
    from support.running_gateway import RunningGateway


@pytest.mark.slow
def test_every_answer_is_counted_also_those_of_the_gateway_itself(
    tmp_path: Path, background: Background, served: Gateway
) -> None:
    with start_gateway(tmp_path, background, served) as gateway:
        for _ in range(3):
            gateway.call("/echo")
        gateway.call("/teapot")
        gateway.call("/echo", method="DELETE")
        gateway.call("/refused")
        gateway.call("/nobody-knows-this")
        wait_until(lambda: len(_requests(background, gateway)) == 5, "every answer is counted")
        assert _requests(background, gateway) == {
            ("echo", "200"): 3,
            ("teapot", "418"): 1,
            ("echo", "405"): 1,
            ("refused", "501"): 1,
            ("", "404"): 1,
        }


@pytest.mark.slow
def test_durations_come_in_buckets_of_our_own_by_model(
    tmp_path: Path, background: Background, served: Gateway
) -> None:
    with start_gateway(tmp_path, background, served) as gateway:
        gateway.call("/echo")
        wait_until(lambda: _buckets(background, gateway).get("+Inf") == 1, "the duration is counted")
        bounds = [float(bound) for bound in _buckets(background, gateway) if bound != "+Inf"]
        assert bounds == list(BUCKETS_MILLISECONDS)


@pytest.mark.slow
def test_paths_that_nobody_knows_make_no_new_statistic(
    tmp_path: Path, background: Background, served: Gateway
) -> None:
    with start_gateway(tmp_path, background, served) as gateway:
        for number in range(20):
            gateway.call(f"/unknown-{number}")
        wait_until(lambda: _requests(background, gateway) == {("", "404"): 20}, "they are one row")


@pytest.mark.slow
def test_servers_that_nobody_has_called_say_nothing(
    tmp_path: Path, background: Background, served: Gateway
) -> None:
    """Of thousands, the organizer's screen would read thousands of zeros every few seconds."""
    with start_gateway(tmp_path, background, served) as gateway:
        assert parse_counted(background.run(gateway.envoy.traffic())).in_flight == {}
        gateway.call("/echo")
        wait_until(lambda: _requests(background, gateway), "the answer is counted")
        called = parse_counted(background.run(gateway.envoy.traffic())).in_flight
        echo = next(route for route in served.routes if route.name == "echo")
        assert isinstance(echo, ServedRoute)
        assert called == {echo.upstream: 0}


def _requests(background: Background, gateway: RunningGateway) -> dict[tuple[str, str], float]:
    return {
        (sample.labels["model"], sample.labels["status"]): sample.value
        for family in text_string_to_metric_families(background.run(gateway.envoy.traffic()))
        for sample in family.samples
        if sample.name == f"envoy_{REQUESTS}_total"
    }


def _buckets(background: Background, gateway: RunningGateway) -> dict[str, float]:
    return {
        sample.labels["le"]: sample.value
        for family in text_string_to_metric_families(background.run(gateway.envoy.traffic()))
        for sample in family.samples
        if sample.name == f"envoy_{MILLISECONDS}_bucket" and sample.labels["model"] == "echo"
    }
