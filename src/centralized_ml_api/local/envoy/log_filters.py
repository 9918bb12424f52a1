"""Builds Envoy's filters of access logs, which local replies have, too: what a call must match."""

from __future__ import annotations

from typing import Any


def build_expression_filter(expression: str) -> dict[str, Any]:
    """Builds a filter from an expression in CEL. Pure."""
    kind = "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
    typed = {"@type": kind, "expression": expression}
    return {"extension_filter": {"name": "envoy.access_loggers.extension_filters.cel", "typed_config": typed}}


def has_flags(*flags: str) -> dict[str, Any]:
    """Builds a filter that matches any of Envoy's response flags, which say what went wrong. Pure.

    Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/observability/access_log/usage
    """
    return {"response_flag_filter": {"flags": list(flags)}}


def has_status(status: int) -> dict[str, Any]:
    """Builds a filter that matches the status of a response. Pure."""
    value = {"default_value": status, "runtime_key": f"gateway.status_{status}"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}


def all_of(*conditions: dict[str, Any]) -> dict[str, Any]:
    """Builds a filter that matches what all of these match. Pure."""
    return {"and_filter": {"filters": list(conditions)}}


def any_of(*conditions: dict[str, Any]) -> dict[str, Any]:
    """Builds a filter that matches what one of these matches. Pure."""
    return {"or_filter": {"filters": list(conditions)}}
