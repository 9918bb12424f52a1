"""The gap: moto has no price list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from support.moto_extension.replaced import replace_attribute
from support.price_list import ROWS, build_query_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_TARGET = "AWSPriceListService.GetProducts"
_WHOLE: Callable[..., Iterable[bytes]] = DomainDispatcherApplication.__call__


def close() -> None:
    """GetProducts answers with the hosting prices of the region that the filters name."""
    replace_attribute(DomainDispatcherApplication, "__call__", _answer)


def _answer(
    application: DomainDispatcherApplication, environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    if environ.get("HTTP_X_AMZ_TARGET") != _TARGET:
        return _WHOLE(application, environ, start_response)
    asked = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    wanted = {each["Field"]: each["Value"] for each in asked["Filters"]}
    rows = [row for row in ROWS if row[0] == wanted["component"]]
    start_response("200 OK", [("Content-Type", "application/x-amz-json-1.1")])
    return [json.dumps(build_query_answer(*rows, region=wanted["regionCode"])).encode()]
