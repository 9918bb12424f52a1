"""Calls that ask to be answered later, and the paths at which their answers are.

A call with `Prefer: respond-async` that would go to a model goes to `mlapi up` instead, which calls later:
see `job_listener`. These routes match no other call. What would be refused matches none of them either: the
routes behind them refuse it, as ever. Calls without the header pay for a few lookups of it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.http import JOB_PATH, JOBS_PATH
from centralized_ml_api.api.jobs import PREFER_HEADER, PREFERS_ASYNC
from centralized_ml_api.local.admission.terms import BODY_NAMESPACE
from centralized_ml_api.local.envoy.admission import without_admission
from centralized_ml_api.local.envoy.api_keys import (
    KEY_FILTER,
    TEAM_FORMAT,
    build_credential_removal,
    build_key_check,
    is_restricted,
    list_unauthorized,
    match_teams,
    match_unauthorized_teams,
)
from centralized_ml_api.local.envoy.aws_signing import UPSTREAM_CODEC
from centralized_ml_api.local.envoy.body_metadata import MODEL_NAMED, match_body
from centralized_ml_api.local.envoy.direct_responses import (
    build_405_route,
    build_error_route,
    match_method,
    match_methods,
)
from centralized_ml_api.local.envoy.headers import (
    IF_ABSENT,
    RESPONSE_HEADERS,
    SET_REQUEST_ID,
    build_header,
)
from centralized_ml_api.local.envoy.refused_bodies import CUTTING, NO_LENGTH, take_large
from centralized_ml_api.local.envoy.route_action import (
    LUA_DISABLED,
    QUERY_FILTER,
    RESPONSE_FILTER,
    with_filter_config,
)
from centralized_ml_api.local.envoy.settings import render_seconds
from centralized_ml_api.local.gateway import (
    DOOR_CALLER_HEADER,
    DOOR_HOST_HEADER,
    DOOR_MODEL_HEADER,
    DOOR_TEAM_HEADER,
    JOIN_PROOF_HEADER,
    ServedRoute,
)
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.local.envoy.direct_responses import Route
    from centralized_ml_api.local.envoy.settings import Limits
    from centralized_ml_api.local.gateway import Door, Gateway

JOB_TABLE_NAME = "job-routes"
"""The route table of the calls that jobs make: see `job_table`."""

_SECONDS = 60.0
"""How long a body may take to the disk."""

_MOST_BYTES = 2**53
"""More than any body has."""

ASKS_LATER = {"name": PREFER_HEADER, "string_match": {"safe_regex": {"regex": PREFERS_ASYNC}}}
"""Matches calls that ask to be answered later."""

_READS = ("GET", "HEAD")
_ID = "{id}"


@record
class _Kind:
    """What calls at one path have in common: these share a route.

    Attributes:
        path: Where they come.
        limit_bytes: The largest body that their entries take.
        refused: The teams that may not call their entries.
        by_path: Whether the path alone says which entry is called.
        names: What else may say it: names in the body; None for any.
    """

    path: str
    limit_bytes: int
    refused: tuple[str, ...]
    by_path: bool
    names: tuple[str, ...] | None = field(default=None)


def build_own_job_routes(gateway: Gateway, limits: Limits) -> list[Route]:
    """Builds the routes of such calls at `/{name}`, to stand before all others. Pure.

    Entries of a kind share them: each would take 10 kB for the pattern of the preference alone.
    """
    if gateway.jobs is None or gateway.starts is not None:
        return []
    paths: defaultdict[_Kind, list[str]] = defaultdict(list)
    for kind in _list_kinds(gateway, limits):
        if kind.by_path:
            paths[replace(kind, path="")].append(kind.path)
    routes = []
    for alike, own in paths.items():
        kind = replace(alike, path=own[0])
        has_length = _match_up_to(min(kind.limit_bytes, limits.body_bytes))
        action = _build_action(gateway.jobs)
        chunked = with_filter_config(_build_route(kind, NO_LENGTH, gateway, action), CUTTING)
        any_path = {"safe_regex": {"regex": "|".join(map(re.escape, own))}}
        routes += [
            _move(route, any_path) for route in (chunked, _build_route(kind, has_length, gateway, action))
        ]
    return routes


def _move(route: Route, path: dict[str, Any]) -> Route:
    """Returns a route of one path at others."""
    rest = {name: value for name, value in route["match"].items() if name != "path"}
    return {**route, "match": {**path, **rest}}


def build_job_routes(gateway: Gateway, limits: Limits) -> list[Route]:
    """Builds the routes of calls under `/v1` that ask to be answered later, before those of the models. Pure.

    Each has one path, at which the tree of routes puts it: only a list of routes can look at a body, and by
    then that has been read, whether or not it has a length.
    """
    if gateway.jobs is None or gateway.starts is not None:
        return []
    routes = []
    for kind in _list_kinds(gateway, limits):
        if not kind.by_path:
            most = min(kind.limit_bytes, limits.body_bytes)
            no_larger = {**_match_from(most + 1), "invert_match": True, "treat_missing_header_as_empty": True}
            action = _build_action(gateway.jobs, is_named=kind.names is not None)
            routes.append(_build_route(kind, no_larger, gateway, action))
    return routes


def build_large_job_routes(gateway: Gateway, limits: Limits) -> list[Route]:
    """Builds the same for bodies that only some entries may have; often none. Pure."""
    if gateway.jobs is None or gateway.starts is not None:
        return []
    return [
        take_large(
            _build_route(
                kind,
                _match_up_to(kind.limit_bytes),
                gateway,
                _build_action(gateway.jobs, is_named=kind.names is not None),
            ),
            kind.limit_bytes,
            limits,
        )
        for kind in _list_kinds(gateway, limits)
        if kind.limit_bytes > limits.body_bytes
    ]


def build_lookup_routes(gateway: Gateway) -> list[Route]:
    """Builds the paths of jobs. Looking at them counts towards no rate or day. Pure."""
    if gateway.jobs is None:
        return []
    before, _, after = JOB_PATH.partition(_ID)
    one = {"safe_regex": {"regex": f"{re.escape(before)}[^/]+{re.escape(after)}"}}
    routes = []
    for path, methods in (({"path": JOBS_PATH}, _READS), (one, (*_READS, "DELETE"))):
        match = {**path, "headers": [match_methods(methods)]}
        routes += [
            {"match": match, **_build_action(gateway.jobs)},
            build_405_route(path, (*methods, "OPTIONS")),
        ]
    return routes


def build_team_refusals(gateway: Gateway) -> list[Route]:
    """Builds what the call of a job gets whose team may not make it any more. Pure.

    Its key was compared when it asked; these compare the team's name. A team without a key may call nothing.
    """
    if not gateway.teams:
        return []
    known = [team for team in gateway.teams if team.keys]
    unknown = {**match_teams(known), "invert_match": True, "treat_missing_header_as_empty": True}
    match = {"prefix": "/", "headers": [unknown]} if known else {"prefix": "/"}
    routes = [build_error_route(match, errors.UNAUTHORIZED)]
    for route in sorted(gateway.routes, key=lambda route: route.name):
        if is_restricted(gateway.teams, route.name):
            headers = [match_unauthorized_teams(gateway.teams, route.name)]
            routes += [
                {"name": route.name, **build_error_route({**at, "headers": headers}, errors.NOT_ALLOWED)}
                for at in ({"path": f"/{route.name}"}, {"prefix": f"/{route.name}/v1/"})
            ]
    return routes


def is_counted(route: Route, gateway: Gateway) -> bool:
    """Returns whether a call on this route counts: it leads to a model, now or later. Pure."""
    action = route.get("route")
    if action is None:
        return False
    is_job = gateway.jobs is not None and action.get("cluster") == gateway.jobs.upstream.name
    return not is_job or ASKS_LATER in route["match"]["headers"]


def _list_kinds(gateway: Gateway, limits: Limits) -> Iterator[_Kind]:
    """Yields the kinds of calls, path by path."""
    for route in sorted(gateway.routes, key=lambda route: route.name):
        if isinstance(route, ServedRoute) and route.name not in gateway.paused:
            yield _kind_of(f"/{route.name}", route, gateway, limits, by_path=True)
    for path, served in gateway.by_model.items():
        named: defaultdict[_Kind, list[str]] = defaultdict(list)
        for route in served:
            if route.name not in gateway.paused:
                yield _kind_of(f"/{route.name}{path}", route, gateway, limits, by_path=False)
                kind = _kind_of(path, route, gateway, limits, by_path=False)
                named[kind] += gateway.names_of(route.name)
        for kind, names in named.items():
            yield replace(kind, names=tuple(names))


def _kind_of(path: str, route: ServedRoute, gateway: Gateway, limits: Limits, *, by_path: bool) -> _Kind:
    of_model = route.admission.body_limit_bytes if route.admission else None
    limit = of_model or route.body_limit_bytes or limits.body_bytes
    refused = tuple(team.name for team in list_unauthorized(gateway.teams, route.name))
    return _Kind(path, limit, refused, by_path)


def _build_route(kind: _Kind, length: dict[str, Any], gateway: Gateway, action: dict[str, Any]) -> Route:
    """Builds the route of one kind. Under `/v1` a call comes to it once its body has been read."""
    match: dict[str, Any] = {
        "path": kind.path,
        "headers": [ASKS_LATER, match_method("POST"), length],
    }
    route = {"match": match, **action}
    names = {*kind.refused}
    refused = [team for team in gateway.teams if team.name in names]
    if kind.by_path:
        check = {KEY_FILTER: build_key_check(gateway.teams, kind.path.removeprefix("/"))} if refused else {}
        return with_filter_config(route, check)
    if refused:
        match["headers"].append({**match_teams(refused), "invert_match": True})
    match["dynamic_metadata"] = [MODEL_NAMED if kind.names is None else _match_names(kind.names)]
    return without_admission(route)


def _match_names(names: tuple[str, ...]) -> dict[str, Any]:
    exact = [{"string_match": {"exact": name}} for name in names]
    return match_body("model", {"or_match": {"value_matchers": exact}} if len(exact) > 1 else exact[0])


def _match_up_to(limit_bytes: int) -> dict[str, Any]:
    return {"name": "content-length", "range_match": {"start": 0, "end": limit_bytes + 1}}


def _match_from(start: int) -> dict[str, Any]:
    return {"name": "content-length", "range_match": {"start": start, "end": _MOST_BYTES}}


def _build_action(door: Door, *, is_named: bool = False) -> dict[str, Any]:
    """Sends `mlapi up` the call as it is; its cluster adds and removes what is the same for all.

    Args:
        door: Where it goes.
        is_named: Whether its body, and not its path, names the model. Any other body may name anything, and
            Envoy fails a call for which it would have to make a header of a line break.
    """
    told = {DOOR_HOST_HEADER: "%REQ(:authority)%"}
    if is_named:
        told[DOOR_MODEL_HEADER] = f"%DYNAMIC_METADATA({BODY_NAMESPACE}:model)%"
    return {
        "route": {
            "cluster": door.upstream.name,
            "host_rewrite_literal": "localhost",
            "timeout": render_seconds(_SECONDS),
        },
        "request_headers_to_add": [build_header(name, value) for name, value in told.items()],
        **({} if is_named else {"request_headers_to_remove": [DOOR_MODEL_HEADER]}),
        # For a call whose first route was another one.
        "typed_per_filter_config": {QUERY_FILTER: LUA_DISABLED, RESPONSE_FILTER: LUA_DISABLED},
    }


def build_job_filters(gateway: Gateway) -> list[dict[str, Any]]:
    """Builds the HTTP filters of the cluster that the calls go to, which tell what no caller can. Pure.

    Each route to it would take 3 kB more to tell the same.
    """
    if gateway.jobs is None:
        return []
    told = {
        JOIN_PROOF_HEADER: gateway.jobs.token,
        DOOR_TEAM_HEADER: TEAM_FORMAT,
        DOOR_CALLER_HEADER: "%DOWNSTREAM_REMOTE_ADDRESS%",
    }
    mutations = {
        "request_mutations": [
            {"remove": "origin"},  # a page may ask, by the gateway
            {"remove": "x-forwarded-proto"},
            *(build_credential_removal() if gateway.needs_key else ()),
            # Of a call without a team nothing would be told, and what its caller told would stay.
            {"remove": DOOR_TEAM_HEADER},
            *({"append": build_header(name, value)} for name, value in told.items()),
            SET_REQUEST_ID,
        ],
        # The headers of the answer that was kept stay, its id among them.
        "response_mutations": [
            {"remove": "server"},
            *({"append": build_header(name, value, IF_ABSENT)} for name, value in RESPONSE_HEADERS),
        ],
    }
    kind = "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation"
    return [{"name": "jobs", "typed_config": {"@type": kind, "mutations": mutations}}, UPSTREAM_CODEC]
