from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from centralized_ml_api.local.envoy.settings import Files, Settings
from centralized_ml_api.local.envoy.validate import build_static_bootstrap
from centralized_ml_api.local.envoy.xds import build_snapshot
from centralized_ml_api.local.gateway import ExternalUpstream, Gateway, Quotas, ServedRoute, Upstream

SETTINGS = Settings("127.0.0.1", 8080, Files(Path("/state"), Path("/state/access.log")), Path("ca.pem"))
GATEWAY = Gateway(
    (Upstream("chat", (40001,)), ExternalUpstream("box", "192.0.2.1", 80, tls=False)),
    (ServedRoute("chat", "chat", "/invocations", ()), ServedRoute("box", "box", "/invocations", ())),
    quotas=Quotas(datetime(2030, 6, 2, tzinfo=UTC), (("red", 4),)),
)


def test_a_listener_that_is_to_be_added_is_validated_too() -> None:
    bootstrap = build_static_bootstrap(replace(GATEWAY, runs_jobs=True), SETTINGS)
    snapshot = build_snapshot(replace(GATEWAY, runs_jobs=True), SETTINGS)
    _, jobs = bootstrap["static_resources"]["listeners"]
    manager = jobs["filter_chains"][0]["filters"][0]["typed_config"]
    (routes,) = json.loads(snapshot.job_routes.text)["resources"]
    assert (jobs["name"], "@type" in jobs) == ("jobs", False)
    assert {"@type": routes["@type"], **manager["route_config"]} == routes


def test_what_is_validated_has_all_that_the_xds_files_have_and_names_none_of_them() -> None:
    bootstrap = build_static_bootstrap(GATEWAY, SETTINGS)
    snapshot = build_snapshot(GATEWAY, SETTINGS)
    assert not {"path_config_source", "config_discovery"} & set(json.dumps(bootstrap).split('"'))
    manager = bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    (routes,) = json.loads(snapshot.routes.text)["resources"]
    assert {"@type": routes["@type"], **manager["route_config"]} == routes
    limits = {
        name: json.loads(response.text)["resources"][0]["typed_config"]
        for name, response in snapshot.rate_limits.items()
    }
    found = {each["name"]: each["typed_config"] for each in manager["http_filters"]}
    assert {name: found[name] for name in limits} == limits
    clusters = {cluster["name"]: cluster for cluster in bootstrap["static_resources"]["clusters"]}
    assert clusters["chat"]["type"] == clusters["box"]["type"] == "STATIC"
    assert "40001" in json.dumps(clusters["chat"]["load_assignment"])
    assert "192.0.2.1" in json.dumps(clusters["box"]["load_assignment"])
