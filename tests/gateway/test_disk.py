"""The disk fails or the folder goes while the gateway serves: it goes on, and says what is wrong."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.gateway import Gateway, ServedRoute, Upstream
from support.odd_server import OddServer
from support.running_gateway import start_gateway

if TYPE_CHECKING:
    from pathlib import Path

    from support.background import Background


def serving(server: OddServer, *names: str) -> Gateway:
    return Gateway(
        tuple(Upstream(name, (server.port,)) for name in names),
        tuple(ServedRoute(name, name, "/echo", ()) for name in names),
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["clusters.json", "routes.json", "endpoints/new.json"])
def test_a_full_disk_is_said_and_what_was_served_is_served(
    tmp_path: Path, background: Background, name: str
) -> None:
    written = tmp_path / "envoy" / name
    draft = written.with_name(f".{written.name}.new")
    with OddServer() as server, start_gateway(tmp_path, background, serving(server, "old")) as running:
        draft.symlink_to("/dev/full")
        with pytest.raises(StartError, match=rf"{written.name} cannot be written: No space left on device"):
            running.apply(serving(server, "old", "new"))
        assert running.call("/old").status == 200
        draft.unlink(missing_ok=True)
        running.apply(serving(server, "old", "new"))
        assert running.call("/new").status == 200


@pytest.mark.slow
def test_a_folder_that_was_removed_is_made_anew_for_the_next_start(
    tmp_path: Path, background: Background
) -> None:
    folder = tmp_path / "envoy"
    with OddServer() as server, start_gateway(tmp_path, background, serving(server, "old")) as running:
        shutil.rmtree(folder)
        for _ in range(2):
            with pytest.raises(StartError, match="was removed while the gateway runs"):
                running.apply(serving(server, "new"))
            assert running.call("/old").status == 200
            assert running.envoy.cut_off
        assert folder.stat().st_mode & 0o777 == 0o700
        assert "/new" in (folder / "routes.json").read_text()
        assert [path.name for path in (folder / "endpoints").iterdir()] == ["new.json"]
        running.stop()
        running.start()
        assert not running.envoy.cut_off
        assert running.call("/new").status == 200


@pytest.mark.slow
def test_a_removed_folder_that_cannot_be_made_anew_is_said_too(
    tmp_path: Path, background: Background
) -> None:
    folder = tmp_path / "envoy"
    with OddServer() as server, start_gateway(tmp_path, background, serving(server, "old")) as running:
        shutil.rmtree(folder)
        folder.touch()
        with pytest.raises(StartError, match="cannot be written: File exists"):
            running.apply(serving(server, "new"))
        assert running.call("/old").status == 200
