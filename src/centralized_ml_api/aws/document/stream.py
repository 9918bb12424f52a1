"""What the streaming function answers: its bytes pass to the caller as they come."""

from __future__ import annotations

from typing import Any

STREAM_MILLISECONDS = 900_000
"""How long API Gateway lets an answer stream.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html (15 minutes)
"""


def build_stream(service: str, function: str, role: str) -> dict[str, Any]:
    """Responses and integration of the operation.

    The path in the URI is another one than that of a function whose answer comes in one piece.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html

    Args:
        service: `arn:<partition>:apigateway:<region>`.
        function: the ARN of the function.
        role: the ARN of the role that calls it.
    """
    return {
        "responses": {"200": {"description": ""}},
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": f"{service}:lambda:path/2021-11-15/functions/{function}/response-streaming-invocations",
            "credentials": role,
            "passthroughBehavior": "when_no_match",
            "responseTransferMode": "STREAM",
            "timeoutInMillis": STREAM_MILLISECONDS,
        },
    }
