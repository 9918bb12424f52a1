"""What Envoy counts of the calls: how many by model, team and status, and how long they took by model.

It counts every answer, also those that it gives itself (a 401, a 413, a 429), which the statistics of routes
and clusters do not. What a client can choose never becomes a label: an unknown path has no model.

Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/extensions/access_loggers/stats/v3/stats.proto
"""

from __future__ import annotations

from typing import Any

PREFIX = "traffic"
REQUESTS = f"{PREFIX}_requests"
MILLISECONDS = f"{PREFIX}_milliseconds"
ACTIVE = "cluster_upstream_rq_active"
"""Statistics as Envoy names them for Prometheus, without `envoy_` before them."""

BUCKETS_MILLISECONDS = tuple(digit * 10**power for power in range(6) for digit in (1, 1.5, 2, 3, 5, 7))
"""Upper bounds from 1 ms to 700 s, each at most 1.67 times the one before: so exact is a percentile."""

STATISTICS = rf"^{PREFIX}\.|^cluster\..*\.upstream_rq_active$"
"""The statistics that are asked for, by Envoy's own names."""


def build_traffic_log(labels: dict[str, str]) -> dict[str, Any]:
    """The access logger that counts; `labels` are formats of Envoy by the label they give."""
    kind = "type.googleapis.com/envoy.extensions.access_loggers.stats.v3.Config"
    requests = _stat("requests", labels)
    milliseconds = _stat("milliseconds", {"model": labels["model"]})
    return {
        "name": "traffic",
        "typed_config": {
            "@type": kind,
            "stat_prefix": PREFIX,
            "counters": [{"stat": requests, "value_fixed": 1}],
            "histograms": [{"stat": milliseconds, "unit": "Milliseconds", "value_format": "%DURATION%"}],
        },
    }


def build_buckets() -> dict[str, Any]:
    """The bootstrap's `stats_config`: the bounds of the one histogram that is read."""
    match = {"prefix": f"{PREFIX}."}
    return {"histogram_bucket_settings": [{"match": match, "buckets": list(BUCKETS_MILLISECONDS)}]}


def _stat(name: str, labels: dict[str, str]) -> dict[str, Any]:
    tags = [{"name": label, "value_format": labels[label]} for label in sorted(labels)]
    return {"name": name, "tags": tags}
