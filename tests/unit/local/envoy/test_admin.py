from __future__ import annotations

import socket
import tempfile
from pathlib import Path

import pytest

from centralized_ml_api.local.envoy.admin import SOCKET_PATH_BYTES, shorten_path


def test_a_path_that_fits_stays_as_it_is() -> None:
    path = Path("/") / ("x" * (SOCKET_PATH_BYTES - 1))
    with shorten_path(path) as short:
        assert short == str(path)


@pytest.mark.parametrize("folder", ["x" * SOCKET_PATH_BYTES, "ü" * (SOCKET_PATH_BYTES // 2)])
def test_a_path_that_is_too_long_leads_to_the_same_socket(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder / "a.sock"
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        with shorten_path(path) as short:
            server.bind(short)
            server.listen()
            client.connect(short)
        assert path.is_socket()
        assert not Path(short).parent.parent.exists(), "the link to it is not left behind"


def test_a_long_folder_for_temporary_files_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / ("t" * SOCKET_PATH_BYTES)
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with shorten_path(temporary / "a.sock") as short:
        assert len(short) <= SOCKET_PATH_BYTES
        assert Path(short).parent.samefile(temporary)
