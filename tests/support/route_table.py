"""The routes of a table, wherever in its tree they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]


def list_routes(table: Json) -> list[Json]:
    """Returns the routes in the order in which they count."""
    return [route for routes in list_branches(table) for route in routes]


def remove_route(table: Json, route: Json) -> None:
    """Removes one route, that very object."""
    (routes,) = [routes for routes in list_branches(table) if any(each is route for each in routes)]
    routes[:] = [each for each in routes if each is not route]


def list_branches(table: Json) -> list[list[Json]]:
    """Returns the lists of routes at the ends of branches; a table without a tree has one."""
    (host,) = table["virtual_hosts"]
    if "routes" in host:
        return [host["routes"]]
    return list(_walk({"matcher": host["matcher"]}))


def _walk(branch: Json) -> Iterator[list[Json]]:
    if "action" in branch:
        yield branch["action"]["typed_config"]["routes"]
        return
    matcher = branch["matcher"]
    tree = matcher.get("matcher_tree", {"exact_match_map": {"map": {}}})
    for leaf in tree["exact_match_map"]["map"].values():
        yield from _walk(leaf)
    for field in matcher.get("matcher_list", {"matchers": []})["matchers"]:
        yield from _walk(field["on_match"])
    if "on_no_match" in matcher:
        yield from _walk(matcher["on_no_match"])
