"""What the scenario `gateway` makes of its templates, its options and its figures."""

from __future__ import annotations

import json
import os
import re
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bench.environments import PEERS as FOLDER
from bench.load import Load
from bench.processes import on_cores
from bench.scenarios.gateway import ALWAYS, PEERS, choose
from bench.scenarios.gateway.calls import (
    ANSWER,
    ANTHROPIC_ANSWER,
    ANTHROPIC_PATH,
    OPENAI_PATH,
    WORDS,
    build_call,
    find_words,
)
from bench.scenarios.gateway.judging import build_row, judge
from bench.scenarios.gateway.llm_gateways import VLLM_ROUTER
from bench.scenarios.gateway.ours import COUNTED, HOSTED, OPENAI, OURS, build_config, build_hosted_config
from bench.scenarios.gateway.peer import Place, fill_in
from bench.scenarios.gateway.proxies import ASGI, ENVOY, UPSTREAM
from bench.scenarios.gateway.rounds import Figures

from centralized_ml_api.config.load import load_config
from centralized_ml_api.plan.apis import SPOKEN_AT
from centralized_ml_api.plan.build import build_plan
from centralized_ml_api.plan.speaks import list_spoken

TEMPLATES = [
    "upstream/nginx.conf",
    "upstream/many.conf",
    "nginx/nginx.conf",
    "envoy/bare.yaml",
    "litellm/config.yaml",
    "tensorzero/tensorzero.toml",
]
GIVEN = {
    "port": 1234,
    "answer": ANSWER,
    "message": ANTHROPIC_ANSWER,
    "keys": "",
    "key": "sk-1",
    "timeout": "15s",
    "listens": "listen 127.0.0.1:1234;",
}


def figures(microseconds: float, alone_milliseconds: float, bare: float = 30) -> Figures:
    load = Load(3000, 3.0, 0, 0, alone_milliseconds, alone_milliseconds)
    return Figures(
        load, load, microseconds, one_core_microseconds=2 * microseconds, bare_microseconds=2 * bare
    )


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_says_all_that_it_is_given_and_nothing_is_left_open(template: str, tmp_path: Path) -> None:
    place = Place(tmp_path, 4321, print)
    text = place.fill(template, **GIVEN).read_text(encoding="utf-8")
    assert not re.search(r"@[a-z]+@", text)
    asked = set(re.findall("@([a-z]+)@", (FOLDER / template).read_text(encoding="utf-8")))
    assert ("4321" in text, "1234" in text) == ("upstream" in asked, bool({"port", "listens"} & asked))


def test_a_template_that_wants_more_than_there_is_stops_the_measurement() -> None:
    with pytest.raises(KeyError, match="host"):
        fill_in("listen @host@:@port@;", {"port": 1})


def test_the_answer_may_stand_in_nginx_own_quotes() -> None:
    assert not set("'$\\@") & set(ANSWER + ANTHROPIC_ANSWER)


def test_an_option_leaves_the_model_and_our_gateway_in() -> None:
    assert choose("") == list(PEERS)
    assert choose("the model itself") == [UPSTREAM, ENVOY, OURS]
    assert set(choose("nginx, ray")) > set(ALWAYS)
    with pytest.raises(ValueError, match="there is no gateway 'apache'"):
        choose("nginx,apache")


def test_goals_compare_with_what_was_called_in_turn() -> None:
    measured = {
        UPSTREAM.name: [figures(1, 0.1), figures(1, 0.2), figures(1, 0.3)],
        ENVOY.name: [figures(10, 0.2), figures(20, 0.3), figures(30, 0.4)],
        OURS.name: [figures(40, 0.2, 30), figures(80, 0.3, 60), figures(50, 0.5, 45)],
    }
    envoy, added = judge(measured)
    assert (envoy.value, envoy.goal, envoy.met) == (1.33, 1.47, True)
    assert (added.value, added.met) == (0.1, True)


def test_ours_is_compared_with_the_router_and_its_own_paths_with_each_other() -> None:
    measured = {
        VLLM_ROUTER.name: [figures(50, 1)] * 3,
        OURS.name: [figures(60, 1)] * 3,
        OPENAI.name: [figures(66, 1)] * 3,
    }
    router, path = judge(measured)
    assert (router.value, router.goal, router.met) == (1.2, 1.0, False)
    assert (path.value, path.goal, path.met) == (1.1, 1.15, True)


def test_the_goals_against_python_are_of_each_server() -> None:
    measured = {server.name: [figures(120, 1)] * 3 for server in ASGI} | {OURS.name: [figures(40, 1)] * 3}
    assert [goal.value for goal in judge(measured)] == [3, 3]


def test_a_hosted_model_costs_little_more_than_one_of_our_own() -> None:
    measured = {
        OPENAI.name: [figures(50, 1)] * 3,
        HOSTED.name: [figures(60, 1), figures(70, 1), figures(65, 1)],
    }
    (cost,) = judge(measured)
    assert (cost.value, cost.goal, cost.met) == (1.3, 1.3, True)


def test_a_hosted_model_is_one_with_a_key_that_only_this_user_reads(tmp_path: Path) -> None:
    config = build_hosted_config(4321, tmp_path)
    provider = config["endpoints"][0]["provider"]
    assert provider["url"] == "http://127.0.0.1:4321/v1"
    assert stat.S_IMODE(Path(provider["key"]["file"]).stat().st_mode) == 0o600


def test_the_model_itself_is_no_gateway_and_has_no_price() -> None:
    measured = {UPSTREAM.name: [figures(1, 1)], OURS.name: [figures(50, 1, 40)]}
    row, other = (build_row(name, measured) for name in measured)
    assert row["calls per CPU second"] is row["times bare Envoy"] is None
    assert other["calls per CPU second"] == 20_000
    assert (other["CPU µs per call, one core"], other["times bare Envoy"]) == (100, 1.25)
    assert list(row) == list(other)


def test_gateways_are_compared_by_their_multiples_of_what_ran_beside_them() -> None:
    measured = {
        VLLM_ROUTER.name: [figures(30, 1, 30), figures(60, 1, 60), figures(33, 1, 30)],
        OURS.name: [figures(120, 1, 60), figures(60, 1, 30), figures(99, 1, 45)],
    }
    (cost,) = judge(measured)
    assert cost.value == 2


@pytest.mark.parametrize("answer", [ANSWER, ANTHROPIC_ANSWER])
def test_what_the_model_says_is_read_in_both_shapes(answer: str) -> None:
    assert find_words(json.loads(answer)) == WORDS


def test_a_call_names_the_model_as_the_gateway_knows_it() -> None:
    call = build_call(1, "/v1", "sk-1", headers={"x-provider": "openai"}, model="a::model")
    assert json.loads(call.body)["model"] == "a::model"
    assert call.headers == {
        "content-type": "application/json",
        "authorization": "Bearer sk-1",
        "x-provider": "openai",
    }


def test_every_config_of_ours_is_in_order(tmp_path: Path) -> None:
    file = tmp_path / "models.json"
    for server_path in (OPENAI_PATH, ANTHROPIC_PATH):
        file.write_text(json.dumps(build_config(4321, COUNTED, server_path)), encoding="utf-8")
        (entry,) = build_plan(load_config(file, now=datetime.now(UTC))).deployments
        assert list_spoken(entry) == (SPOKEN_AT[server_path],)


def test_a_model_moves_to_the_core_of_the_gateway_and_back() -> None:
    own = os.sched_getaffinity(0)
    one = min(own)
    with on_cores(os.getpid(), str(one)):
        assert os.sched_getaffinity(0) == {one}
    assert os.sched_getaffinity(0) == own
