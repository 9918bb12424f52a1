"""What the scenario `gateway` makes of its templates, its options and its figures."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
from bench.environments import PEERS as FOLDER
from bench.load import Load
from bench.scenarios.gateway import ALWAYS, PEERS, choose
from bench.scenarios.gateway.calls import ANSWER
from bench.scenarios.gateway.judging import build_row, judge
from bench.scenarios.gateway.ours import HOSTED, OPENAI, OURS, build_hosted_config
from bench.scenarios.gateway.peer import Place, fill_in
from bench.scenarios.gateway.proxies import ASGI, ENVOY, UPSTREAM
from bench.scenarios.gateway.rounds import Figures

TEMPLATES = ["upstream/nginx.conf", "nginx/nginx.conf", "envoy/bare.yaml", "litellm/config.yaml"]


def figures(microseconds: float, alone_milliseconds: float) -> Figures:
    load = Load(3000, 3.0, 0, 0, alone_milliseconds, alone_milliseconds)
    return Figures(load, load, microseconds)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_says_all_that_it_is_given_and_nothing_is_left_open(template: str, tmp_path: Path) -> None:
    place = Place(tmp_path, 4321, print)
    text = place.fill(template, port=1234, answer=ANSWER, keys="", key="sk-1").read_text(encoding="utf-8")
    assert not re.search(r"@[a-z]+@", text)
    asked = set(re.findall("@([a-z]+)@", (FOLDER / template).read_text(encoding="utf-8")))
    assert ("4321" in text, "1234" in text) == ("upstream" in asked, "port" in asked)


def test_a_template_that_wants_more_than_there_is_stops_the_measurement() -> None:
    with pytest.raises(KeyError, match="host"):
        fill_in("listen @host@:@port@;", {"port": 1})


def test_the_answer_may_stand_in_nginx_own_quotes() -> None:
    assert not set("'$\\@") & set(ANSWER)


def test_an_option_leaves_the_model_and_our_gateway_in() -> None:
    assert choose("") == list(PEERS)
    assert choose("Envoy") == [UPSTREAM, ENVOY, OURS]
    assert set(choose("nginx, ray")) > set(ALWAYS)
    with pytest.raises(ValueError, match="there is no gateway 'apache'"):
        choose("nginx,apache")


def test_goals_compare_within_a_round() -> None:
    measured = {
        UPSTREAM.name: [figures(1, 0.1), figures(1, 0.2), figures(1, 0.3)],
        ENVOY.name: [figures(30, 0.2), figures(60, 0.3), figures(45, 0.4)],
        OURS.name: [figures(40, 0.2), figures(80, 0.3), figures(50, 0.5)],
    }
    envoy, added = judge(measured)
    assert (envoy.value, envoy.met) == (0.75, False)
    assert (added.value, added.met) == (0.1, True)


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
    row, other = build_row(UPSTREAM.name, [figures(1, 1)]), build_row(OURS.name, [figures(50, 1)])
    assert row["calls per CPU second"] is None
    assert other["calls per CPU second"] == 20_000
    assert list(row) == list(other)
