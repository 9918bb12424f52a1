"""The quotas of AWS that grow with a config, and what of a synthesized template exceeds them. Pure.

One table says each quota, its source and what to do; `docs/explanation/aws-limits.md` is generated from it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from centralized_ml_api.aws.planning import template_amounts as amounts
from centralized_ml_api.aws.planning.template_amounts import Amounts, Template
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_CLOUDFORMATION = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
_IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
_REST_API = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html"
_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
_VARIANT = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html"
_SCALE = "https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-quotas.html"
_SSM = "https://docs.aws.amazon.com/general/latest/gr/ssm.html"

_SPLIT = "split the config, with a --stack for each part"


@record
class Limit:
    """One quota; `measure` yields what is measured, by name, and how much of it a template has.

    `adjustable` says whether AWS raises it on request, `bites` where it could be reached, `fix` what to do.
    """

    name: str
    most: int
    bites: str
    fix: str
    source: str
    measure: Callable[[Template], Amounts]
    adjustable: bool = False


@record
class Exceeded:
    """A limit that a template exceeds: what has how much of it, which may be an estimate."""

    limit: Limit
    what: str
    amount: int
    estimated: bool = False

    def __str__(self) -> str:
        """Returns one line: what has how much, and how much AWS allows."""
        kind = "unless AWS raises it" if self.limit.adjustable else "and AWS does not raise it"
        about = "about " if self.estimated else ""
        return (
            f"{self.what}: {about}{self.amount:,} {self.limit.name}; AWS allows {self.limit.most:,}, {kind}"
        )


def find_exceeded(templates: Mapping[str, Template]) -> tuple[Exceeded, ...]:
    """Returns every limit that is exceeded, by the order of the table.

    Args:
        templates: The templates of a stack and of those nested in it, by the names of their files.
    """
    return tuple(
        Exceeded(limit, f"{name}: {what}" if what else name, amount)
        for limit in LIMITS
        for name, template in templates.items()
        for what, amount in limit.measure(template)
        if amount > limit.most
    )


def read_templates(assembly: Path) -> dict[str, Template]:
    """Reads the templates of a cloud assembly, those of nested stacks too, by the names of their stacks."""
    files = sorted(assembly.glob("*.template.json"))
    return {file.name.partition(".")[0]: json.loads(file.read_text(encoding="utf-8")) for file in files}


LIMITS = (
    Limit(
        "bytes of a template",
        1024 * 1024,
        "many models: each path has a part of the API's document",
        f'{_SPLIT}, or give models "integration": {{"type": "stream"}}: their paths take less than half',
        _CLOUDFORMATION,
        amounts.characters,
    ),
    Limit(
        "resources of a stack",
        500,
        "three to five for each model, three for each team, two for each place",
        f"{_SPLIT}, or have fewer places for teams that join",
        _CLOUDFORMATION,
        amounts.count("Resources"),
    ),
    Limit(
        "outputs of a stack",
        200,
        "models in nested stacks",
        _SPLIT,
        _CLOUDFORMATION,
        amounts.count("Outputs"),
    ),
    Limit(
        "parameters of a stack",
        200,
        "what nested stacks are told",
        _SPLIT,
        _CLOUDFORMATION,
        amounts.count("Parameters"),
    ),
    Limit(
        "mappings of a template",
        200,
        "texts that many paths share",
        _SPLIT,
        _CLOUDFORMATION,
        amounts.count("Mappings"),
    ),
    Limit(
        "attributes of a mapping",
        200,
        "texts that many paths share",
        _SPLIT,
        _CLOUDFORMATION,
        amounts.mapping_attributes,
    ),
    Limit(
        "managed policies of a role",
        10,
        "many models: a policy holds the ARNs of 40",
        f'{_SPLIT}, or request an increase of "Managed policies per role" in Service Quotas (up to 20)',
        _IAM,
        amounts.attached,
        adjustable=True,
    ),
    Limit(
        "characters of a managed policy",
        6144,
        "long names of endpoints",
        _SPLIT,
        _IAM,
        amounts.policy_characters,
    ),
    Limit(
        "characters of a role's inline policies",
        10_240,
        "`permissions` of a function that names many resources",
        "name fewer resources, or a prefix of them",
        _IAM,
        amounts.inline_characters,
    ),
    Limit(
        "resources of an API",
        300,
        "one for each path; the API's own paths take up to twelve",
        f'{_SPLIT}, or request an increase of "Resources per API" for this API',
        _REST_API,
        amounts.paths,
        adjustable=True,
    ),
    Limit(
        "authorizers of an API", 10, "two with teams", _SPLIT, _REST_API, amounts.authorizers, adjustable=True
    ),
    Limit(
        "usage plans of an account",
        300,
        "one for each team and one for all places, with those of the account's other APIs",
        'request an increase of "Usage plans" in Service Quotas, or have fewer teams',
        _REST_API,
        amounts.number("AWS::ApiGateway::UsagePlan"),
        adjustable=True,
    ),
    Limit(
        "API keys of an account",
        10_000,
        "one for each team and place, and one for each rotation",
        "delete keys of former events",
        _REST_API,
        amounts.number("AWS::ApiGateway::ApiKey"),
    ),
    Limit(
        "bytes of a function's environment",
        4096,
        "`environment` of a function; the streaming function keeps its models in parameters before",
        "move values into a file of the function",
        _LAMBDA,
        amounts.environment,
    ),
    Limit("layers of a function", 5, "`layers`", "merge several into one layer", _LAMBDA, amounts.layers),
    Limit(
        "variables of a container",
        100,
        "`environment` of a model",
        "leave some out",
        _VARIANT,
        amounts.container_variables,
    ),
    Limit(
        "characters of a container's variable",
        1024,
        "`environment` of a model",
        "move the value into the model's artifacts",
        _VARIANT,
        amounts.container_values,
    ),
    Limit(
        "scalable targets for SageMaker",
        500,
        "one for each model with `autoscaling`",
        "request an increase in Service Quotas",
        _SCALE,
        amounts.number("AWS::ApplicationAutoScaling::ScalableTarget"),
        adjustable=True,
    ),
    Limit(
        "characters of a parameter",
        4096,
        "the table of models of the streaming function, in several parameters",
        _SPLIT,
        _SSM,
        amounts.parameter_characters,
    ),
)
"""All limits that are checked, in the order of the page."""


def render_limits() -> str:
    """Renders the table as the rows of a page."""
    lines = ["| AWS allows | where it could bite | what to do | can be raised |", "| --- | --- | --- | --- |"]
    lines += [
        f"| [{limit.most:,} {limit.name}]({limit.source}) | {limit.bites} | {limit.fix} |"
        f" {'yes' if limit.adjustable else 'no'} |"
        for limit in LIMITS
    ]
    return "\n".join(lines) + "\n"
