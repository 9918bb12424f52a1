"""The function that passes keys on, loaded anew, and the keys of a stack."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from centralized_ml_api.aws.constructs.team_keys import (
    KEY_CODE,
    word_refusals,
)
from centralized_ml_api.aws.document.event import Authorizer
from centralized_ml_api.aws.document.extend import Addresses, extend_document
from centralized_ml_api.aws.stack.contract import STACK_TAG, TEAM_TAG
from centralized_ml_api.plan.aws.types import DirectRoute, OwnEndpoint
from centralized_ml_api.plan.speaks import OpenAiModels
from support.api_gateway import ApiGateway, build_rest_api
from support.api_gateway.back_ends import BackEnds
from support.api_gateway.message import Request, Response
from support.api_gateway.usage_plans import Key, UsagePlan, UsagePlans

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

    import pytest

TEAMS = [f"team {number}" for number in range(60)]
METHOD = "arn:aws:execute-api:us-east-1:123456789012:contract/prod/POST/echo"

ENVIRONMENT = {
    "REFUSED": json.dumps({team: ["other"] for team in TEAMS[1:]}),
    "OWN_TAG": json.dumps([STACK_TAG, "Event"]),
    "TEAM_TAG": TEAM_TAG,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
}


def start_function() -> ModuleType:
    """A cold function: its code, loaded anew."""
    specification = importlib.util.spec_from_file_location("key_function", KEY_CODE / "index.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def call(function: ModuleType, key: str) -> dict[str, Any]:
    """What it answers to the key."""
    lambda_event = {"headers": {"X-Api-Key": key}, "methodArn": METHOD}
    answer: dict[str, Any] = function.lambda_handler(lambda_event, None)
    return answer


class Lists:
    """The keys of a stack, and how often they were listed; `fails` is raised instead."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self.keys = dict(keys)
        self.revoked: set[str] = set()
        self.count = 0
        self.fails: Exception | None = None

    def __call__(self) -> Iterator[tuple[str, str, bool]]:
        self.count += 1
        if self.fails:
            raise self.fails
        yield from ((key, team, key not in self.revoked) for key, team in self.keys.items())


ROUTES = [DirectRoute(name, OwnEndpoint(name), ()) for name in ("plain", "other")]
OPERATIONS = {f"/{route.name}": {"post": {"operationId": route.name}} for route in ROUTES}
SERVICE = "arn:aws:apigateway:us-east-1"
AUTHORIZER = Authorizer(
    f"{SERVICE}:lambda:path/2015-03-31/functions/keys/invocations", "caller", says_why=True
)

ADDRESSES = Addresses(
    service=SERVICE,
    role="role",
    endpoints={"plain": "Plain-1", "other": "Other-1"},
    functions={},
    stream="stream",
    authorizer=AUTHORIZER,
)
STARTS = datetime(2099, 6, 1, 7, tzinfo=UTC)
LONG_AGO = datetime(2020, 6, 1, 7, tzinfo=UTC)


def start_with(monkeypatch: pytest.MonkeyPatch, starts: datetime, refused: dict[str, list[str]]) -> Any:
    """A cold function of an event that starts then; the keys of red and blue are their teams' names."""
    monkeypatch.setenv("WORDS", json.dumps(word_refusals(starts)))
    monkeypatch.setenv("REFUSED", json.dumps(refused))
    function = start_function()
    owners = function.Owners(Lists({"red": "red", "blue": "blue"}))
    monkeypatch.setattr(function, "_OWNERS", owners)
    return function


def ask(function: Any, method: str, path: str, key: str) -> Response:
    """What API Gateway answers, with the document of an event that has a start."""
    public = {"openapi": "3.0.3", "info": {"title": "An API", "version": "1"}, "paths": OPERATIONS}
    document = extend_document(public, ROUTES, ADDRESSES, OpenAiModels())

    async def invoke(request_id: str, payload: bytes) -> bytes:
        del request_id
        try:
            return json.dumps(function.lambda_handler(json.loads(payload), None)).encode()
        except Exception as error:  # noqa: BLE001  # as Lambda does
            return json.dumps({"errorMessage": str(error)}).encode()

    back_ends = BackEnds("http://127.0.0.1:1", {}, {"keys": invoke}, {})
    plans = UsagePlans((UsagePlan("p", "all", None, None, None, [Key("1", "red"), Key("2", "blue")]),))
    gateway = ApiGateway(build_rest_api(document), back_ends, plans)
    request = Request(method, path, (), (("x-api-key", key),), b"", "an-id")
    answer = asyncio.run(gateway.answer(request))
    assert isinstance(answer, Response)
    return answer


def pause(monkeypatch: pytest.MonkeyPatch, direct: str = "plain,other", **paused: Mapping[str, str]) -> Any:
    """A cold function of an event in which this is paused; `models` and `teams` have their words."""
    monkeypatch.setenv("PAUSED", json.dumps(paused))
    monkeypatch.setenv("DIRECT", direct)
    return start_with(monkeypatch, LONG_AGO, {"blue": ["other"]})
