from __future__ import annotations

from pathlib import Path
from typing import Any

from centralized_ml_api.local.envoy.listener import build_listener
from centralized_ml_api.local.envoy.settings import Files, Limits, Settings, Tls
from centralized_ml_api.local.envoy.tls import build_plain_routes

STATE = Path("/srv/event/.mlapi")
OWN = Tls(STATE / "https/server.pem", STATE / "https/server.key", STATE / "https/ca.pem")


def listener(tls: Tls | None) -> dict[str, Any]:
    files = Files(STATE / "gateway", STATE / "logs/access.log")
    limits = Limits(connections=400, shares=2, first_seconds=5)
    return build_listener(Settings("127.0.0.1", 8080, files, Path("/bundle"), limits, tls))


def test_without_a_certificate_nothing_is_inspected_or_encrypted() -> None:
    plain = listener(None)
    assert [inspector["name"] for inspector in plain["listener_filters"]] == ["first line"]
    assert all("transport_socket" not in chain for chain in plain["filter_chains"])


def test_every_chain_of_callers_speaks_tls_from_version_1_2_on() -> None:
    *secured, plain = listener(OWN)["filter_chains"]
    assert [chain["name"] for chain in secured] == ["unshared", "share-0", "share-1"]
    for chain in secured:
        context = chain["transport_socket"]["typed_config"]["common_tls_context"]
        assert context["tls_params"] == {"tls_minimum_protocol_version": "TLSv1_2"}
        assert context["tls_certificates"] == [
            {
                "certificate_chain": {"filename": "/srv/event/.mlapi/https/server.pem"},
                "private_key": {"filename": "/srv/event/.mlapi/https/server.key"},
            }
        ]
        assert chain["transport_socket_connect_timeout"] == "5s"
    assert (plain["name"], "transport_socket" in plain) == ("plain", False)


def test_tls_is_divided_among_addresses_as_before_and_the_rest_is_plain() -> None:
    secured = listener(OWN)
    matcher = secured["filter_chain_matcher"]
    inner = matcher["matcher_tree"]["exact_match_map"]["map"]
    assert inner == {"tls": {"matcher": listener(None)["filter_chain_matcher"]}}
    assert matcher["on_no_match"]["action"]["typed_config"]["value"] == "plain"
    assert [inspector["name"] for inspector in secured["listener_filters"]] == ["tls", "first line"]


def test_plain_connections_have_one_share_together() -> None:
    limit, http = listener(OWN)["filter_chains"][-1]["filters"]
    assert limit["typed_config"]["max_connections"] == 100
    assert [found["name"] for found in http["typed_config"]["http_filters"]] == ["router"]
    assert "cluster" not in str(http["typed_config"]["route_config"])


def routes(tls: Tls) -> list[dict[str, Any]]:
    hosts = build_plain_routes(tls)["virtual_hosts"]
    assert [host["domains"] for host in hosts] == [["*"]]
    found: list[dict[str, Any]] = hosts[0]["routes"]
    return found


def test_what_has_a_key_is_refused_before_anything_is_redirected() -> None:
    authority, *keys, redirect, rest = routes(OWN)
    assert authority["direct_response"] == {
        "status": 200,
        "body": {"filename": "/srv/event/.mlapi/https/ca.pem"},
    }
    assert [route["match"]["headers"] for route in keys] == [
        [{"name": "x-api-key", "present_match": True}],
        [{"name": "authorization", "present_match": True}],
    ]
    assert {route["direct_response"]["status"] for route in (*keys, rest)} == {403}
    assert "write https:// in place of http://" in str(rest["direct_response"])
    assert rest["match"] == {"prefix": "/"}
    assert redirect["redirect"] == {"https_redirect": True, "response_code": "TEMPORARY_REDIRECT"}
    assert redirect["match"]["headers"][0]["string_match"]["safe_regex"] == {"regex": "GET|HEAD"}


def test_a_users_certificate_needs_no_authority_to_be_given_out() -> None:
    assert len(routes(Tls(Path("/chain.pem"), Path("/key.pem")))) == len(routes(OWN)) - 1
