"""What a stage serves: the API as its document says, made anew when the document changes."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from aws_cdk import CfnResource
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import Stack

_TOKEN = re.compile(r"\$\{Token\[[^\]]+\]\}")
"""What the CDK writes into a text for a value that only the deployment knows. Its number changes with
whatever else is in the stack.

Source: https://docs.aws.amazon.com/cdk/v2/guide/tokens.html
"""


def build_deployment(
    scope: Construct, construct_id: str, *, api_id: str, document: Mapping[str, Any], stack: Stack
) -> CfnResource:
    """A deployment of the API, whose logical id ends with a fingerprint of the document.

    A deployment is a picture of the API as it was: a changed document is served only by a new one.
    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-deployment.html
    """
    deployment = CfnResource(
        Construct(scope, construct_id),
        "Resource",
        type="AWS::ApiGateway::Deployment",
        properties={"RestApiId": api_id},
    )
    logical_id = stack.get_logical_id(deployment) + _fingerprint(stack, document)
    deployment.override_logical_id(logical_id)
    deployment.add_metadata("aws:cdk:do-not-refactor", value=True)  # its id is no name
    return deployment


def _fingerprint(stack: Stack, document: Mapping[str, Any]) -> str:
    """32 hexadecimal digits; tokens count as what they stand for in the template."""
    text = json.dumps(document, sort_keys=True)
    tokens = list(dict.fromkeys(_TOKEN.findall(text)))
    meanings = dict(zip(tokens, stack.resolve(tokens), strict=True))
    plain = _TOKEN.sub(lambda found: json.dumps(meanings[found[0]], sort_keys=True), text)
    return hashlib.sha256(plain.encode()).hexdigest()[:32]
