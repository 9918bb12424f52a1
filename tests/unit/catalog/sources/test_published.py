"""Where specs come from: lock, cache, a bucket or mirror, the snapshot; and what is said when one fails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.catalog.catalog import Catalog, open_catalog
from centralized_ml_api.catalog.failures import (
    MalformedSpecError,
    MirrorError,
    SourceError,
    UnknownModelError,
    UnknownVersionError,
)
from centralized_ml_api.catalog.sources.web import fetch
from support.bucket_server import BucketServer
from support.jumpstart import REGION, make_spec, manifest_row, write_mirror
from support.own_ports import own_ports
from support.proxy_server import ProxyServer, clear_proxies

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODEL = "acme-textgeneration-tiny"
SHIPPED = "huggingface-textgeneration-open-llama"


@pytest.fixture(autouse=True)
def no_proxies_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_proxies(monkeypatch)


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return write_mirror(tmp_path / "mirror", make_spec(), make_spec(version="1.10.0"))


@pytest.fixture
def bucket(mirror: Path) -> Iterator[BucketServer]:
    with BucketServer(mirror) as server:
        yield server


def catalog_for(mirror: object, folder: Path, *, offline: bool = False) -> Catalog:
    environment = {"MLAPI_JUMPSTART_MIRROR": str(mirror), "MLAPI_CACHE": str(folder / "cache")}
    return open_catalog(offline=offline, environment=environment)


def test_a_folder_is_a_mirror(mirror: Path, tmp_path: Path) -> None:
    facts = catalog_for(mirror, tmp_path).resolve(MODEL, region=REGION)
    assert (facts.source, facts.fidelity, facts.version) == ("mirror", "full", "1.10.0")


def test_a_folder_is_on_this_machine_so_offline_reads_it_too(mirror: Path, tmp_path: Path) -> None:
    assert catalog_for(mirror, tmp_path, offline=True).resolve(MODEL, region=REGION).source == "mirror"


def test_a_mirror_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MirrorError, match="which is not a folder"):
        catalog_for(tmp_path / "nowhere", tmp_path)


def test_a_mirror_without_a_manifest_is_left_out_and_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    catalog = catalog_for(tmp_path / "empty", tmp_path)
    assert catalog.resolve(SHIPPED, region=REGION).source == "snapshot"
    assert (
        [warning for warning in catalog.warnings if "has no models_manifest.json" in warning]
        == catalog.warnings
        != []
    )


def test_a_spec_key_never_leads_out_of_the_mirror(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text(json.dumps(make_spec()))
    mirror = write_mirror(tmp_path / "mirror", rows=[manifest_row(make_spec(), spec_key="../secret.json")])
    catalog = catalog_for(mirror, tmp_path)
    with pytest.raises(UnknownVersionError):
        catalog.find(MODEL, "*", REGION)
    assert "is outside of the mirror" in catalog.warnings[0]


def test_open_weights_come_before_proprietary_ones(tmp_path: Path) -> None:
    open_spec, own = make_spec(version="1.0.0"), make_spec(version="2.0.004")
    mirror = write_mirror(tmp_path / "mirror", open_spec, own, rows=[manifest_row(open_spec)])
    rows = [manifest_row(own), manifest_row(own, model_id="acme-tg-own")]
    (mirror / "proprietary-sdk-manifest.json").write_text(json.dumps(rows))
    catalog = catalog_for(mirror, tmp_path)
    assert catalog.find(MODEL, "*", REGION).spec["version"] == "1.0.0"
    assert catalog.find("acme-tg-own", "*", REGION).spec["version"] == "2.0.004"


def test_a_bucket_is_asked_once_then_only_whether_it_changed(bucket: BucketServer, tmp_path: Path) -> None:
    assert catalog_for(bucket.url, tmp_path).resolve(MODEL, region=REGION).source == "mirror"
    assert bucket.statuses == {200: 2, 404: 1}  # there is no manifest of proprietary models
    again = catalog_for(bucket.url, tmp_path)
    assert again.resolve(MODEL, region=REGION).source == "cache"
    again.resolve(MODEL, region=REGION)
    assert bucket.statuses == {200: 2, 304: 2, 404: 2}


def test_a_changed_document_is_fetched_anew(bucket: BucketServer, mirror: Path, tmp_path: Path) -> None:
    catalog_for(bucket.url, tmp_path).find(MODEL, "*", REGION)
    write_mirror(mirror, make_spec(version="3.0.0"))
    assert catalog_for(bucket.url, tmp_path).resolve(MODEL, region=REGION).version == "3.0.0"


def test_offline_takes_the_cache_and_asks_nothing(bucket: BucketServer, tmp_path: Path) -> None:
    catalog_for(bucket.url, tmp_path).find(MODEL, "*", REGION)
    asked = bucket.statuses.total()
    offline = catalog_for(bucket.url, tmp_path, offline=True)
    assert offline.resolve(MODEL, region=REGION).source == "cache"
    assert (bucket.statuses.total(), offline.warnings) == (asked, [])


def test_a_bucket_that_went_away_is_stood_in_for_by_the_cache_and_that_is_said(
    mirror: Path, tmp_path: Path
) -> None:
    with BucketServer(mirror) as server:
        catalog_for(server.url, tmp_path).find(MODEL, "*", REGION)
    catalog = catalog_for(server.url, tmp_path)
    assert catalog.resolve(MODEL, region=REGION).source == "cache"
    assert len(catalog.warnings) == 1
    assert catalog.warnings[0].endswith("cached responses are used")


def test_a_cache_entry_that_was_damaged_is_left_out_and_said(bucket: BucketServer, tmp_path: Path) -> None:
    catalog_for(bucket.url, tmp_path).find(MODEL, "*", REGION)
    for file in (tmp_path / "cache/jumpstart").iterdir():
        file.write_text(file.read_text()[:-40])
    catalog = catalog_for(bucket.url, tmp_path, offline=True)
    with pytest.raises(UnknownModelError):
        catalog.find(MODEL, "*", REGION)
    assert all("is damaged and is not used" in warning for warning in catalog.warnings)
    assert catalog_for(bucket.url, tmp_path).resolve(MODEL, region=REGION).source == "mirror"


def test_a_cache_entry_that_was_changed_is_left_out(bucket: BucketServer, tmp_path: Path) -> None:
    catalog_for(bucket.url, tmp_path).find(MODEL, "*", REGION)
    for file in (tmp_path / "cache/jumpstart").iterdir():
        file.write_text(file.read_text().replace("1.10.0", "6.6.6"))
    assert catalog_for(bucket.url, tmp_path).resolve(MODEL, region=REGION).version == "1.10.0"


def test_a_cache_that_cannot_be_written_costs_a_warning_only(bucket: BucketServer, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    catalog = catalog_for(bucket.url, tmp_path)
    assert catalog.resolve(MODEL, region=REGION).source == "mirror"
    assert catalog.warnings


@pytest.mark.parametrize(
    ("status", "said"),
    [(403, "is not public (403)"), (404, "does not exist (404)"), (500, "answered with status 500")],
)
def test_a_bucket_that_refuses_is_left_out_with_its_reason(
    status: int, said: str, mirror: Path, tmp_path: Path
) -> None:
    with BucketServer(mirror, status=status) as server:
        catalog = catalog_for(server.url, tmp_path)
        assert catalog.resolve(SHIPPED, region=REGION).source == "snapshot"
        catalog.resolve(SHIPPED, region=REGION)
    assert len(catalog.warnings) == 1
    assert said in catalog.warnings[0]


def test_a_page_instead_of_json_is_not_kept(mirror: Path, tmp_path: Path) -> None:
    with BucketServer(mirror, body=b"<html>Please log in to the hotel's network</html>") as server:
        catalog = catalog_for(server.url, tmp_path)
        assert catalog.resolve(SHIPPED, region=REGION).source == "snapshot"
    assert "did not answer with JSON" in catalog.warnings[0]
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("body", [b"{}", b'[{"model_id": "m"}]', b"[1]", b"null"])
def test_a_manifest_in_another_form_is_left_out(body: bytes, mirror: Path, tmp_path: Path) -> None:
    with BucketServer(mirror, body=body) as server:
        catalog = catalog_for(server.url, tmp_path)
        assert catalog.resolve(SHIPPED, region=REGION).source == "snapshot"
    assert len(catalog.warnings) == 1


def test_a_spec_in_another_form_is_an_error(mirror: Path, tmp_path: Path) -> None:
    (mirror / manifest_row(make_spec(version="1.10.0"))["spec_key"]).write_text('{"model_id": 7}')
    with pytest.raises(MalformedSpecError):
        catalog_for(mirror, tmp_path).resolve(MODEL, region=REGION)


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("127.0.0.1", "the connection to 127.0.0.1:{port} was refused"),
        ("no-such-host.invalid", "the name no-such-host.invalid cannot be resolved"),
    ],
)
def test_a_host_that_cannot_be_reached_is_asked_once_and_then_left_out(
    host: str, reason: str, tmp_path: Path
) -> None:
    port = own_ports()
    catalog = catalog_for(f"http://{host}:{port}", tmp_path)
    assert catalog.resolve(SHIPPED, region=REGION).source == "snapshot"
    assert catalog.resolve(SHIPPED, region="eu-west-1").source == "snapshot"
    assert len(catalog.warnings) == 1
    assert f" could not be read: {reason.format(port=port)}; " in catalog.warnings[0]


def test_specs_come_through_a_proxy_that_asks_for_a_password(
    bucket: BucketServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ProxyServer(bucket.port, "me:p@ss word") as proxy:
        monkeypatch.setenv("http_proxy", proxy.url_with_credentials)
        facts = catalog_for("http://jumpstart.test", tmp_path).resolve(MODEL, region=REGION)
    assert (facts.source, facts.version) == ("mirror", "1.10.0")
    assert proxy.seen[0] == "http://jumpstart.test/models_manifest.json"


def test_a_proxy_that_refuses_the_password_is_named_with_what_to_do(
    bucket: BucketServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ProxyServer(bucket.port, "me:right") as proxy:
        monkeypatch.setenv("http_proxy", f"me:wrong@127.0.0.1:{proxy.port}")
        catalog = catalog_for("http://jumpstart.test", tmp_path)
        assert catalog.resolve(SHIPPED, region=REGION).source == "snapshot"
    refused = f"the proxy 127.0.0.1:{proxy.port} refuses the user name or the password (407)"
    assert f"{refused} (correct them in http_proxy: http://USER:PASSWORD@HOST:PORT" in catalog.warnings[0]
    assert "wrong" not in catalog.warnings[0]


def test_a_host_that_says_nothing_is_given_up(mirror: Path) -> None:
    with BucketServer(mirror, silent=True) as server, pytest.raises(SourceError, match=r"within 0\.2 s"):
        fetch(f"{server.url}/models_manifest.json", {}, answer_seconds=0.2)


def test_what_jumpstart_dropped_is_found_in_the_snapshot(mirror: Path, tmp_path: Path) -> None:
    catalog = catalog_for(mirror, tmp_path)
    assert catalog.resolve(SHIPPED, region=REGION).source == "snapshot"
    assert catalog.warnings == []


def test_an_unknown_model_gets_the_nearest_ids_of_all_sources(mirror: Path, tmp_path: Path) -> None:
    catalog = catalog_for(mirror, tmp_path)
    with pytest.raises(UnknownModelError) as raised:
        catalog.find("acme-textgeneration-tyni", "*", REGION)
    assert raised.value.fix == f'write "{MODEL}"'
    with pytest.raises(UnknownModelError) as raised:
        catalog.find("open-llama", "*", REGION)
    assert SHIPPED in raised.value.expected


def test_an_unknown_version_gets_the_known_ones(mirror: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownVersionError) as raised:
        catalog_for(mirror, tmp_path).find(MODEL, "9.*", REGION)
    assert raised.value.expected == "one of 1.10.0, 1.2.0, or *"


def test_one_row_a_model_the_newest_of_the_first_source(mirror: Path, tmp_path: Path) -> None:
    rows = catalog_for(mirror, tmp_path).rows(REGION)
    assert [row.model_id for row in rows] == sorted({row.model_id for row in rows})
    assert {row.model_id: row.version for row in rows}[MODEL] == "1.10.0"
