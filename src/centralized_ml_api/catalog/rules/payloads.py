"""Request bodies that the publisher gives as examples."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from centralized_ml_api.catalog.facts import Payload

if TYPE_CHECKING:
    from centralized_ml_api.catalog.spec import Spec

_IN_S3 = re.compile(r"\$s3(_b64)?<[^>]*>")
_JSON = "application/json"


def build_payloads(spec: Spec) -> tuple[Payload, ...]:
    """Rule 20: the examples in the order of the spec."""
    accept = (spec.get("predictor_specs") or {}).get("default_accept_type") or _JSON
    examples = spec.get("default_payloads") or {}
    return tuple(_payload(name, example or {}, accept) for name, example in examples.items())


def _payload(name: str, example: dict[str, Any], accept: str) -> Payload:
    body = example.get("body")
    return Payload(
        name=name,
        content_type=example.get("content_type") or _JSON,
        accept=example.get("accept") or accept,
        body=None if _lies_in_s3(body) else copy.deepcopy(body),
    )


def _lies_in_s3(body: Any) -> bool:
    """Whether the body, or any text in it, stands for an object in JumpStart's bucket."""
    if isinstance(body, str):
        return bool(_IN_S3.search(body))
    inner = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    return any(_lies_in_s3(one) for one in inner)
