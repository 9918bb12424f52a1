from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.local.envoy.ca_bundle import find_ca_bundle

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_bundle_that_the_user_names_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = tmp_path / "own.pem"
    own.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    assert find_ca_bundle() == own


def test_a_named_bundle_that_does_not_exist_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    assert find_ca_bundle().is_file()
