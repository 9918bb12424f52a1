from __future__ import annotations

import pytest

from centralized_ml_api.local.envoy.connection_shares import build_shares
from centralized_ml_api.local.envoy.settings import Limits

MANAGER = {"stat_prefix": "gateway"}


def test_every_group_has_a_quarter_of_the_connections_and_this_machine_has_all() -> None:
    unshared, *shares = build_shares(MANAGER, Limits(connections=400, shares=3))["filter_chains"]
    assert [filter_["name"] for filter_ in unshared["filters"]] == ["http"]
    for share in shares:
        limit, http = share["filters"]
        assert limit["typed_config"]["max_connections"] == 100
        assert http["typed_config"] == MANAGER
    assert len(shares) == 3


@pytest.mark.parametrize("connections", [1, 3])
def test_a_group_has_at_least_one_connection(connections: int) -> None:
    share = build_shares(MANAGER, Limits(connections=connections))["filter_chains"][1]
    assert share["filters"][0]["typed_config"]["max_connections"] == 1


def test_each_chain_is_chosen_by_one_of_the_matchers() -> None:
    """Of three groups the first matcher takes a hash of 2, the second of those left 1, and the rest is 0."""
    built = build_shares(MANAGER, Limits(shares=3))
    matchers = built["filter_chain_matcher"]["matcher_list"]["matchers"]
    chosen = [matcher["on_match"]["action"]["typed_config"]["value"] for matcher in matchers]
    rest = built["filter_chain_matcher"]["on_no_match"]["action"]["typed_config"]["value"]
    assert [*chosen, rest] == ["unshared", "share-2", "share-1", "share-0"]
    assert {chain["name"] for chain in built["filter_chains"]} == {*chosen, rest}
    own, *groups = (matcher["predicate"]["single_predicate"]["custom_match"] for matcher in matchers)
    assert own["typed_config"]["cidr_ranges"] == [
        {"address_prefix": "127.0.0.0", "prefix_len": 8},
        {"address_prefix": "::1", "prefix_len": 128},
    ]
    assert [(group["typed_config"]["threshold"], group["typed_config"]["modulo"]) for group in groups] == [
        (2, 3),
        (1, 3),
    ]


def test_without_groups_everybody_may_have_all_connections() -> None:
    built = build_shares(MANAGER, Limits(shares=0))
    (chain,) = built["filter_chains"]
    assert [filter_["name"] for filter_ in chain["filters"]] == ["http"]
    assert built["filter_chain_matcher"].keys() == {"on_no_match"}
    assert built["filter_chain_matcher"]["on_no_match"]["action"]["typed_config"]["value"] == chain["name"]
