"""C8 too: models of Amazon Bedrock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.bedrock import PROFILE_REGIONS, may_be_called_from, parse_bedrock_id
from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.config.document.node import Node
    from centralized_ml_api.errors import Location, Problem

    _Called = tuple[Node[str] | None, Node[str] | None, str]

_CHATS = "openai-chat"
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
        elif speaks and endpoint.member("bedrock_model_id") and speaks.value != _CHATS:
            yield _other_speaks(speaks.location, quoted(speaks.value))
    for local in context.locals_of("bedrock"):
        said = local.member("speaks")
        if said and said.value not in (_CHATS, [_CHATS]):
            yield _other_speaks(said.location, "another API")


def _other_speaks(location: Location, found: str) -> Problem:
    return BEDROCK_KEYS.problem(
        location,
        found=found,
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


def _called(context: Context) -> Iterator[_Called]:
    """Yields each model of Bedrock with what is written of its region."""
    for endpoint in context.root.objects("endpoints"):
        yield endpoint.string("bedrock_model_id"), endpoint.string("bedrock_region"), "bedrock_region"
    for local in context.locals_of("bedrock"):
        yield local.string("model"), local.string("region"), "region"


def _check_region(context: Context) -> Iterator[Problem]:
    for model, written, key in _called(context):
        # AWS does not call what is in a local block.
        region = written.value if written else context.region if key == "bedrock_region" else None
        if model is None or region is None:
            continue
        parsed = parse_bedrock_id(model.value) if _is_well_formed(model.value) else None
        if parsed and not may_be_called_from(parsed, region):
            place = parsed.region or " or ".join(f"{start}…" for start in PROFILE_REGIONS[parsed.geography])
            yield BEDROCK_REGION.problem(
                written.location if written else model.location,
                found=f"{quoted(model.value)}, called in {region}",
                expected=f"a call in {place}",
                fix=_fix(parsed.region, key),
            )


def _is_well_formed(written: str) -> bool:
    return not written.startswith("arn:") or written.count(":") >= 5  # noqa: PLR2004  # the parts of an ARN


def _fix(region: str, key: str) -> str:
    if region:
        return f'write "{key}": "{region}"'
    return f"name the profile of that part of the world, or write another {quoted(key)}"


BEDROCK_REGION = CheckedRule(
    id="C812",
    title="model of Bedrock in another part of the world",
    meaning="""\
An inference profile such as `eu.…` can be called from its part of the world alone, and an ARN names its
region. Bedrock is called in `bedrock_region`, or else in the region of the deployment; with the engine
`bedrock` of `local`, in its `region`.""",
    example=Example(
        at="$.endpoints[1]",
        wrong=f'"bedrock_model_id": "eu.{_CLAUDE}", "bedrock_region": "us-east-1"',
        right=f'"bedrock_model_id": "eu.{_CLAUDE}", "bedrock_region": "eu-west-1"',
    ),
    check=_check_region,
)

RULES = (BEDROCK_KEYS, BEDROCK_REGION)
