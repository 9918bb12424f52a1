"""What pydantic's `loc` means."""

from __future__ import annotations

import pytest

from centralized_ml_api.config.shape.loc import path_of


@pytest.mark.parametrize(
    ("loc", "path"),
    [
        (("models", 0, "local", "url", "url"), ("models", 0, "local", "url")),
        (("models", 0, "local"), ("models", 0, "local")),
        (("event", "teams", 3, "team", "name"), ("event", "teams", 3, "name")),
        (
            ("endpoints", 1, "integration", "properties", "permissions", "scoped", "actions", 0),
            ("endpoints", 1, "integration", "properties", "permissions", "actions", 0),
        ),
    ],
)
def test_the_tags_of_unions_are_not_steps(loc: tuple[str | int, ...], path: tuple[str | int, ...]) -> None:
    assert path_of(loc) == path
