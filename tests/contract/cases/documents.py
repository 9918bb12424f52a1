"""What the API tells about itself: the page, the catalogue, the OpenAPI document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.page.build import CONTENT_TYPE, build_page
from contract.api import MODELS
from contract.case import JSON, Bytes, Case, Expected, Request

if TYPE_CHECKING:
    from support.running_gateway import Answer

_READ = {"allow": "GET, HEAD, OPTIONS"}
_PAGE = build_page()


@dataclass(frozen=True)
class Catalogue:
    """Every entry of the config, in its order."""

    def check(self, answer: Answer) -> None:
        """Compares their names."""
        names = [one["name"] for one in answer.json["models"]]
        assert names[: len(MODELS)] == list(MODELS), names


@dataclass(frozen=True)
class Document:
    """A valid OpenAPI document of exactly what is served, at the address of the API."""

    def check(self, answer: Answer) -> None:
        """Validates it, and looks for a path of each kind."""
        from openapi_spec_validator import validate  # noqa: PLC0415  # takes long to import

        document: dict[str, Any] = answer.json
        validate(document)
        assert {"/", "/models", "/openapi.json", "/echo", "/v1/models"} <= document["paths"].keys(), document


def _get(path: str, method: str = "GET", **headers: str) -> Request:
    return Request(path, b"", method, headers)


CASES = [
    Case(
        "the page is served with what keeps it safe",
        _get("/"),
        Expected(200, Bytes(_PAGE.html), CONTENT_TYPE, dict(_PAGE.headers)),
    ),
    Case(
        "the page is a text whatever the caller accepts",
        _get("/", Accept="image/png"),
        Expected(200, Bytes(_PAGE.html), CONTENT_TYPE),
    ),
    Case("the catalogue lists every entry", _get("/models"), Expected(200, Catalogue(), JSON)),
    Case(
        "the OpenAPI document is valid and complete", _get("/openapi.json"), Expected(200, Document(), JSON)
    ),
    *(
        Case(
            f"a document is never kept without asking: {path}",
            _get(path),
            Expected(200, headers={"cache-control": "no-cache", "x-content-type-options": "nosniff"}),
        )
        for path in ("/", "/models", "/openapi.json")
    ),
    *(
        Case(f"HEAD has no body: {path}", _get(path, "HEAD"), Expected(200, Bytes(b""), kind))
        for path, kind in (("/", CONTENT_TYPE), ("/models", JSON), ("/openapi.json", JSON))
    ),
    *(
        Case(
            f"another method is 405 with Allow: {method} {path}",
            Request(path, method=method),
            Expected(405, content_type=JSON, headers=_READ),
        )
        for method, path in (("POST", "/"), ("PUT", "/models"), ("DELETE", "/openapi.json"))
    ),
    Case(
        "a preflight succeeds: /models",
        _get("/models", "OPTIONS"),
        Expected(204, headers={"access-control-allow-methods": "GET, HEAD, POST, DELETE, OPTIONS"}),
    ),
]
