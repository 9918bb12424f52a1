"""Calls, limits and the state of the models in Prometheus' text format, and where Prometheus scrapes them.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/ and, for the names,
https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from centralized_ml_api.local.machine.listen import refuse_web_pages
from centralized_ml_api.local.status import ANSWERING, EntryStatus, LocalStatus
from centralized_ml_api.local.traffic.types import METRICS_PATH, Counted, Durations, Traffic
from centralized_ml_api.plan.event import POT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.core import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_MILLISECONDS_PER_SECOND = 1000
_NANODOLLARS_PER_USD = 10**9


class MetricsSource(Protocol):
    """What has metrics: the local target."""

    def status(self) -> LocalStatus:
        """Returns the state of the models now."""
        ...

    async def traffic(self) -> Traffic:
        """Returns what was called so far."""
        ...


def build_metrics_application(source: MetricsSource) -> web.Application:
    """Builds `GET /metrics`, for programs on this machine only."""

    async def metrics(_: web.Request) -> web.Response:
        body = render_metrics(source.status(), await source.traffic())
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    application = web.Application(middlewares=[refuse_web_pages])
    application.add_routes([web.get(METRICS_PATH, metrics)])
    return application


def render_metrics(status: LocalStatus, traffic: Traffic) -> bytes:
    """Renders the answer to a scrape: no keys, no bodies, no names but those of the config. Pure."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Reading(status, traffic))
    return generate_latest(registry)


@dataclass(frozen=True, slots=True, eq=False)
class _Reading(Collector):
    status: LocalStatus
    traffic: Traffic

    def collect(self) -> Iterator[Metric]:
        """Yields everything, in a fixed order."""
        up = int(self.traffic.counted is not None)
        yield GaugeMetricFamily("mlapi_gateway_up", "Whether the gateway answers.", value=up)
        if self.traffic.counted is not None:
            yield from _collect_calls(self.traffic.counted)
        yield _collect_waiting(self.traffic)
        yield from _collect_models(self.status.entries)
        yield from _collect_sleep(self.status.entries)
        yield from _collect_limits(self.traffic)
        yield from _collect_spending(self.traffic)
        if self.status.ends:
            yield GaugeMetricFamily(
                "mlapi_ends_timestamp_seconds",
                "When the API stops by itself, in seconds since the epoch.",
                value=datetime.fromisoformat(self.status.ends).timestamp(),
            )


def _collect_calls(counted: Counted) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "mlapi_requests", "Requests that were answered.", labels=("model", "team", "status")
    )
    for count in counted.requests:
        requests.add_metric((count.model, count.team, str(count.status)), count.count)
    yield requests
    yield _collect_durations(counted.durations)
    tokens = CounterMetricFamily(
        "mlapi_tokens",
        "Tokens of requests (in; cached: those of them that the server had in a cache) and of answers (out).",
        labels=("model", "team", "kind", "estimated"),
    )
    for each in counted.tokens:
        tokens.add_metric((each.model, each.team, each.kind, "yes" if each.estimated else "no"), each.count)
    yield tokens
    in_flight = GaugeMetricFamily("mlapi_requests_in_flight", "Requests in progress.", labels=("model",))
    for model, active in (counted.in_flight or {}).items():
        in_flight.add_metric((model,), active)
    yield in_flight


def _collect_waiting(traffic: Traffic) -> Metric:
    waiting = GaugeMetricFamily(
        "mlapi_requests_waiting", "Requests that wait for their turn at the model.", labels=("model",)
    )
    for model, count in traffic.waiting.items():
        waiting.add_metric((model,), count)
    return waiting


def _collect_durations(durations: Iterable[Durations]) -> Metric:
    family = HistogramMetricFamily(
        "mlapi_request_duration_seconds",
        "From the first byte of the request to the last byte of the response.",
        labels=("model",),
    )
    for histogram in durations:
        buckets = [(_render_bound(bound), float(count)) for bound, count in histogram.buckets]
        seconds = histogram.sum_milliseconds / _MILLISECONDS_PER_SECOND
        family.add_metric((histogram.model,), buckets, sum_value=seconds)
    return family


def _render_bound(milliseconds: float) -> str:
    is_last = milliseconds == float("inf")
    return "+Inf" if is_last else f"{milliseconds / _MILLISECONDS_PER_SECOND:g}"


def _collect_models(entries: Iterable[EntryStatus]) -> Iterator[Metric]:
    labels = ("model", "part")
    ready = GaugeMetricFamily(
        "mlapi_model_ready", "Whether the model is ready for requests.", labels=("model",)
    )
    replicas = GaugeMetricFamily("mlapi_replicas", "Processes that should serve.", labels=labels)
    ready_replicas = GaugeMetricFamily("mlapi_replicas_ready", "Processes that do serve.", labels=labels)
    restarts = CounterMetricFamily("mlapi_restarts", "Restarts of processes.", labels=labels)
    hangs = CounterMetricFamily(
        "mlapi_hangs",
        "Restarts of processes that answered health checks but no requests.",
        labels=labels,
    )
    for entry in entries:
        ready.add_metric((entry.name,), int(entry.state in ANSWERING))
        for part in entry.parts:
            replicas.add_metric((entry.name, part.name), part.replicas)
            ready_replicas.add_metric((entry.name, part.name), part.ready_replicas)
            restarts.add_metric((entry.name, part.name), part.restarts)
            hangs.add_metric((entry.name, part.name), part.hangs)
    yield from (ready, replicas, ready_replicas, restarts, hangs)


def _collect_sleep(entries: Iterable[EntryStatus]) -> Iterator[Metric]:
    """Yields how the entries that may sleep do; nothing where there are none."""
    asleep = GaugeMetricFamily("mlapi_model_asleep", "Whether the model sleeps.", labels=("model",))
    ready_in = GaugeMetricFamily(
        "mlapi_model_ready_in_seconds", "When a request that comes now is answered.", labels=("model",)
    )
    wakes = CounterMetricFamily("mlapi_wakes", "How often the model woke.", labels=("model",))
    slept = CounterMetricFamily("mlapi_asleep_seconds", "How long the model slept.", labels=("model",))
    sleepers = [(entry.name, entry.state, entry.sleep) for entry in entries if entry.sleep]
    for name, state, sleep in sleepers:
        asleep.add_metric((name,), int(state == "asleep"))
        if sleep.ready_in is not None:
            ready_in.add_metric((name,), sleep.ready_in)
        wakes.add_metric((name,), sleep.wakes)
        slept.add_metric((name,), sleep.asleep_seconds)
    if sleepers:
        yield from (asleep, ready_in, wakes, slept)


def _collect_limits(traffic: Traffic) -> Iterator[Metric]:
    labels = ("team",)
    rate = GaugeMetricFamily(
        "mlapi_team_limit_per_second", "Requests per second that the team may send.", labels=labels
    )
    quota = GaugeMetricFamily(
        "mlapi_team_limit_per_day", "Requests per UTC day that the team may send.", labels=labels
    )
    used = GaugeMetricFamily(
        "mlapi_team_used_today", "Requests of the team so far this UTC day.", labels=labels
    )
    for team in traffic.limits:
        for family, value in (
            (rate, team.requests_per_second),
            (quota, team.requests_per_day),
            (used, team.used_today),
        ):
            if value is not None:
                family.add_metric((team.name,), value)
    yield from (rate, quota, used)


def _collect_spending(traffic: Traffic) -> Iterator[Metric]:
    """Yields each limit in tokens and dollars, and what is left of it, of teams and of all together."""
    for unit, name, per_one in (("tokens", "Tokens", 1), ("nanodollars", "US dollars", _NANODOLLARS_PER_USD)):
        suffix = "tokens" if unit == "tokens" else "usd"
        for is_pot, whose, labels in ((False, "team", ("team", "period")), (True, "pot", ("period",))):
            who = "all teams together" if is_pot else "the team"
            most = GaugeMetricFamily(
                f"mlapi_{whose}_limit_{suffix}", f"{name} that {who} may use in a period.", labels=labels
            )
            left = GaugeMetricFamily(
                f"mlapi_{whose}_left_{suffix}", f"{name} that are left of that limit.", labels=labels
            )
            for limit in traffic.spending:
                if limit.unit == unit and (limit.owner == POT) == is_pot:
                    values = (limit.period,) if is_pot else (limit.owner, limit.period)
                    most.add_metric(values, limit.most / per_one)
                    left.add_metric(values, limit.left / per_one)
            yield from (most, left)
