"""The API that the cases call: one config for both targets, models on the odd server, one function."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
OTHER_HEADER = "X-Other"
FUNCTION_TIMEOUT_SECONDS = 2

MODELS = {
    "echo": "/echo",
    "same": "/same",
    "refuses": "/refuse/422",
    "breaks": "/refuse/500",
    "words": "/status/418",
    "created": "/status/201",
    "attributes": "/status/200",
    "hangs": "/hang",
    "closes": "/close",
    "halves": "/half",
    "garbage": "/garbage",
}
"""Names, and the path of the odd server that says what the model does."""

FUNCTION = """
    import base64, json, time

    def lambda_handler(event, context):
        act = (event["queryStringParameters"] or {}).get("act")
        if act == "raise":
            raise ValueError("wrong inside")
        if act == "sleep":
            time.sleep(60)
        if act == "garbage":
            return ["not", "an", "answer"]
        if act == "own":
            return {"statusCode": 418, "headers": {"Content-Type": "text/plain", "X-Own": "yes"},
                    "multiValueHeaders": {"X-Many": ["a", "b"]}, "body": "own"}
        cors = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "*"}
        if act == "image":
            return {"statusCode": 200, "isBase64Encoded": True, "body": event["body"],
                    "headers": {"Content-Type": "image/png", **cors}}
        return {"statusCode": 200, "headers": cors, "body": json.dumps(event)}
    """


def build_config(folder: Path, odd_port: int, closed_port: int) -> dict[str, Any]:
    """The config; its function lies in `folder`."""
    code = folder / "functions" / "contract" / "index.py"
    code.parent.mkdir(parents=True, exist_ok=True)
    code.write_text(textwrap.dedent(FUNCTION).strip() + "\n")
    headers = {"type": "api", "headers": [CUSTOM_ATTRIBUTES, OTHER_HEADER]}
    models = [_model(name, f"http://127.0.0.1:{odd_port}{path}", headers) for name, path in MODELS.items()]
    chat = _model("chat", f"http://127.0.0.1:{odd_port}/chat", {"type": "api"}, speaks="openai-chat")
    events = _model("events", f"http://127.0.0.1:{odd_port}/events", {"type": "stream"})
    gone = _model("gone", f"http://127.0.0.1:{closed_port}/echo", {"type": "api"}, ping="/echo")
    function = _model("function", f"http://127.0.0.1:{odd_port}/echo", _function())
    return {
        "models": [
            *models,
            chat | {"speaks": "openai-chat"},
            events,
            gone,
            function,
            _entry("not-served", {"type": "api"}),
        ]
    }


def _model(name: str, url: str, integration: dict[str, Any], **more: str) -> dict[str, Any]:
    return {**_entry(name, integration), "local": {"engine": "url", "url": url, **more}}


def _entry(name: str, integration: dict[str, Any]) -> dict[str, Any]:
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
    return {"name": name, "image": image, "instance": "ml.g5.2xlarge", "integration": integration}


def _function() -> dict[str, Any]:
    properties = {
        "code": "functions/contract",
        "permissions": ["sagemaker:InvokeEndpoint"],
        "timeout": FUNCTION_TIMEOUT_SECONDS,
    }
    return {"type": "lambda", "properties": properties}
