"""What the scenario `parts` removes from the files of a gateway."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from bench.scenarios.parts import ALL, BARE, REMOVALS, build_rows, write_rest

from centralized_ml_api.local.envoy.bootstrap import build_bootstrap
from centralized_ml_api.local.envoy.settings import Files, Limits, Settings
from centralized_ml_api.local.envoy.xds import build_snapshot
from centralized_ml_api.local.gateway import Gateway, ServedRoute, TeamAccess, Upstream
from centralized_ml_api.plan.event import Throttle

if TYPE_CHECKING:
    from pathlib import Path

MODEL = ServedRoute("model", "model", "/v1/chat/completions", (), counts_tokens=True)
GATEWAY = Gateway(
    upstreams=(Upstream("model", (40001,)),),
    routes=(MODEL,),
    by_model={"/v1/chat/completions": (MODEL,)},
    ends=datetime(2030, 6, 2, tzinfo=UTC),
    teams=(TeamAccess("red", ("red-key",), throttle=Throttle(1, 2)),),
)


@pytest.fixture
def bootstrap(tmp_path: Path) -> Path:
    """The bootstrap of a gateway, beside its other files."""
    settings = Settings(
        host="127.0.0.1",
        port=8080,
        files=Files(tmp_path, tmp_path / "access.log"),
        ca_bundle=tmp_path / "ca.crt",
        limits=Limits(shares=1),
    )
    settings.files.routes.write_text(build_snapshot(GATEWAY, settings).routes.text, encoding="utf-8")
    file = tmp_path / "bootstrap.json"
    file.write_text(json.dumps(build_bootstrap(settings)), encoding="utf-8")
    return file


def rest(bootstrap: Path, removed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The connection manager and the table of routes that are left."""
    folder = bootstrap.parent / f"rest-{removed}"
    folder.mkdir()
    file = write_rest(bootstrap, folder, 8081, [*REMOVALS.values()][:removed])
    (listener,) = json.loads(file.read_text(encoding="utf-8"))["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][-1]["typed_config"]
    assert manager["rds"]["config_source"]["path_config_source"].pop("path") == str(folder / "routes.json")
    for log in manager["access_log"]:
        log["typed_config"].pop("path", None)
    (table,) = json.loads((folder / "routes.json").read_text(encoding="utf-8"))["resources"]
    return manager, table


def test_each_removal_leaves_less_and_the_last_leaves_a_proxy(bootstrap: Path) -> None:
    rests = [rest(bootstrap, removed) for removed in range(len(REMOVALS) + 1)]
    sizes = [len(json.dumps(each)) for each in rests]
    for name, before, after in zip(REMOVALS, sizes, sizes[1:], strict=False):
        if "counting" not in name:  # there another script is chosen
            assert after < before, name
    assert len({json.dumps(each) for each in rests}) == len(rests)
    manager, table = rests[-1]
    assert [each["name"] for each in manager["http_filters"]] == ["router"]
    assert manager["access_log"] == []
    (route,) = table["virtual_hosts"][0]["routes"]
    assert route["match"] == {"path": "/model"}
    assert route["route"]["cluster"].startswith("model")
    assert "retry_policy" not in route["route"]


def test_the_table_says_what_each_removal_took_away() -> None:
    rows = build_rows({ALL: 300_040, "keys": 250_000, BARE: 200_000})
    assert [row["thousand instructions left"] for row in rows] == [300.0, 250.0, 200.0]
    assert [row["difference"] for row in rows] == [None, -50.0, None]
    assert [row["times Envoy alone"] for row in rows] == [1.5, 1.25, 1]
