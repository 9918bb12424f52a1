"""The gap: moto remembers the types that it knew when it first looked."""

from __future__ import annotations

from moto.cloudformation import parsing


def close() -> None:
    """moto looks again."""
    parsing.get_model_list.cache_clear()
    parsing.get_model_map.cache_clear()
    parsing.get_name_type_map.cache_clear()
