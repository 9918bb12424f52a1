"""How Envoy reads the body of a call into dynamic metadata, and matchers on what it has read.

Metadata is out of reach of callers' headers.
Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/json_to_metadata_filter
"""

from __future__ import annotations

from typing import Any

from centralized_ml_api.local.admission.terms import BODY_NAMESPACE

_ANY_TEXT = {"string_match": {"safe_regex": {"regex": "(?s:.*)"}}}


def build_metadata_rules() -> dict[str, Any]:
    """Builds the rules that read `model` and `stream` from a JSON object, whatever its Content-Type. Pure.

    Both keep their JSON types, so that the number 3 is not the name "3"; of equal keys the last one counts.
    If there is no `model`, or the body is not JSON, `model` is false.
    """
    model = {"selectors": [{"key": "model"}], "on_present": _store_as("model")}
    no_model = {**_store_as("model"), "value": False}
    stream = {"selectors": [{"key": "stream"}], "on_present": _store_as("stream")}
    return {
        "request_rules": {
            "rules": [{**model, "on_missing": no_model, "on_error": no_model}, stream],
            "allow_content_types_regex": {"regex": "(?s:.*)"},
            "allow_empty_content_type": True,
        }
    }


def _store_as(key: str) -> dict[str, Any]:
    return {"metadata_namespace": BODY_NAMESPACE, "key": key}


def match_body(key: str, value: dict[str, Any]) -> dict[str, Any]:
    """Builds a metadata matcher on one key of the body. Pure."""
    return {"filter": BODY_NAMESPACE, "path": [{"key": key}], "value": value}


MODEL_NAMED = match_body("model", _ANY_TEXT)
"""Matches calls whose body names a model, whether or not that model exists."""
