"""Checks that this user may call the models of Bedrock that the config names. Calls no model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.servers.bedrock import check_region, open_bedrock
from centralized_ml_api.local.servers.bedrock_models import open_control_plane
from centralized_ml_api.plan.bedrock import find_bedrock
from centralized_ml_api.plan.bedrock_access import judge_access
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.schema import Config
    from centralized_ml_api.plan.bedrock import BedrockServing

_REFUSED = frozenset(
    {
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    }
)
"""What AWS says of credentials that nobody has, or no longer.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
"""


def check_bedrock(config: Config | None) -> Iterator[Finding]:
    """Yields, for each entry that Bedrock hosts, whether it can be called.

    Args:
        config: What was read; None if it does not have the shape of a config.
    """
    for entry in config.entries if config else ():
        serving = find_bedrock(entry)
        if serving is not None:
            yield _check(entry.name, serving)


def _check(name: str, serving: BedrockServing) -> Finding:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # only who uses it pays

    try:
        region = open_bedrock(serving).look().target.region
        check_region(serving, region)
        with open_control_plane(region) as bedrock:
            return judge_access(name, serving.hosted.model_id, region, bedrock)
    except StartError as error:
        return Finding("bedrock", "error", f"{name}: {error.message}", fix=error.fix)
    except ClientError as error:
        is_refused = error.response["Error"]["Code"] in _REFUSED
        title = "AWS refuses the credentials" if is_refused else "AWS does not say whether it may be called"
        fix = "log in again" if is_refused else "only a call can tell; to ask, a user needs bedrock:Get*"
        return Finding("bedrock", "error" if is_refused else "unknown", f"{name}: {title}", str(error), fix)
    except (BotoCoreError, OSError) as error:
        title = f"{name}: AWS could not be asked whether it may be called"
        return Finding("bedrock", "unknown", title, str(error), "check the network")
