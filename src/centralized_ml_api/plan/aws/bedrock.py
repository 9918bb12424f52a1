"""What the function may do in Bedrock: call exactly the models and inference profiles of the config. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.bedrock import parse_bedrock_id
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from centralized_ml_api.plan.aws.types import BedrockTarget

INVOKE_BEDROCK = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
"""What Converse and Chat Completions need too.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

PARTITION, ACCOUNT = "{partition}", "{account}"
"""What stands for the stack's own in the ARNs here."""


@record
class BedrockGrant:
    """An ARN that may be invoked; with `profile`, only through the inference profile with that ARN.

    A profile calls its model in each of its regions, and AWS adds regions: the model's ARN leaves the region
    open. A profile of one's own does not tell its model, either; AWS checks that it is the profile's.

    Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
    """

    resource: str
    profile: str | None = None


def list_grants(targets: Iterable[BedrockTarget]) -> tuple[BedrockGrant, ...]:
    """Returns what the function needs for these models, each grant once."""
    return tuple(dict.fromkeys(grant for target in targets for grant in _grants(target)))


def _grants(target: BedrockTarget) -> Iterator[BedrockGrant]:
    parsed = parse_bedrock_id(target.model.model_id)
    here = f"arn:{PARTITION}:bedrock:{target.region}"
    if parsed.kind == "foundation-model":
        yield BedrockGrant(f"{here}::foundation-model/{parsed.model}")
        return
    is_arn = parsed.written.startswith("arn:")
    arn = parsed.written if is_arn else f"{here}:{ACCOUNT}:inference-profile/{parsed.written}"
    yield BedrockGrant(arn)
    if parsed.kind.endswith("inference-profile"):
        model = parsed.model if parsed.geography else "*"
        yield BedrockGrant(f"arn:{PARTITION}:bedrock:*::foundation-model/{model}", arn)
