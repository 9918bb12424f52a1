from __future__ import annotations

from pathlib import Path

import pytest

from centralized_ml_api.local.envoy.ca_bundle import find_trust_store
from centralized_ml_api.local.envoy.settings import Files, render_seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(29, "29s"), (0.5, "0.5s"), (0, "0s"), (1.0, "1s"), (100, "100s"), (0.005, "0.005s")],
)
def test_durations_are_written_as_protobuf_reads_them(seconds: float, text: str) -> None:
    assert render_seconds(seconds) == text


@pytest.mark.parametrize("name", ["../../etc/x", "a/b", "..", "a\0b"])
def test_no_name_of_an_upstream_leaves_the_folder(name: str) -> None:
    files = Files(Path("/state"), Path("/state/access.log"))
    assert files.endpoints_of(name).parent == Path("/state/endpoints")
    assert "\0" not in str(files.endpoints_of(name))


def test_the_trust_store_that_the_user_names_comes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = tmp_path / "own.pem"
    own.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    assert find_trust_store() == own
