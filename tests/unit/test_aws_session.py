"""Sessions share AWS's descriptions of its services, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.aws_session import open_session

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DATA_PATH", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nowhere")


def test_what_one_session_has_read_the_next_one_does_not_read_again() -> None:
    first, second = open_session(), open_session()
    assert first is not second
    assert first.get_component("data_loader") is second.get_component("data_loader")


def test_descriptions_of_the_users_own_are_read_in_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = open_session().get_component("data_loader")
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    own = open_session().get_component("data_loader")
    assert own is not shared
    assert str(tmp_path) in own.search_paths


def test_each_session_has_the_settings_of_its_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    for key in ("first", "second"):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        credentials = open_session().get_credentials()
        assert credentials is not None
        assert credentials.access_key == key
