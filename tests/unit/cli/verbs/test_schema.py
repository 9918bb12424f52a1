"""`mlapi schema` prints what an editor reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.json_schema import load_schema_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.local_api import Ran

    Mlapi = Callable[..., Ran]


def test_schema_prints_the_schema(mlapi: Mlapi) -> None:
    assert mlapi("schema").out == load_schema_text()
