"""Which integration response an answer of the back end gets.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-integration-settings-integration-response.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from support.api_gateway.message import GatewayError

if TYPE_CHECKING:
    from collections.abc import Mapping


def choose_response(responses: Mapping[str, Mapping[str, Any]], status: int) -> Mapping[str, Any]:
    """By the pattern that the whole status matches, else the default one.

    Without a default, the API is not configured for that answer.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """
    for pattern, response in responses.items():
        if pattern != "default" and re.fullmatch(pattern, str(status)):
            return response
    if "default" in responses:
        return responses["default"]
    raise GatewayError("API_CONFIGURATION_ERROR", "Internal server error")
