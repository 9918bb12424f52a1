"""The files are private, put in place at once, and whatever the disk refuses names the file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy.settings import Files, Settings
from centralized_ml_api.local.envoy.xds import (
    READ_BYTES_PER_SECOND,
    SMALL_TABLE_BYTES,
    DiscoveryResponse,
    Snapshot,
    build_snapshot,
    find_moved,
    write_file,
    write_snapshot,
)
from centralized_ml_api.local.gateway import ExternalUpstream, Gateway, ServedRoute, Upstream

GATEWAY = Gateway(
    (Upstream("chat", (40001,)), Upstream("a/b", ())), (ServedRoute("chat", "chat", "/invocations", ()),)
)


def settings_of(folder: Path) -> Settings:
    return Settings("127.0.0.1", 8080, Files(folder / "gateway", folder / "logs/access.log"), Path("ca.pem"))


def test_a_file_is_replaced_at_once(tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    write_file(path, "before")
    with path.open() as reader:
        write_file(path, "after")
        assert reader.read() == "before", "who has opened it reads all of what it was"
    assert path.read_text() == "after"
    assert list(tmp_path.iterdir()) == [path]


def test_only_its_user_may_read_a_file(tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    path.write_text("")
    path.chmod(0o644)
    write_file(path, "keys")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_full_disk_leaves_the_file_as_it_was_and_names_it(tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    write_file(path, "before")
    (tmp_path / ".routes.json.new").symlink_to("/dev/full")
    with pytest.raises(StartError) as refused:
        write_file(path, "after")
    assert refused.value.message == f"the gateway's {path} cannot be written: No space left on device"
    assert refused.value.fix == "free disk space, or give this user write access"
    assert path.read_text() == "before"


def test_a_file_that_cannot_be_renamed_into_place_is_named_too(tmp_path: Path) -> None:
    path = tmp_path / "routes.json"
    path.mkdir()
    with pytest.raises(StartError, match=rf"the gateway's {path} cannot be written: Is a directory"):
        write_file(path, "after")


@pytest.mark.parametrize(
    ("ports", "found"),
    [({"a": (1,)}, []), ({"a": (2,)}, ["a"]), ({"a": ()}, ["a"]), ({"new": (1,)}, []), ({}, [])],
    ids=["as before", "elsewhere", "nowhere", "unknown before", "unknown after"],
)
def test_what_has_moved_is_a_known_server_of_this_machine(
    ports: dict[str, tuple[int, ...]], found: list[str]
) -> None:
    before = Gateway((Upstream("a", (1,)), ExternalUpstream("box", "192.0.2.1", 80, tls=False)), ())
    elsewhere = ExternalUpstream("box", "192.0.2.2", 80, tls=False)
    after = Gateway((*(Upstream(name, own) for name, own in ports.items()), elsewhere), ())
    assert [upstream.name for upstream in find_moved(before, after)] == found


def test_a_snapshot_is_written_whole_into_folders_of_this_user_alone(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    snapshot = build_snapshot(GATEWAY, settings)
    write_snapshot(settings.files, snapshot)
    folder = settings.files.folder
    written = {str(path.relative_to(folder)): path for path in folder.rglob("*.json")}
    assert written.keys() == {
        *(
            "clusters.json",
            "listeners.json",
            "routes.json",
            "job-routes.json",
            "endpoints/chat.json",
            "endpoints/a%2Fb.json",
        ),
        *("limit-rate.json", "limit-throttle.json", "limit-quota.json"),
    }
    assert written["endpoints/chat.json"].read_text() == snapshot.endpoints["chat"].text
    assert written["limit-quota.json"].read_text() == snapshot.rate_limits["quota"].text
    assert written["routes.json"].read_text() == snapshot.routes.text
    assert written["job-routes.json"].read_text() == snapshot.job_routes.text
    clusters = json.loads(written["clusters.json"].read_text())["resources"]
    assert clusters == [snapshot.clusters["a/b"], snapshot.clusters["chat"]]
    for private in (folder, settings.files.endpoints, settings.files.access_log.parent):
        assert private.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    settings.files.folder.mkdir(mode=0o755)
    write_snapshot(settings.files, build_snapshot(GATEWAY, settings))
    assert settings.files.folder.stat().st_mode & 0o777 == 0o700


def test_endpoints_of_clusters_that_are_gone_are_removed(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    write_snapshot(settings.files, build_snapshot(GATEWAY, settings))
    write_snapshot(settings.files, build_snapshot(replace(GATEWAY, upstreams=()), settings))
    assert list(settings.files.endpoints.iterdir()) == []


@pytest.mark.parametrize("held", ["gateway", "logs"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, held: str) -> None:
    settings = settings_of(tmp_path)
    (tmp_path / held).touch()
    with pytest.raises(StartError, match=rf"the gateway's {tmp_path / held} cannot be written: File exists"):
        write_snapshot(settings.files, build_snapshot(GATEWAY, settings))


def test_a_file_that_cannot_be_removed_is_an_error_about_its_folder(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    (settings.files.endpoints / "held").mkdir(parents=True)
    endpoints = settings.files.endpoints
    with pytest.raises(StartError, match=rf"the gateway's {endpoints} cannot be written: Is a directory"):
        write_snapshot(settings.files, build_snapshot(GATEWAY, settings))


def test_the_version_changes_with_the_content_and_only_with_it() -> None:
    settings = settings_of(Path("/state"))
    fewer = replace(GATEWAY, routes=())
    before, same, other = (build_snapshot(gateway, settings) for gateway in (GATEWAY, GATEWAY, fewer))
    assert before.routes.version == same.routes.version != other.routes.version
    assert before.endpoints == other.endpoints
    assert json.loads(before.routes.text)["version_info"] == before.routes.version


def test_what_is_kept_of_a_snapshot_has_no_table_and_every_version() -> None:
    snapshot = build_snapshot(replace(GATEWAY, runs_jobs=True), settings_of(Path("/state")))
    kept = snapshot.without_tables()
    assert (kept.routes.text, kept.job_routes.text) == ("", "")
    assert (kept.routes.version, kept.job_routes.version) == (
        snapshot.routes.version,
        snapshot.job_routes.version,
    )
    assert (kept.clusters, kept.endpoints, kept.rate_limits) == (
        snapshot.clusters,
        snapshot.endpoints,
        snapshot.rate_limits,
    )


@pytest.mark.parametrize(
    ("table_bytes", "seconds"),
    [(0, 0), (SMALL_TABLE_BYTES, 0), (SMALL_TABLE_BYTES + READ_BYTES_PER_SECOND, 1)],
)
def test_envoy_may_take_longer_for_a_large_table(table_bytes: int, seconds: float) -> None:
    routes = DiscoveryResponse("1", " " * (table_bytes // 2))
    snapshot = Snapshot({}, {}, routes, job_routes=DiscoveryResponse("2", " " * (table_bytes // 2)))
    assert snapshot.reading_seconds == seconds
    assert snapshot.without_tables().reading_seconds == 0, "what it has, it has read"
