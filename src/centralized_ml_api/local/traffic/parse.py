"""What Envoy tells Prometheus -> what it has counted. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from prometheus_client.parser import text_string_to_metric_families

from centralized_ml_api.local.envoy.traffic import ACTIVE, MILLISECONDS, REQUESTS
from centralized_ml_api.local.traffic.counted import Counted, Durations, Requests

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.samples import Sample

_ENVOYS = "envoy_"


def parse_counted(text: str) -> Counted:
    """What Envoy says in the text format of Prometheus; statistics of other names are left out."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return Counted(
        tuple(_requests(one) for one in samples if one.name == f"{_ENVOYS}{REQUESTS}_total"),
        tuple(_parse_durations(samples)),
        {
            unquote(one.labels["envoy_cluster_name"]): int(one.value)
            for one in samples
            if one.name == f"{_ENVOYS}{ACTIVE}"
        },
    )


def _requests(sample: Sample) -> Requests:
    labels = sample.labels
    return Requests(labels["model"], labels.get("team", ""), int(labels["status"] or 0), int(sample.value))


def _parse_durations(samples: Iterable[Sample]) -> Iterable[Durations]:
    buckets: dict[str, list[tuple[float, int]]] = {}
    sums: dict[str, float] = {}
    for one in samples:
        model = one.labels.get("model", "")
        if one.name == f"{_ENVOYS}{MILLISECONDS}_bucket":
            buckets.setdefault(model, []).append((float(one.labels["le"]), int(one.value)))
        elif one.name == f"{_ENVOYS}{MILLISECONDS}_sum":
            sums[model] = one.value
    for model, counts in buckets.items():
        yield Durations(model, tuple(sorted(counts)), sums.get(model, 0.0))
