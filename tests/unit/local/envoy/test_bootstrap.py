"""What Envoy starts with: how much memory it may have."""

from __future__ import annotations

from pathlib import Path

import pytest

from centralized_ml_api.local.envoy.bootstrap import build_bootstrap
from centralized_ml_api.local.envoy.settings import Files, Limits, Settings

MIB = 1024 * 1024
FILES = Files(Path("/gateway"), Path("/log"))
SETTINGS = Settings("127.0.0.1", 0, FILES, Path("/ca"), Limits(memory_bytes=100 * MIB))


@pytest.mark.parametrize(
    ("table_bytes", "held_bytes"), [(0, 0), (5_000_000, 0), (5_000_001, 60), (165_000_000, 9_600_000_000)]
)
def test_what_a_large_table_of_routes_holds_is_not_taken_from_calls(
    table_bytes: int, held_bytes: int
) -> None:
    bootstrap = build_bootstrap(SETTINGS, table_bytes)
    heap = bootstrap["overload_manager"]["resource_monitors"][1]["typed_config"]["max_heap_size_bytes"]
    kept = bootstrap["memory_allocator_manager"]["soft_memory_limit_bytes"]
    assert (heap, kept) == (100 * MIB + held_bytes, 50 * MIB + held_bytes)
