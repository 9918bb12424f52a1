"""What must hold for every route, whatever other features add."""

from __future__ import annotations

import json
from dataclasses import replace

from centralized_ml_api.local.admission.terms import TERMS_KEY, EntryTerms, parse_terms
from centralized_ml_api.local.envoy.admission import ADMISSION_FILTER
from centralized_ml_api.local.envoy.routes import build_routes
from centralized_ml_api.local.envoy.settings import Limits
from centralized_ml_api.local.envoy.translator import IS_NO_ATTEMPT
from centralized_ml_api.local.gateway import Attempt, Gateway, ServedRoute, TeamAccess, Upstream
from centralized_ml_api.plan.event import Spending

TERMS = EntryTerms(model="m", has_tokens=True, price=(1, 1, 1))
CHAT = ServedRoute("chat", "up", "/v1/chat/completions", (), admission=TERMS, counts_tokens=True)


def test_no_route_to_a_model_passes_the_limits_by() -> None:
    large = replace(CHAT, name="large", body_limit_bytes=20 * 1024 * 1024)
    function = ServedRoute("function", "up", None, None, admission=EntryTerms(price=(1, 1, 1)))
    served = (CHAT, large, function, replace(CHAT, name="streams", streams=True))
    gateway = Gateway(
        (Upstream("up", (1,)),),
        served,
        by_model=dict.fromkeys(("/v1/chat/completions", "/v1/messages", "/v1/embeddings"), (CHAT, large)),
        teams=(TeamAccess("red", ("k",), spending=Spending(nanodollars=5)), TeamAccess("blue", ("l",))),
        pot=Spending(tokens=7),
    )
    routes = build_routes(gateway, Limits())["virtual_hosts"][0]["routes"]
    led = [route for route in routes if "route" in route]
    assert len(led) > 10
    for route in led:
        question = route["typed_per_filter_config"][ADMISSION_FILTER]["overrides"]
        (written,) = question["grpc_initial_metadata"]
        assert written["key"] == TERMS_KEY
        terms = parse_terms(written["value"].replace("%%", "%"))
        assert [limit.most for limit in terms.limits_of("red")] == [5, 7], json.dumps(route["match"])
        assert [limit.most for limit in terms.limits_of("blue")] == [7]
        assert question["processing_mode"]["request_body_mode"] == "BUFFERED"


def test_who_has_others_to_fall_back_on_is_called_in_turn_unless_a_call_is_one_of_these() -> None:
    attempts = (Attempt("a", "/a/v1/chat/completions"), Attempt("b", "/b/v1/chat/completions", ("X-B",)))
    chat = ServedRoute("a", "one", "/chat", (), admission=EntryTerms(places=1), attempts=attempts)
    gateway = Gateway((Upstream("one", (1,)),), (chat,), by_model={"/v1/chat/completions": (chat,)})
    (host,) = build_routes(gateway, Limits())["virtual_hosts"]
    own = [route for route in host["routes"] if route["match"].get("path") == "/a" and "route" in route]
    assert {route["route"]["cluster"] for route in own} == {"translator"}
    for path in ("/v1/chat/completions", "/a/v1/chat/completions"):
        calls = [route for route in host["routes"] if route["match"].get("path") == path and "route" in route]
        assert [route["route"]["cluster"] for route in calls] == ["translator", "translator", "one", "one"]
        assert [IS_NO_ATTEMPT in route["match"]["headers"] for route in calls] == [True, True, False, False]
        assert ["metadata" in route for route in calls] == [False, False, True, True]  # who is admitted
        assert "/b/v1/chat/completions" in json.dumps(calls[0]["typed_per_filter_config"]["headers"])
