"""How a path is written."""

from __future__ import annotations

import pytest

from centralized_ml_api.config.document import json_path


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), "$"),
        (("models", 1, "instance"), "$.models[1].instance"),
        (("$schema",), '$["$schema"]'),
        (("a b", "é", ""), '$["a b"]["é"][""]'),
    ],
)
def test_a_path_is_a_json_path(path: tuple[str | int, ...], text: str) -> None:
    assert json_path(path) == text
