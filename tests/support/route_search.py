"""Takes a call through a tree of routes, or tries a route on it, as Envoy does.

What was read from a body stands among the headers, as `body:model`.
"""

from __future__ import annotations

import re
from typing import Any

Json = dict[str, Any]
Headers = dict[str, str]


def holds(condition: Json, headers: Headers) -> bool:
    """Whether a condition of Envoy's holds, as its documentation says."""
    if "not_matcher" in condition:
        return not holds(condition["not_matcher"], headers)
    if "and_matcher" in condition:
        return all(holds(part, headers) for part in condition["and_matcher"]["predicate"])
    read = condition["single_predicate"]
    value = headers.get(read["input"]["typed_config"]["header_name"])
    (kind, wanted), *_ = read["value_match"].items()
    if value is None:
        return False
    if kind == "safe_regex":
        return re.fullmatch(wanted["regex"], value) is not None
    return value.startswith(wanted) if kind == "prefix" else value == wanted


def matches(match: Json, headers: Headers) -> bool:
    """Whether a route's matcher matches, as its documentation says."""
    path = headers[":path"].partition("?")[0]
    if "safe_regex" in match:
        at = re.fullmatch(match["safe_regex"]["regex"], path) is not None
    elif "path_separated_prefix" in match:
        at = f"{path}/".startswith(f"{match['path_separated_prefix']}/")
    else:
        at = path.startswith(match["prefix"]) if "prefix" in match else path == match["path"]
    return (
        at
        and all(header_matches(header, headers) for header in match.get("headers", []))
        and all(body_matches(matcher, headers) for matcher in match.get("dynamic_metadata", []))
    )


def body_matches(matcher: Json, headers: Headers) -> bool:
    """Whether a matcher of what was read from a body matches."""
    ((value,), wanted) = ([key["key"] for key in matcher["path"]], matcher["value"])
    known = headers.get(f"body:{value}")
    return known is not None and any(
        _is_value(known, each)
        for each in wanted.get("or_match", {"value_matchers": [wanted]})["value_matchers"]
    )


def _is_value(value: str, wanted: Json) -> bool:
    if "bool_match" in wanted:
        return value == str(wanted["bool_match"]).lower()
    ((kind, text),) = wanted["string_match"].items()
    return re.fullmatch(text["regex"], value) is not None if kind == "safe_regex" else value == text


def header_matches(header: Json, headers: Headers) -> bool:
    """Whether a route's matcher of a header matches, as its documentation says."""
    value = headers.get(header["name"])
    if "present_match" in header:
        return (value is not None) is not header.get("invert_match", False)
    if value is None and not header.get("treat_missing_header_as_empty"):
        return False
    value = value or ""
    if "range_match" in header:
        known = (
            value.isdigit() and header["range_match"]["start"] <= int(value) < header["range_match"]["end"]
        )
    else:
        ((kind, wanted),) = header["string_match"].items()
        regex = wanted["regex"] if kind == "safe_regex" else re.escape(wanted)
        before, after = ".*" if kind == "contains" else "", ".*" if kind in {"contains", "prefix"} else ""
        known = re.fullmatch(f"{before}(?:{regex}){after}", value) is not None
    return known is not header.get("invert_match", False)


def find(branch: Json, headers: Headers) -> Json | None:
    """Returns the route that a branch takes a call to."""
    if "action" in branch:
        routes: list[Json] = branch["action"]["typed_config"]["routes"]
        return next(route for route in routes if matches(route["match"], headers))
    tree = branch["matcher"]
    for field in tree.get("matcher_list", {"matchers": []})["matchers"]:
        if holds(field["predicate"], headers) and (found := find(field["on_match"], headers)):
            return found
    if "matcher_tree" in tree:
        value = headers.get(tree["matcher_tree"]["input"]["typed_config"]["header_name"], "")
        if leaf := tree["matcher_tree"]["exact_match_map"]["map"].get(value):
            return find(leaf, headers)
    return find(tree["on_no_match"], headers) if "on_no_match" in tree else None
