"""What Envoy starts with: how much memory it may have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from centralized_ml_api.local.envoy.bootstrap import build_bootstrap
from centralized_ml_api.local.envoy.headers import build_request_mutations
from centralized_ml_api.local.envoy.settings import Files, Limits, Settings

MIB = 1024 * 1024
FILES = Files(Path("/gateway"), Path("/log"))
SETTINGS = Settings("127.0.0.1", 0, FILES, Path("/ca"), Limits(memory_bytes=100 * MIB))


@pytest.mark.parametrize(
    ("bytes_", "lists", "held_bytes"),
    [
        (0, 0, 0),
        (20 * MIB, 0, 0),
        (22 * MIB, 0, 8 * MIB),
        (20 * MIB, 100, 18_000_000 - 16 * MIB),
        (200 * MIB, 0, 2144 * MIB),
    ],
)
def test_what_large_tables_of_routes_hold_is_not_taken_from_calls(
    bytes_: int, lists: int, held_bytes: int
) -> None:
    listed = json.dumps([build_request_mutations([])[0]] * lists, separators=(",", ":"))
    assert len(listed) < bytes_ or not lists
    bootstrap = build_bootstrap(SETTINGS, (" " * (bytes_ // 2 - len(listed)) + listed, " " * (bytes_ // 2)))
    heap = bootstrap["overload_manager"]["resource_monitors"][1]["typed_config"]["max_heap_size_bytes"]
    kept = bootstrap["memory_allocator_manager"]["soft_memory_limit_bytes"]
    assert (heap, kept) == (100 * MIB + held_bytes, 50 * MIB + held_bytes)
