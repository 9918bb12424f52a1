"""What Envoy counts: calls by model, team and status, and how long they took by model.

It counts every response, including its own (a 401, a 413, a 429), which the statistics of routes and
clusters do not. Nothing that a client can choose becomes a label: an unknown path has no model.

Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/extensions/access_loggers/stats/v3/stats.proto
"""

from __future__ import annotations

from typing import Any

PREFIX = "traffic"
REQUESTS = f"{PREFIX}_requests"
MILLISECONDS = f"{PREFIX}_milliseconds"
TOKENS = f"{PREFIX}_tokens"
UNREPORTED = f"{PREFIX}_unreported"
ACTIVE = "cluster_upstream_rq_active"
"""Statistics by the names that Envoy gives Prometheus, without the leading `envoy_`."""

BUCKETS_MILLISECONDS = tuple(digit * 10**power for power in range(6) for digit in (1, 1.5, 2, 3, 5, 7))
"""Upper bounds from 1 ms to 700 s, each at most 1.67 times the one before: the precision of a percentile."""

TRAFFIC_PATTERN = rf"^{PREFIX}\.|^cluster\..*\.upstream_rq_active$"
"""A regular expression for the traffic statistics, by Envoy's own names."""

_STATS_LOGGER = "type.googleapis.com/envoy.extensions.access_loggers.stats.v3.Config"
_KEPT = (
    {"prefix": f"{PREFIX}."},
    *(
        {"suffix": f".{name}"}
        for name in (
            *("upstream_rq_active", "downstream_rq_active"),  # calls in progress
            *(
                "version_text",
                "update_rejected",
                "warming_clusters",
                "total_listeners_warming",
            ),  # read by `xds_update`
        )
    ),
)
"""All that is ever read. Envoy's hundreds of others would cost every call something, and nobody reads them.

Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/config/metrics/v3/stats.proto
"""


def build_stats_logger(
    name: str, labels: dict[str, str], sums: dict[str, str], condition: dict[str, Any]
) -> dict[str, Any]:
    """Builds an access logger that counts calls, and adds up what they say. Pure.

    A call of which a sum has no value adds nothing to it; Envoy would log that at each call, if its component
    `misc` were not silent.

    Args:
        name: The logger's name.
        labels: Each label with Envoy's format string for it.
        sums: By statistic, Envoy's format string for what is added. These have no label `status`.
        condition: The access log filter that a call must match.
    """
    requests = _build_stat("requests", labels)
    milliseconds = _build_stat("milliseconds", {"model": labels["model"]})
    config = {
        "@type": _STATS_LOGGER,
        "stat_prefix": PREFIX,
        "counters": [{"stat": requests, "value_fixed": 1}, *_build_sums(labels, sums)],
        "histograms": [{"stat": milliseconds, "unit": "Milliseconds", "value_format": "%DURATION%"}],
    }
    return {"name": name, "filter": condition, "typed_config": config}


def build_sums_logger(
    name: str, labels: dict[str, str], sums: dict[str, str], conditions: list[dict[str, Any]]
) -> dict[str, Any]:
    """Builds an access logger that adds up what some calls say, and counts no calls. Pure.

    Args:
        name: The logger's name.
        labels: Each label with Envoy's format string for it, those of `build_stats_logger` or more.
        sums: By statistic, Envoy's format string for what is added.
        conditions: Access log filters; a call must match all of them.
    """
    config = {"@type": _STATS_LOGGER, "stat_prefix": PREFIX, "counters": _build_sums(labels, sums)}
    return {"name": name, "filter": {"and_filter": {"filters": conditions}}, "typed_config": config}


def _build_sums(labels: dict[str, str], sums: dict[str, str]) -> list[dict[str, Any]]:
    known = {label: text for label, text in labels.items() if label != "status"}
    return [{"stat": _build_stat(stat, known), "value_format": text} for stat, text in sums.items()]


def build_stats_config() -> dict[str, Any]:
    """Builds the bootstrap's `stats_config`: which statistics exist, and the bounds of the one histogram."""
    match = {"prefix": f"{PREFIX}."}
    return {
        "histogram_bucket_settings": [{"match": match, "buckets": list(BUCKETS_MILLISECONDS)}],
        "stats_matcher": {"inclusion_list": {"patterns": list(_KEPT)}},
    }


def _build_stat(name: str, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "tags": [{"name": label, "value_format": labels[label]} for label in sorted(labels)],
    }
