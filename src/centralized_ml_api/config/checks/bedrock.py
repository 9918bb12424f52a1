"""C8 too: models of Amazon Bedrock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.bedrock import PROFILE_REGIONS, may_be_called_from, parse_bedrock_id
from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context, ObjectNode
    from centralized_ml_api.errors import Location, Problem

_CLAUDE = "anthropic.claude-haiku-4-5-20251001-v1:0"


def _check_keys(context: Context) -> Iterator[Problem]:
    for endpoint in context.root.objects("endpoints"):
        region, speaks = endpoint.member("bedrock_region"), endpoint.string("speaks")
        if region and not endpoint.member("bedrock_model_id"):
            yield BEDROCK_KEYS.problem(
                region.key_location,
                found='"bedrock_region" without "bedrock_model_id"',
                expected="a model of Bedrock",
                fix='add "bedrock_model_id", or remove "bedrock_region"',
            )
        elif speaks and endpoint.member("bedrock_model_id") and speaks.value != "openai-chat":
            yield BEDROCK_KEYS.problem(
                speaks.location,
                found=quoted(speaks.value),
                expected='"openai-chat", for models that Bedrock serves by Chat Completions, or nothing',
                fix='remove "speaks": every chat model of Bedrock is called by Converse, and translated',
            )


BEDROCK_KEYS = CheckedRule(
    id="C811",
    title="key that does not go with a model of Bedrock",
    meaning="""\
`bedrock_region` says where the model of `bedrock_model_id` is called. `speaks` beside it may be
`openai-chat` alone: calls then pass unchanged to Bedrock's Chat Completions, which it has for some models.
Without `speaks`, calls are translated to Converse, which it has for all chat models.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/models-api-compatibility.html""",
    example=Example(
        at="$.endpoints[1]",
        wrong='"bedrock_region": "us-west-2"',
        right=f'"bedrock_model_id": "us.{_CLAUDE}", "bedrock_region": "us-west-2"',
    ),
    check=_check_keys,
)


def _check_region(context: Context) -> Iterator[Problem]:
    for endpoint in context.root.objects("endpoints"):
        model, written = endpoint.string("bedrock_model_id"), endpoint.string("bedrock_region")
        region = written.value if written else context.region
        if model is None or region is None:
            continue
        parsed = parse_bedrock_id(model.value) if _is_well_formed(model.value) else None
        if parsed and not may_be_called_from(parsed, region):
            place = parsed.region or " or ".join(f"{start}…" for start in PROFILE_REGIONS[parsed.geography])
            yield BEDROCK_REGION.problem(
                _location(endpoint, model.location),
                found=f"{quoted(model.value)}, called in {region}",
                expected=f"a call in {place}",
                fix=_fix(parsed.region),
            )


def _is_well_formed(written: str) -> bool:
    return not written.startswith("arn:") or written.count(":") >= 5  # noqa: PLR2004  # the parts of an ARN


def _location(endpoint: ObjectNode, model: Location) -> Location:
    region = endpoint.string("bedrock_region")
    return region.location if region else model


def _fix(region: str) -> str:
    if region:
        return f'write "bedrock_region": "{region}"'
    return "name the profile of that part of the world, or another region as bedrock_region"


BEDROCK_REGION = CheckedRule(
    id="C812",
    title="model of Bedrock in another part of the world",
    meaning="""\
An inference profile such as `eu.…` can be called from its part of the world alone, and an ARN names its
region. Bedrock is called in `bedrock_region`, or else in the region of the deployment.""",
    example=Example(
        at="$.endpoints[1]",
        wrong=f'"bedrock_model_id": "eu.{_CLAUDE}", "bedrock_region": "us-east-1"',
        right=f'"bedrock_model_id": "eu.{_CLAUDE}", "bedrock_region": "eu-west-1"',
    ),
    check=_check_region,
)

RULES = (BEDROCK_KEYS, BEDROCK_REGION)
