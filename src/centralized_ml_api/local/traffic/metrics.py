"""What is called and how the models are, in the text format of Prometheus. Pure.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/ and, for the names,
https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from centralized_ml_api.local.status import EntryStatus, LocalStatus
from centralized_ml_api.local.traffic.counted import Counted, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.core import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_MILLISECONDS_A_SECOND = 1000


def render_metrics(status: LocalStatus, traffic: Traffic) -> bytes:
    """The answer to a scrape. No keys, no bodies, no names but those of the config."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Now(status, traffic))
    return generate_latest(registry)


@dataclass(frozen=True, slots=True, eq=False)
class _Now(Collector):
    status: LocalStatus
    traffic: Traffic

    def collect(self) -> Iterator[Metric]:
        """Everything, in a fixed order."""
        yield _gauge(
            "mlapi_gateway_up", "Whether the gateway answers.", int(self.traffic.counted is not None)
        )
        if self.traffic.counted is not None:
            yield from _calls(self.traffic.counted)
        yield from _models(self.status.entries)
        yield from _limits(self.traffic)
        if self.status.ends:
            ends = datetime.fromisoformat(self.status.ends).timestamp()
            yield _gauge("mlapi_ends_timestamp_seconds", "When it stops by itself, since the epoch.", ends)


def _calls(counted: Counted) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "mlapi_requests", "Calls that were answered.", labels=("model", "team", "status")
    )
    for one in counted.requests:
        requests.add_metric((one.model, one.team, str(one.status)), one.count)
    yield requests
    yield _durations(counted)
    in_flight = GaugeMetricFamily("mlapi_requests_in_flight", "Calls under way.", labels=("model",))
    for model, count in (counted.in_flight or {}).items():
        in_flight.add_metric((model,), count)
    yield in_flight


def _durations(counted: Counted) -> Metric:
    family = HistogramMetricFamily(
        "mlapi_request_duration_seconds", "From a call's first byte to its answer's last.", labels=("model",)
    )
    for one in counted.durations:
        buckets = [(_bound(milliseconds), float(count)) for milliseconds, count in one.buckets]
        family.add_metric((one.model,), buckets, sum_value=one.sum_milliseconds / _MILLISECONDS_A_SECOND)
    return family


def _bound(milliseconds: float) -> str:
    is_last = milliseconds == float("inf")
    return "+Inf" if is_last else f"{milliseconds / _MILLISECONDS_A_SECOND:g}"


def _models(entries: Iterable[EntryStatus]) -> Iterator[Metric]:
    ready = GaugeMetricFamily("mlapi_model_ready", "Whether the model takes calls.", labels=("model",))
    labels = ("model", "part")
    replicas = GaugeMetricFamily("mlapi_replicas", "Processes that shall serve.", labels=labels)
    well = GaugeMetricFamily("mlapi_replicas_ready", "Processes that do.", labels=labels)
    restarts = CounterMetricFamily("mlapi_restarts", "Processes that had to be started again.", labels=labels)
    for entry in entries:
        ready.add_metric((entry.name,), int(entry.state == "ready"))
        for part in entry.parts:
            replicas.add_metric((entry.name, part.name), part.replicas)
            well.add_metric((entry.name, part.name), part.ready_replicas)
            restarts.add_metric((entry.name, part.name), part.restarts)
    yield from (ready, replicas, well, restarts)


def _limits(traffic: Traffic) -> Iterator[Metric]:
    rate = GaugeMetricFamily("mlapi_team_limit_per_second", "Calls a second it may.", labels=("team",))
    quota = GaugeMetricFamily("mlapi_team_limit_per_day", "Calls a UTC day it may.", labels=("team",))
    used = GaugeMetricFamily("mlapi_team_used_today", "Its calls of the UTC day.", labels=("team",))
    for team in traffic.limits:
        for family, value in (
            (rate, team.requests_per_second),
            (quota, team.requests_per_day),
            (used, team.used_today),
        ):
            if value is not None:
                family.add_metric((team.name,), value)
    yield from (rate, quota, used)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)
