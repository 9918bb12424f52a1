"""What processes that this one starts see of its environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.local.machine.child_environment import (
    inherited_environment,
    sidecar_environment,
    withhold,
)

if TYPE_CHECKING:
    import pytest


def test_no_child_sees_a_withheld_key_and_no_helper_of_the_gateway_those_of_aws(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("A_PROVIDERS_KEY_OF_THIS_TEST", "AWS_SECRET_ACCESS_KEY", "LANG"):
        monkeypatch.setenv(name, "value")
    withhold("A_PROVIDERS_KEY_OF_THIS_TEST")
    inherited, helpers = inherited_environment(), sidecar_environment()
    assert "A_PROVIDERS_KEY_OF_THIS_TEST" not in inherited
    assert {"AWS_SECRET_ACCESS_KEY", "LANG"} <= inherited.keys()
    assert helpers.keys() == {name for name in inherited if not name.startswith("AWS_")}
