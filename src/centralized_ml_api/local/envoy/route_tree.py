"""The route table as a tree, in which a call's path is looked up instead of tried on one route after another.

In a list, Envoy compares the headers of each route before its path, so that every entry makes every call
dearer, and those under `/v1` twice, because their route is chosen again. In the tree, a call tries the routes
of its path alone.
Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/advanced/matching/matching_api
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.envoy.headers import PATH_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from centralized_ml_api.local.envoy.direct_responses import Route

Branch = dict[str, Any]
"""Where a call goes on, as Envoy's configuration has it (`OnMatch`): to a list of routes, or a tree."""

_ROUTE_LIST = "type.googleapis.com/envoy.config.route.v3.RouteList"
_HEADER_INPUT = "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput"
_ANY = "(?s:.*)"


def try_all(routes: Sequence[Route]) -> Branch:
    """Builds a branch that tries one route after the other, of which one must match. Pure."""
    return {"action": {"name": "routes", "typed_config": {"@type": _ROUTE_LIST, "routes": list(routes)}}}


def look_up(header: str, branches: Mapping[str, Sequence[Route]], otherwise: Branch) -> Branch:
    """Builds a branch that looks the value of a header up. Pure.

    Args:
        header: Its name.
        branches: By value, the routes to try, of which one must match.
        otherwise: Where calls with other values go on.
    """
    if not branches:
        return otherwise
    leaves = {value: try_all(routes) for value, routes in branches.items()}
    tree = {"input": _read(header), "exact_match_map": {"map": leaves}}
    return {"matcher": {"matcher_tree": tree, "on_no_match": otherwise}}


def group_by_path(routes: Iterable[Route]) -> dict[str, list[Route]]:
    """Returns the routes of each path, in their order. Pure."""
    grouped: dict[str, list[Route]] = {}
    for route in routes:
        grouped.setdefault(route["match"]["path"], []).append(route)
    return grouped


def look_up_path(routes: Sequence[Route]) -> Branch:
    """Builds a branch that does what trying all these routes would do. Pure.

    The routes of a path stay among those of all other calls if one before them takes some of its calls, or if
    they leave some to a later one.
    """
    own = group_by_path(route for route in routes if "path" in route["match"])
    mixed = {path for path, ordered in own.items() if ordered[-1]["match"].keys() != {"path"}}
    prefixes: set[str] = set()
    patterns: set[str] = set()
    for match in (route["match"] for route in routes):
        if "safe_regex" in match:
            patterns.add(match["safe_regex"]["regex"])
        elif (path := match.get("path")) is None:
            prefixes.add(match.get("prefix") or match["path_separated_prefix"])
        elif any(path[:length] in prefixes for length in range(1, len(path) + 1)) or any(
            re.fullmatch(pattern, path) for pattern in patterns
        ):
            mixed.add(path)
    leaves = {path: ordered for path, ordered in own.items() if path not in mixed}
    return look_up(
        PATH_HEADER, leaves, try_all([route for route in routes if route["match"].get("path") not in leaves])
    )


def try_first(routes: Iterable[Route], otherwise: Branch | None) -> Branch:
    """Builds a branch that tries these routes; calls that none of them takes go on. Pure.

    A call never leaves a list of routes, so here conditions decide that are those of the routes. Envoy
    refuses a table whose conditions read anything but headers.

    Args:
        routes: They have headers to match, and no metadata. Such as follow each other with the same headers
            share a condition, if the last of them takes every path.
        otherwise: Where calls go on; None leaves them to the branch around.
    """
    groups = [list(group) for _, group in itertools.groupby(routes, lambda route: route["match"]["headers"])]
    fields = []
    for group in groups:
        conditions = [build_condition(header) for header in group[0]["match"]["headers"]]
        if group[-1]["match"].keys() == {"prefix", "headers"} and group[-1]["match"]["prefix"] == "/":
            fields.append(_when(conditions, try_all(group)))
            continue
        fields += [_when([*conditions, _is_at(route["match"])], try_all([route])) for route in group]
    return _try(fields, otherwise)


def narrow(header: dict[str, Any], branch: Branch, otherwise: Branch | None) -> Branch:
    """Builds a branch whose calls may go on to another one. Pure.

    Args:
        header: What must match for that, as routes have it.
        branch: The other one.
        otherwise: Where all other calls go on, and those that nothing in the other one has taken; None leaves
            them to the branch around.
    """
    return _try([_when([build_condition(header)], branch)], otherwise)


def build_condition(header: dict[str, Any]) -> dict[str, Any]:
    """Builds the condition that holds whenever a route's header matcher matches. Pure."""
    name, is_present = header["name"], _match_regex(header["name"], _ANY)
    if "present_match" in header:
        condition = is_present
    elif "range_match" in header:
        condition = _match_regex(name, render_range(**header["range_match"]))
    elif "safe_regex" in header["string_match"]:
        condition = _match_regex(name, header["string_match"]["safe_regex"]["regex"])
    else:
        condition = _compare(name, header["string_match"])
    if not header.get("invert_match"):
        return condition
    inverted = {"not_matcher": condition}
    if "present_match" in header or header.get("treat_missing_header_as_empty"):
        return inverted
    return {"and_matcher": {"predicate": [is_present, inverted]}}


def render_range(start: int, end: int) -> str:
    """Renders a regular expression of the decimal numbers from `start` to before `end`. Pure."""
    return f"0*(?:{'|'.join(_list_ranges(str(start), str(end - 1)))})"


def _list_ranges(first: str, last: str) -> Iterable[str]:
    """Yields expressions of numbers from `first` to `last`, by their number of digits."""
    for digits in range(len(first), len(last) + 1):
        low = first if digits == len(first) else "1" + "0" * (digits - 1)
        high = last if digits == len(last) else "9" * digits
        yield _render_digits(low, high)


def _render_digits(low: str, high: str) -> str:
    """Renders an expression of the numbers between two with the same number of digits, both included."""
    if not low:
        return ""
    if low == "0" * len(low) and high == "9" * len(high):
        return "[0-9]" * len(low)
    first, last = low[0], high[0]
    if first == last:
        return first + _render_digits(low[1:], high[1:])
    rest = len(low) - 1
    parts = [first + _render_digits(low[1:], "9" * rest), last + _render_digits("0" * rest, high[1:])]
    if int(last) - int(first) > 1:
        parts.append(f"[{int(first) + 1}-{int(last) - 1}]" + "[0-9]" * rest)
    return f"(?:{'|'.join(parts)})"


def _is_at(match: dict[str, Any]) -> dict[str, Any]:
    """Builds the condition that a call has a path of the route."""
    if "prefix" in match:
        return _compare(":path", {"prefix": match["prefix"]})
    if "path_separated_prefix" in match:
        regex = f"{re.escape(match['path_separated_prefix'])}(?:/.*)?"
    else:
        regex = re.escape(match["path"]) if "path" in match else match["safe_regex"]["regex"]
    return _match_regex(PATH_HEADER, regex)


def _match_regex(header: str, regex: str) -> dict[str, Any]:
    return _compare(header, {"safe_regex": {"google_re2": {}, "regex": regex}})


def _compare(header: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"single_predicate": {"input": _read(header), "value_match": value}}


def _read(header: str) -> dict[str, Any]:
    return {"name": header, "typed_config": {"@type": _HEADER_INPUT, "header_name": header}}


def _when(conditions: list[dict[str, Any]], branch: Branch) -> dict[str, Any]:
    both = {"and_matcher": {"predicate": conditions}}
    return {"predicate": both if len(conditions) > 1 else conditions[0], "on_match": branch}


def _try(fields: list[dict[str, Any]], otherwise: Branch | None) -> Branch:
    if not fields and otherwise is not None:
        return otherwise
    tree: dict[str, Any] = {"matcher_list": {"matchers": fields}}
    return {"matcher": tree if otherwise is None else {**tree, "on_no_match": otherwise}}
