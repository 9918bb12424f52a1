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
    match_teams,
    match_unauthorized_teams,
)
from centralized_ml_api.local.envoy.body_metadata import MODEL_NAMED, match_body
from centralized_ml_api.local.envoy.direct_responses import (
    build_405_route,
    build_error_route,
    match_method,
    match_methods,
)
from centralized_ml_api.local.envoy.headers import (
    IF_ABSENT,
    REQUEST_ID,
    REQUEST_ID_HEADER,
    RESPONSE_HEADERS,
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

_ASKS_LATER = {"name": PREFER_HEADER, "string_match": {"safe_regex": {"regex": PREFERS_ASYNC}}}
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


def build_job_routes(gateway: Gateway, limits: Limits) -> list[Route]:
    """Builds the routes of calls that ask to be answered later, to stand before those of the models. Pure.

    Each has one path, at which the tree of routes puts it: only a list of routes can look at a body.
    """
    if gateway.jobs is None or gateway.starts is not None:
        return []
    routes = []
    for kind in _list_kinds(gateway, limits):
        action = _build_action(gateway.jobs, gateway, is_named=kind.names is not None)
        most = min(kind.limit_bytes, limits.body_bytes)
        has_length = _match_up_to(most)
        chunked = with_filter_config(_build_route(kind, NO_LENGTH, gateway, action), CUTTING)
        routes += [chunked, _build_route(kind, has_length, gateway, action)]
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
                _build_action(gateway.jobs, gateway, is_named=kind.names is not None),
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
            {"match": match, **_build_action(gateway.jobs, gateway)},
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
    return not is_job or _ASKS_LATER in route["match"]["headers"]


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
    refused = tuple(team.name for team in gateway.teams if not team.may_call(route.name))
    return _Kind(path, limit, refused, by_path)


def _build_route(kind: _Kind, length: dict[str, Any], gateway: Gateway, action: dict[str, Any]) -> Route:
    """Builds the route of one kind. Under `/v1` a call comes to it once its body has been read."""
    match: dict[str, Any] = {
        "path": kind.path,
        "headers": [_ASKS_LATER, match_method("POST"), length],
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


def _build_action(door: Door, gateway: Gateway, *, is_named: bool = False) -> dict[str, Any]:
    """Sends `mlapi up` the call as it is, without its key, and what no caller can say of itself.

    No filter changes the headers: the routes that a body chooses from would all need it.

    Args:
        door: Where it goes.
        gateway: What is served.
        is_named: Whether its body, and not its path, names the model. Any other body may name anything, and
            Envoy fails a call for which it would have to make a header of a line break.
    """
    credentials = (mutation["remove"] for mutation in build_credential_removal())
    return {
        "route": {
            "cluster": door.upstream.name,
            "host_rewrite_literal": "localhost",
            "timeout": render_seconds(_SECONDS),
        },
        "request_headers_to_add": list(_list_told(door, is_named=is_named)),
        "request_headers_to_remove": [
            "origin",  # a page may ask, by the gateway
            "x-forwarded-proto",
            *(credentials if gateway.needs_key else ()),
        ],
        # The headers of the answer that was kept stay, its id among them.
        "response_headers_to_add": [build_header(name, value, IF_ABSENT) for name, value in RESPONSE_HEADERS],
        "response_headers_to_remove": ["server"],
        # For a call whose first route was another one.
        "typed_per_filter_config": {QUERY_FILTER: LUA_DISABLED, RESPONSE_FILTER: LUA_DISABLED},
    }


def _list_told(door: Door, *, is_named: bool) -> Iterator[dict[str, Any]]:
    told = {
        JOIN_PROOF_HEADER: door.token,
        DOOR_TEAM_HEADER: TEAM_FORMAT,
        DOOR_CALLER_HEADER: "%DOWNSTREAM_REMOTE_ADDRESS%",
        DOOR_HOST_HEADER: "%REQ(:authority)%",
        **({DOOR_MODEL_HEADER: f"%DYNAMIC_METADATA({BODY_NAMESPACE}:model)%"} if is_named else {}),
        REQUEST_ID_HEADER: REQUEST_ID,
    }
    for name, value in told.items():
        yield build_header(name, value)
