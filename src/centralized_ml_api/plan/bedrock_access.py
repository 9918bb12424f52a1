"""Judges whether an account may call a model of Bedrock. Calls no model."""

from __future__ import annotations

from typing import Any

from centralized_ml_api.config.bedrock import parse_bedrock_id
from centralized_ml_api.plan.finding import Finding

_ACCESS_PAGE = "https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html"
_NO_SUCH = frozenset({"ResourceNotFoundException", "ValidationException"})


def judge_access(name: str, model_id: str, region: str, bedrock: Any) -> Finding:
    """Returns whether a model is there, and open to the account.

    Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetFoundationModelAvailability.html
    and https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetInferenceProfile.html

    Args:
        name: The entry.
        model_id: The id or ARN of a model or of an inference profile.
        region: Where it is called.
        bedrock: botocore's client of the service `bedrock` for that region.

    Raises:
        botocore.exceptions.ClientError: AWS refused to say.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    try:
        return _judge(name, model_id, region, bedrock)
    except bedrock.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in _NO_SUCH:
            raise
        title = f"{name}: Bedrock has no {model_id} in {region}"
        fix = "correct the id of the model, or set its region: bedrock_region, or region in a local block"
        return Finding("bedrock", "error", title, fix=fix)


def _judge(name: str, model_id: str, region: str, bedrock: Any) -> Finding:
    parsed = parse_bedrock_id(model_id)
    model = parsed.model
    if parsed.kind.endswith("inference-profile"):
        profile = bedrock.get_inference_profile(inferenceProfileIdentifier=model_id)
        model = profile["models"][0]["modelArn"].rpartition("/")[2]
    elif parsed.kind != "foundation-model":
        return Finding("bedrock", "unknown", f"{name}: only a call can tell whether {model_id} works")
    found = bedrock.get_foundation_model_availability(modelId=model)
    missing = [
        what
        for what, value, wanted in (
            ("the account has no agreement for it", found["agreementAvailability"]["status"], "AVAILABLE"),
            ("the account is not authorized", found["authorizationStatus"], "AUTHORIZED"),
            ("the account is not entitled to it", found["entitlementAvailability"], "AVAILABLE"),
        )
        if value != wanted
    ]
    if missing:
        title = f"{name}: Bedrock does not let this account call {model} in {region}"
        fix = "request access to the model in the Bedrock console of that region"
        return Finding("bedrock", "error", title, "; ".join(missing), fix, _ACCESS_PAGE)
    return Finding("bedrock", "ok", f"{name}: Bedrock has {model_id} in {region}, open to this account")
