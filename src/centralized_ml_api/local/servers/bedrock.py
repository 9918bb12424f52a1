"""`bedrock`: a model of Amazon Bedrock, called with the organizer's own AWS credentials.

Envoy signs the calls, or sends the Bedrock API key that the variable `AWS_BEARER_TOKEN_BEDROCK` holds: AWS's
own tools prefer that, too.
Source: https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.bedrock import may_be_called_from, parse_bedrock_id
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.child_environment import withhold
from centralized_ml_api.local.servers.aws_access import AwsAccess
from centralized_ml_api.local.servers.aws_service import AwsService

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from centralized_ml_api.local.servers.aws_access import Access
    from centralized_ml_api.local.servers.parts import ModelSpec, ServiceParts
    from centralized_ml_api.local.supervision.service import Service
    from centralized_ml_api.plan.bedrock import BedrockServing

BEARER_VARIABLE = "AWS_BEARER_TOKEN_BEDROCK"


def open_bedrock(serving: BedrockServing) -> AwsAccess:
    """Returns the way to a model; from now on no child process inherits the Bedrock API key."""
    withhold(BEARER_VARIABLE)
    return AwsAccess("bedrock-runtime", serving.region, BEARER_VARIABLE)


def check_region(serving: BedrockServing, region: str) -> None:
    """Checks that a model can be called from a region, as far as its id tells.

    Raises:
        StartError: It cannot.
    """
    model_id = serving.hosted.model_id
    if not may_be_called_from(parse_bedrock_id(model_id), region):
        raise StartError(
            f"{model_id} cannot be called in {region}",
            fix="name the profile of that part of the world, or another region: as bedrock_region, or as"
            " region in a local block",
        )


class BedrockService(AwsService):
    """Ready while Bedrock can be called; only a call can tell whether the model answers.

    Args:
        serving: The model.
        source: The access to AWS.
        scratch: Where the credentials may lie, in a folder of their own (mode 0700), until `run` ends.
        changed: Called after each change of the report.
    """

    SIGNED_FOR = "bedrock"

    def __init__(
        self, serving: BedrockServing, source: AwsAccess, scratch: Path, changed: Callable[[], None]
    ) -> None:
        super().__init__(source, scratch, changed)
        self._serving = serving

    def check(self, access: Access) -> None:
        """Checks that the model can be called from the region.

        Raises:
            StartError: It cannot.
        """
        check_region(self._serving, access.target.region)

    def path_of(self, endpoint_name: str) -> str:
        """Returns the path at Bedrock that takes the calls; the translator adds that of Converse."""
        del endpoint_name
        return self.access.target.path_of(self._serving.path) if self.access else "/"


def make_service(
    spec: ModelSpec, serving: BedrockServing, parts: ServiceParts, changed: Callable[[], None]
) -> Service:
    """Makes a service that keeps the credentials fresh."""
    del spec
    return BedrockService(serving, open_bedrock(serving), parts.scratch, changed)
