"""`GET /health`: the function that streams asks SageMaker which endpoints are in service."""

from __future__ import annotations

from typing import Any

from centralized_ml_api.api.documents import METHODS
from centralized_ml_api.aws.document.mocks import build_other_methods, build_preflight


def build_health_path(function: dict[str, Any]) -> dict[str, Any]:
    """The path; `function` is the operation that calls the function. Other methods are 405."""
    methods = tuple(method.lower() for method in METHODS)
    return {
        **dict.fromkeys(methods, function),
        "options": build_preflight(),
        "x-amazon-apigateway-any-method": build_other_methods((*methods, "options")),
    }
