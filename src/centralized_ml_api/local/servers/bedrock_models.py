"""Asks Bedrock which models there are. Calls no model."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from centralized_ml_api.aws_session import open_session
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.servers.bedrock import open_bedrock
from centralized_ml_api.local.servers.provider_keys import IMPATIENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.plan.bedrock import BedrockServing

_ON_DEMAND = "ON_DEMAND"


@contextlib.contextmanager
def open_control_plane(region: str) -> Iterator[Any]:
    """Gives botocore's client of the service `bedrock`, which gives up within half a minute.

    It takes the user's own credentials, or the Bedrock API key of `AWS_BEARER_TOKEN_BEDROCK`.
    """
    from botocore.config import Config  # noqa: PLC0415  # only who uses it pays

    client = open_session().create_client("bedrock", region_name=region, config=Config(**IMPATIENT))
    try:
        yield client
    finally:
        client.close()


def list_bedrock_models(serving: BedrockServing) -> list[str]:
    """Returns the ids of the models and inference profiles in the region of an entry, sorted.

    Whether the account may call each of them, only `mlapi doctor` asks.
    Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html
    and https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListInferenceProfiles.html

    Raises:
        StartError: AWS cannot be called, or does not say.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # only who uses it pays

    region = open_bedrock(serving).look().target.region
    try:
        with open_control_plane(region) as bedrock:
            models = bedrock.list_foundation_models(byOutputModality="TEXT", byInferenceType=_ON_DEMAND)
            pages = bedrock.get_paginator("list_inference_profiles").paginate()
            profiles = [profile for page in pages for profile in page["inferenceProfileSummaries"]]
    except (BotoCoreError, ClientError, OSError) as error:
        fix = "check the network and your AWS credentials, which need bedrock:List*"
        raise StartError(f"Bedrock does not list its models in {region}: {error}", fix=fix) from error
    ids = [model["modelId"] for model in models["modelSummaries"]]
    return sorted({*ids, *(profile["inferenceProfileId"] for profile in profiles)})
