"""What a collector has counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from centralized_ml_api.local.usage.collector import UsageCollector


def count_requests(collector: UsageCollector) -> int:
    return collector.load_table(None).requests
