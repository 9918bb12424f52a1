"""DynamoDB is asked again only where it has certainly not done what it was asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from support.model_server import ModelServer, start_model_server
from support.stream_host.script import run_script

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background

SCRIPT = """
import { callDynamoDb } from "./dynamodb.mjs";
Object.assign(process.env, { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" });
process.env.AWS_ENDPOINT_URL_DYNAMODB = input;
try {
    console.log(JSON.stringify(await callDynamoDb("UpdateItem", { TableName: "t" })));
} catch ({ name, message, item }) {
    console.log(JSON.stringify({ name, message, item }));
}
"""
ITEM = {"used_tokens": {"N": "9"}}


@pytest.fixture(scope="module")
def server(loop: Background) -> Iterator[ModelServer]:
    with start_model_server(loop) as server:
        yield server


def ask(server: ModelServer, *answers: tuple[int, dict[str, Any]]) -> Any:
    """What the function makes of these answers; the last one is given again and again."""
    server.asked.clear()

    async def answering(_request: web.Request, _body: bytes) -> web.StreamResponse:
        status, body = answers[min(len(server.asked), len(answers)) - 1]
        return web.json_response(body, status=status)

    server.answering = answering
    return run_script(SCRIPT, server.url)


def refusal(code: str) -> tuple[int, dict[str, Any]]:
    return 400, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no"}


@pytest.mark.slow
def test_what_is_throttled_is_tried_again_and_nothing_else_is(server: ModelServer) -> None:
    throttled = refusal("ThrottlingException")
    assert ask(server, throttled, throttled, (200, {"Attributes": {}})) == {"Attributes": {}}
    assert len(server.asked) == 3
    assert ask(server, throttled) == {"name": "ThrottlingException", "message": "no"}
    assert len(server.asked) == 4
    assert ask(server, (500, {"__type": "InternalServerError"}))["message"] == "DynamoDB answered 500"
    assert len(server.asked) == 1
    refused = refusal("ConditionalCheckFailedException")
    assert ask(server, (400, {**refused[1], "Item": ITEM}))["item"] == ITEM
    assert len(server.asked) == 1
    (call,) = server.asked
    assert call.headers["x-amz-target"] == "DynamoDB_20120810.UpdateItem"
    assert call.headers["content-type"] == "application/x-amz-json-1.0"
    assert "/us-east-1/dynamodb/aws4_request" in call.headers["authorization"]
    assert json.loads(call.body) == {"TableName": "t"}
