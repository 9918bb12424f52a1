"""What a method asks of a request before anything else happens.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.api_gateway.message import GatewayError

if TYPE_CHECKING:
    from support.api_gateway.message import Request
    from support.api_gateway.routing import Route


def check_request(request: Request, route: Route) -> None:
    """Required parameters count only where the method names a validator."""
    if "x-amazon-apigateway-request-validator" not in route.operation:
        return
    query = {name for name, _ in request.query}
    given = {
        "header": lambda name: request.header(name) is not None,
        "query": lambda name: name in query,
        "path": lambda name: name in route.path_parameters,
    }
    needed = [item for item in route.operation.get("parameters", ()) if item.get("required")]
    missing = [item["name"] for item in needed if not given[item["in"]](item["name"])]
    if missing:
        raise GatewayError(
            "BAD_REQUEST_PARAMETERS", f"Missing required request parameters: [{', '.join(missing)}]"
        )
