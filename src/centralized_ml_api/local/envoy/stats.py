"""What the body of a call says: the rules by which Envoy reads it, and matchers on what it has read.

It is kept where no header of a caller can write.
Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/json_to_metadata_filter
"""

from __future__ import annotations

from typing import Any

_SAID = "body"
"""The name under which Envoy keeps what the body of a call says."""

_ANY_TEXT = {"string_match": {"safe_regex": {"regex": "(?s:.*)"}}}


def build_body_rules() -> dict[str, Any]:
    """For the filter that reads the body: `model` and `stream` of a JSON object, whatever its Content-Type.

    They keep their JSON types, so that the number 3 is not the name "3"; of equal keys the last one counts.
    Without a model, or in what is no JSON, `model` is false.
    """
    model = {"selectors": [{"key": "model"}], "on_present": _kept("model")}
    none = {**_kept("model"), "value": False}
    stream = {"selectors": [{"key": "stream"}], "on_present": _kept("stream")}
    return {
        "request_rules": {
            "rules": [{**model, "on_missing": none, "on_error": none}, stream],
            "allow_content_types_regex": {"regex": "(?s:.*)"},
            "allow_empty_content_type": True,
        }
    }


def _kept(key: str) -> dict[str, Any]:
    return {"metadata_namespace": _SAID, "key": key}


def match_said(key: str, value: dict[str, Any]) -> dict[str, Any]:
    """What the body says, as a matcher."""
    return {"filter": _SAID, "path": [{"key": key}], "value": value}


NAMES_A_MODEL = match_said("model", _ANY_TEXT)
"""Matches calls whose body names a model, be it one that there is or not."""

READ = match_said("model", {"present_match": True})
"""Matches calls whose body was read, whatever it says."""
