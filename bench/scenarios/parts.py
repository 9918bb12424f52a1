"""What each part of a call costs the gateway, in instructions: `make bench BENCH=parts`.

From the files that `mlapi up` has written for its Envoy, one thing after the other is removed, and a second
Envoy with what is left is counted each time. What is removed stays removed: the counts add up.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bench.callgrind import count_instructions, own_envoy_files, require_valgrind, valgrind_version
from bench.processes import free_port
from bench.scenario import Measured, Row, Run, Scenario
from bench.scenarios.gateway import ours, proxies
from bench.scenarios.gateway.calls import build_call
from bench.scenarios.gateway.peer import Place
from bench.scenarios.instructions import count_bare, count_copy, serve_ours
from centralized_ml_api.local.envoy.api_keys import KEY_FILTER, TEAM_FILTER
from centralized_ml_api.local.envoy.rate_limits import LEFT_FILTER, RATE_LIMIT_FILTERS
from centralized_ml_api.local.envoy.route_action import FILTER_ENABLED, HEADERS_FILTER, RESPONSE_FILTER
from centralized_ml_api.local.envoy.usual_headers import USUAL_HEADERS_FILTER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

Removal = Callable[[dict[str, Any], dict[str, Any]], None]
"""Removes a part from Envoy's connection manager and its table of routes."""

ALL, BARE = "nothing", "for comparison: Envoy alone"
_PATH = "/model"


def _remove_live_counts(manager: dict[str, Any], _: dict[str, Any]) -> None:
    logs = manager["access_log"]
    manager["access_log"] = [log for log in logs if ".stats." not in log["typed_config"]["@type"]]


def _remove_logs(manager: dict[str, Any], _: dict[str, Any]) -> None:
    manager["access_log"] = []


def _only_hold_responses(_: dict[str, Any], table: dict[str, Any]) -> None:
    for route in _list_ways_to_model(table):
        route["typed_per_filter_config"][RESPONSE_FILTER] = FILTER_ENABLED


def _list_ways_to_model(table: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the routes of the path that is called, the usual one last."""
    return [route for route in list_routes(table) if "route" in route and route["match"].get("path") == _PATH]


def _without(*names: str) -> Removal:
    def remove(manager: dict[str, Any], table: dict[str, Any]) -> None:
        remove_filters(names, manager, table)

    return remove


def _remove_other_filters(manager: dict[str, Any], table: dict[str, Any]) -> None:
    *others, _router = manager["http_filters"]
    remove_filters([each["name"] for each in others], manager, table)


def _keep_one_route(_: dict[str, Any], table: dict[str, Any]) -> None:
    (host,) = table["virtual_hosts"]
    host["routes"] = _list_ways_to_model(table)[-1:]
    del host["matcher"], table["request_headers_to_remove"]


def _remove_steering(manager: dict[str, Any], table: dict[str, Any]) -> None:
    for key in (
        *("early_header_mutation_extensions", "use_remote_address"),
        *("skip_xff_append", "append_x_forwarded_port"),
    ):
        del manager[key]
    (route,) = table["virtual_hosts"][0]["routes"]
    del route["match"]["headers"]
    for key in ("request_headers_to_remove", "response_headers_to_remove"):
        del route[key]


def _remove_retries(_: dict[str, Any], table: dict[str, Any]) -> None:
    del table["virtual_hosts"][0]["routes"][0]["route"]["retry_policy"]


def _remove_deadlines(manager: dict[str, Any], _: dict[str, Any]) -> None:
    del manager["request_headers_timeout"], manager["request_timeout"]


REMOVALS: Mapping[str, Removal] = {
    "live counts, those of tokens among them": _remove_live_counts,
    "access log, and telling the admission service that a call ended": _remove_logs,
    "counting tokens: reading the response and noting them": _only_hold_responses,
    "holding the response until it is complete": _without(RESPONSE_FILTER),
    "headers: which pass, and which we add": _without(USUAL_HEADERS_FILTER, HEADERS_FILTER, LEFT_FILTER),
    "limits": _without(*RATE_LIMIT_FILTERS),
    "keys": _without(KEY_FILTER, TEAM_FILTER),
    "the body's size and its collection; filters that only other calls need": _remove_other_filters,
    "the tree of routes: one route is left": _keep_one_route,
    "removal of headers by which callers or servers could steer the gateway; callers' addresses": (
        _remove_steering
    ),
    "retries": _remove_retries,
    "deadlines of headers and of the whole request": _remove_deadlines,
}
"""By what is removed, in this order; each needs those before it."""


def list_routes(found: object) -> Iterator[dict[str, Any]]:
    """Yields every route of a table, or of a part of it, in its order."""
    if isinstance(found, dict) and "match" in found:
        yield found
    elif isinstance(found, dict | list):
        for each in found.values() if isinstance(found, dict) else found:
            yield from list_routes(each)


def remove_filters(names: Sequence[str], manager: dict[str, Any], table: dict[str, Any]) -> None:
    """Removes filters, and what the table of routes says of them."""
    manager["http_filters"] = [each for each in manager["http_filters"] if each["name"] not in names]
    for saying in (table, *list_routes(table["virtual_hosts"])):
        for name in names:
            saying.get("typed_per_filter_config", {}).pop(name, None)


def write_rest(bootstrap: Path, folder: Path, port: int, removals: Sequence[Removal]) -> Path:
    """Writes what is left of an Envoy's files for a second one, and returns its bootstrap.

    Args:
        bootstrap: That of the Envoy that runs.
        folder: Where the rest is written.
        port: Where the second one listens, on loopback.
        removals: What is removed, in this order.
    """
    file = own_envoy_files(bootstrap, folder, port)
    config = json.loads(file.read_text(encoding="utf-8"))
    (listener, *_) = config["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][-1]["typed_config"]
    source = manager["rds"]["config_source"]["path_config_source"]
    found = json.loads((bootstrap.parent / source["path"]).read_text(encoding="utf-8"))
    for remove in removals:
        remove(manager, found["resources"][0])
    routes = folder / "routes.json"
    routes.write_text(json.dumps(found), encoding="utf-8")
    source["path"] = str(routes)
    file.write_text(json.dumps(config), encoding="utf-8")
    return file


def measure(run: Run) -> Measured:
    """Counts what is left after each removal, once in each round."""
    require_valgrind(run.say)
    upstream = Place(run.folder, free_port(), run.say)
    counts: dict[str, list[float]] = {name: [] for name in (ALL, *REMOVALS, BARE)}
    removals = [*REMOVALS.values()]
    config = ours.build_config(upstream.upstream, ours.KEYED)
    with proxies.start_upstream(upstream), serve_ours(upstream, config, _PATH) as (bootstrap, key):
        for number in range(run.rounds):
            for removed, name in enumerate(counts):
                place = Place(run.folder / f"{number}-{removed}", upstream.upstream, run.say)
                place.folder.mkdir()
                if name == BARE:
                    counting = count_bare(place)
                else:
                    port = free_port()
                    file = write_rest(bootstrap, place.folder, port, removals[:removed])
                    counting = count_copy(file, build_call(port, _PATH, key))
                with counting as (pid, call):
                    counts[name].append(count_instructions(pid, call, place.folder))
                run.say(f"round {number + 1} of {run.rounds}: {name}: {counts[name][-1]:,.0f}")
    return Measured(
        goals=[],
        rows=build_rows({name: statistics.median(counted) for name, counted in counts.items()}),
        versions={**proxies.ENVOY.versions(run.say), "valgrind": valgrind_version()},
        details={
            "instructions": {name: [round(count) for count in counted] for name, counted in counts.items()}
        },
    )


def build_rows(middle: Mapping[str, float]) -> list[Row]:
    """Builds the table: what is left after each removal, in thousands, and what it took away."""
    left = {name: round(count / 1000, 1) for name, count in middle.items()}
    rows: list[Row] = []
    before: float | None = None
    for name, count in left.items():
        difference = None if before is None or name == BARE else round(count - before, 1)
        rows.append(
            {
                "removed, one after the other": name,
                "thousand instructions left": count,
                "difference": difference,
                "times Envoy alone": round(middle[name] / middle[BARE], 2),
            }
        )
        before = count
    return rows


SCENARIO = Scenario(
    title="What each part of a call costs",
    about=(
        "What the gateway does on `/{name}` beyond passing a call on: from the files that `mlapi up` has\n"
        "written for its Envoy, one thing after the other is removed, and a call is counted each time, as\n"
        "above."
    ),
    notes=(
        "[The gateway](gateway.md#what-a-call-costs) says why each part stays, and what was tried to make\n"
        "it cheaper."
    ),
    rounds=3,
    measure=measure,
)
