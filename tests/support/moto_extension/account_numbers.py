"""The gap: moto knows neither SageMaker's quotas nor how often a usage plan's keys were used."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from support.moto_extension.replaced import replace_attribute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

QUOTAS = dict.fromkeys(("ml.c5.xlarge", "ml.m5.xlarge", "ml.g5.2xlarge", "ml.g5.4xlarge"), 20)
_TARGET = "ServiceQuotasV20190624.ListServiceQuotas"
_USAGE = re.compile(r"/usageplans/([^/]+)/usage")


def close() -> None:
    """ListServiceQuotas answers with some instances of some types, GetUsage with no calls."""
    whole: Callable[..., Iterable[bytes]] = DomainDispatcherApplication.__call__

    def answer(
        application: DomainDispatcherApplication, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        plan = _USAGE.fullmatch(environ.get("PATH_INFO", ""))
        if plan and environ["REQUEST_METHOD"] == "GET":
            body: dict[str, Any] = {"usagePlanId": plan[1], "items": {}}
        elif environ.get("HTTP_X_AMZ_TARGET") == _TARGET:
            quotas = ((f"{name} for endpoint usage", count) for name, count in QUOTAS.items())
            body = {"Quotas": [{"QuotaName": name, "Value": count} for name, count in quotas]}
        else:
            return whole(application, environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(body).encode()]

    replace_attribute(DomainDispatcherApplication, "__call__", answer)
