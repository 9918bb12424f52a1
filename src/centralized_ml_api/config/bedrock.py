"""What the id of a model of Bedrock says: which kind of thing it is, and where it may be called. Pure."""

from __future__ import annotations

from centralized_ml_api.record import record

PROFILE_REGIONS: dict[str, tuple[str, ...]] = {
    "us": ("us-", "ca-"),
    "us-gov": ("us-gov-",),
    "eu": ("eu-", "il-"),
    "apac": ("ap-", "me-"),
    "jp": ("ap-northeast-",),
    "au": ("ap-southeast-",),
    "ca": ("ca-", "us-"),
    "global": ("",),
}
"""Of a profile of AWS's own, by how its id begins: how the regions begin from which it may be called.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html (source regions)
"""


@record
class BedrockId:
    """A model id: of an ARN, its region, its account and its resource; of a plain id, the id alone.

    `geography` is how the id of a profile of AWS's own begins, and `model` the model behind it.
    """

    written: str
    region: str = ""
    account: str = ""
    kind: str = ""
    geography: str = ""
    model: str = ""


def parse_bedrock_id(written: str) -> BedrockId:
    """Parses an id that has the form of one.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html
    """
    region = account = kind = ""
    name = written
    if written.startswith("arn:"):
        _, _, _, region, account, resource = written.split(":", 5)
        kind, _, name = resource.partition("/")
    geography, _, model = name.partition(".")
    is_profile = geography in PROFILE_REGIONS and "." in model and kind in {"", "inference-profile"}
    if is_profile:
        return BedrockId(written, region, account, "inference-profile", geography, model)
    return BedrockId(written, region, account, kind or "foundation-model", model=name)


def may_be_called_from(parsed: BedrockId, region: str) -> bool:
    """Returns whether a model may be called from a region, as far as its id tells."""
    if parsed.region:
        return parsed.region == region
    return not parsed.geography or region.startswith(PROFILE_REGIONS[parsed.geography])
