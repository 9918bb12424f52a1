"""Which resource and which method of it a request is for.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-method-settings.html and
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-set-up-simple-proxy.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from support.api_gateway.document import ANY_METHOD, INTEGRATION
from support.api_gateway.message import GatewayError

if TYPE_CHECKING:
    from support.api_gateway.document import RestApi

_PARAMETER = re.compile(r"\{([^}+]+)(\+?)\}")


@dataclass(frozen=True)
class Route:
    """The method that takes the request: its resource, its operation, what its path parameters are."""

    resource: str
    operation: Mapping[str, Any]
    path_parameters: Mapping[str, str]

    @property
    def integration(self) -> Mapping[str, Any]:
        """What is behind the method."""
        found: Mapping[str, Any] = self.operation[INTEGRATION]
        return found


def find_route(api: RestApi, method: str, path: str) -> Route:
    """The most specific resource that matches and has the method or an ANY; where it has neither, the next.

    Source: https://github.com/ministackorg/ministack/pull/1423 (measured on API Gateway)

    Slashes too many around the path do not count.
    Source: https://github.com/aws-powertools/powertools-lambda-python/issues/1552 (`/hello/` is `/hello`) and
    https://github.com/localstack/localstack/issues/11253 (`//orders` is `/orders`)

    A method that was not made is answered like a path that was not: "Missing Authentication Token".
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """
    for resource in sorted(api.paths, key=_generality):
        if found := _pattern(resource).fullmatch(f"/{path.strip('/')}"):
            operation = api.paths[resource].get(method.lower()) or api.paths[resource].get(ANY_METHOD)
            if operation is None:
                continue
            parameters = {name: unquote(value) for name, value in found.groupdict().items()}
            return Route(resource, operation, parameters)
    raise GatewayError("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")


def _pattern(resource: str) -> re.Pattern[str]:
    """`{name}` is one segment, `{name+}` all that are left."""
    literal, names = re.split(r"\{[^}]+\}", resource), _PARAMETER.findall(resource)
    wild = [f"(?P<{name}>{'.+' if greedy else '[^/]+'})" for name, greedy in names]
    return re.compile("".join(map("".join, zip(map(re.escape, literal), [*wild, ""], strict=True))))


def _generality(resource: str) -> list[int]:
    """Segment by segment: what is written out goes before `{name}`, that before `{name+}`."""
    return [0 if "{" not in item else 1 if "+" not in item else 2 for item in resource.split("/")]
