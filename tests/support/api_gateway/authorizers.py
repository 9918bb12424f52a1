"""Who lets a request in: an authorizer, which is a function, and the keys of usage plans.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from support.api_gateway.back_ends import BackEnds
from support.api_gateway.document import RestApi
from support.api_gateway.lambda_proxy import build_event
from support.api_gateway.message import GatewayError
from support.api_gateway.usage_plans import UsagePlans

if TYPE_CHECKING:
    from support.api_gateway.message import Request
    from support.api_gateway.routing import Route
    from support.api_gateway.templates import Context

AUTHORIZER = "x-amazon-apigateway-authorizer"
_HEADER = "method.request.header."
_REGION = "us-east-1"
Policy = Mapping[str, Any]


@dataclass
class Door:
    """Lets requests in or refuses them; remembers what authorizers said."""

    api: RestApi
    back_ends: BackEnds
    usage: UsagePlans
    clock: Callable[[], float] = time.monotonic
    _remembered: dict[tuple[str, ...], tuple[float, Policy]] = field(default_factory=dict)
    asked: int = 0

    async def admit(self, request: Request, route: Route, context: Context) -> Context:
        """The context with what is known of the caller.

        The authorizer is asked first; a method that asks for a key takes it from the header or from the
        authorizer, as the API's key source says.
        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-key-source.html
        """
        key = request.header("x-api-key")
        for name in _needed(route):
            scheme = self.api.security_schemes[name]
            if AUTHORIZER not in scheme:
                continue
            policy = await self._ask(name, scheme[AUTHORIZER], request, route, context)
            # The response to a refusal knows it too: https://stackoverflow.com/questions/47921803.
            known = {**policy.get("context", {}), "principalId": policy["principalId"]}
            context.values = {**context.values, "authorizer": known}
            check_policy(policy, _method_arn(request, context))
            if self.api.key_source == "AUTHORIZER":
                key = policy.get("usageIdentifierKey")
        if any(self._is_key(name) for name in _needed(route)):
            found = self.usage.admit(key)
            identity = {**context.values["identity"], "apiKey": key, "apiKeyId": found.id}
            context.values = {**context.values, "identity": identity}
        return context

    def _is_key(self, name: str) -> bool:
        """Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-key-usage-plan-oas.html."""
        scheme = self.api.security_schemes[name]
        return AUTHORIZER not in scheme and (scheme["type"], scheme["name"].lower()) == (
            "apiKey",
            "x-api-key",
        )

    async def _ask(
        self, name: str, written: Mapping[str, Any], request: Request, route: Route, context: Context
    ) -> Policy:
        """What the function says, or said of the same identity within the time that it is remembered.

        Without an identity the function is not asked.
        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/configure-api-gateway-lambda-authorization.html
        """
        sources = [item for item in written.get("identitySource", "").split(",") if item]
        identity = [request.header(source.strip().removeprefix(_HEADER)) or "" for source in sources]
        if not all(identity):
            raise GatewayError("UNAUTHORIZED", "Unauthorized")
        until, policy = self._remembered.get((name, *identity), (0.0, {}))
        if until <= self.clock():
            policy = await self._invoke(written["authorizerUri"], request, route, context)
            seconds = written.get("authorizerResultTtlInSeconds", 300)
            self._remembered[name, *identity] = (self.clock() + seconds, policy)
        return policy

    async def _invoke(self, uri: str, request: Request, route: Route, context: Context) -> Policy:
        """A function that raises "Unauthorized" means 401; one that fails otherwise, 500.

        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-lambda-function-create.html
        """
        self.asked += 1
        event = {
            **build_event(self.api, request, route, context),
            "type": "REQUEST",
            "methodArn": _method_arn(request, context),
            "body": None,
        }
        said: Policy = json.loads(
            await self.back_ends.function(uri)(request.request_id, json.dumps(event).encode())
        )
        if str(said.get("errorMessage", "")).rpartition(": ")[2] == "Unauthorized":
            raise GatewayError("UNAUTHORIZED", "Unauthorized")
        if "policyDocument" not in said:
            raise GatewayError("AUTHORIZER_FAILURE", "Internal server error")
        return said


def _needed(route: Route) -> list[str]:
    """The schemes of all requirements: API Gateway wants all, where OpenAPI would want one of them.

    Each requirement names one scheme, as AWS SAM writes them; what becomes of two is not known.
    Source: https://github.com/aws/serverless-application-model (samtranslator/swagger/swagger.py)
    """
    requirements = route.operation.get("security", [])
    for requirement in requirements:
        if len(requirement) != 1:
            raise ValueError(f"a requirement of one scheme each is proven on AWS, not {requirement}")
    return [name for requirement in requirements for name in requirement]


def _method_arn(request: Request, context: Context) -> str:
    where = f"{context.value('accountId')}:{context.value('apiId')}/{context.value('stage')}"
    return f"arn:aws:execute-api:{_REGION}:{where}/{request.method}{request.path}"


def check_policy(policy: Policy, arn: str) -> None:
    """A statement that denies wins; without one that allows, nothing is allowed.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
    """
    effects = {
        item["Effect"]
        for item in policy["policyDocument"]["Statement"]
        if any(matches_arn(pattern, arn) for pattern in _listed(item["Resource"]))
    }
    if effects != {"Allow"}:
        raise GatewayError("ACCESS_DENIED", "User is not authorized to access this resource")


def matches_arn(pattern: str, arn: str) -> bool:
    """`*` is any characters, slashes too; `?` is one.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    wild = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(wild, arn) is not None


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
