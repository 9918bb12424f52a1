from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.config.weights import HuggingFaceWeights
from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.weights.hugging_face import build_address
from support.fetching import Fetcher
from support.file_server import Answer, FileServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WRITTEN = "hf://owner/repo/folder/model.gguf"


@pytest.fixture
def fetcher(tmp_path: Path) -> Fetcher:
    return Fetcher(tmp_path / "cache")


@pytest.fixture
def hub(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> FileServer:
    monkeypatch.setenv("HF_ENDPOINT", f"{server.url}/")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    return server


@pytest.fixture
def cdn(body: bytes) -> Iterator[FileServer]:
    with FileServer(body) as cdn:
        yield cdn


def test_without_a_mirror_the_hub_itself_is_asked() -> None:
    address = build_address(HuggingFaceWeights("owner/repo", "a b/model.gguf"), {})
    assert address.url == "https://huggingface.co/owner/repo/resolve/main/a%20b/model.gguf"
    assert address.token == ""


def test_the_token_goes_to_the_hub_and_nowhere_else(
    hub: FileServer, cdn: FileServer, fetcher: Fetcher
) -> None:
    hub.answers.append(Answer(status=302, headers={"Location": f"{cdn.url}/blob"}))
    assert fetcher.fetch(WRITTEN).read_bytes() == cdn.body
    assert hub.seen[0].target == "/owner/repo/resolve/main/folder/model.gguf"
    assert hub.seen[0].headers["Authorization"] == "Bearer hf_secret"
    assert cdn.seen[0].headers["Authorization"] is None


def test_the_digest_of_the_hub_is_verified(hub: FileServer, cdn: FileServer, fetcher: Fetcher) -> None:
    headers = {"Location": f"{cdn.url}/blob", "X-Linked-Etag": f'"{"0" * 64}"'}
    hub.answers.append(Answer(status=302, headers=headers))
    with pytest.raises(WeightsError, match="the file that its host describes"):
        fetcher.fetch(WRITTEN)
    assert fetcher.left_over() == set()


def test_the_digest_of_the_config_wins(hub: FileServer, cdn: FileServer, fetcher: Fetcher) -> None:
    headers = {"Location": f"{cdn.url}/blob", "X-Linked-Etag": f'"{"0" * 64}"'}
    hub.answers.append(Answer(status=302, headers=headers))
    assert fetcher.fetch(f"{WRITTEN}#sha256={hashlib.sha256(cdn.body).hexdigest()}").exists()


def test_a_digest_that_the_cdn_claims_counts_for_nothing(
    hub: FileServer, cdn: FileServer, fetcher: Fetcher
) -> None:
    hub.answers.append(Answer(status=302, headers={"Location": f"{cdn.url}/blob"}))
    cdn.usual = Answer(headers={"X-Linked-Etag": f'"{"0" * 64}"'})
    assert fetcher.fetch(WRITTEN).exists()


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("token", ["", "hf_secret"])
def test_a_gated_model_says_what_to_do(
    hub: FileServer, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, status: int, token: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    hub.usual = Answer(status=status)
    with pytest.raises(WeightsError, match="is gated, private, or does not exist") as caught:
        fetcher.fetch(WRITTEN)
    assert f"accept its terms at {hub.url}/owner/repo, then" in caught.value.fix
    assert ("set HF_TOKEN" in caught.value.fix) == (not token)
    assert "hf_secret" not in f"{caught.value.message}{caught.value.fix}"


def test_a_token_never_travels_in_the_clear(fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.invalid")
    with pytest.raises(WeightsError, match="is not https"):
        fetcher.fetch(WRITTEN)


def test_the_token_is_not_shown() -> None:
    assert "hf_secret" not in repr(
        build_address(HuggingFaceWeights("owner/repo", "f"), {"HF_TOKEN": "hf_secret"})
    )
