"""A collector of an empty store, whose clock stands at noon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.usage.collector import UsageCollector
from centralized_ml_api.local.usage.store import UsageStore
from support.access_log import NOON

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def collector(tmp_path: Path) -> UsageCollector:
    return UsageCollector(UsageStore(tmp_path / "usage.db", NOON.timestamp), tmp_path / "logs/access.log")
