"""The ARN of a model package of the AWS Marketplace: placeholders, form, region."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.config.document.node import Node
    from centralized_ml_api.errors import Problem

_PLACEHOLDER = re.compile(r"<[^<>]*>|\$\{[^{}]*\}|\bYOUR_[A-Z_]+|\bX{3,}\b")
"""What documentation writes in place of the reader's own value."""

_PACKAGE_ARN = re.compile(
    r"arn:aws[a-z-]*:sagemaker:(?P<region>[a-z0-9-]{9,16}):[0-9]{12}:model-package/[A-Za-z0-9][A-Za-z0-9-]{0,62}(/[0-9]{1,9})?"
)


def _arns(context: Context) -> list[Node[str]]:
    return [arn for model in context.models if (arn := model.string("model_package_arn"))]


def _check_placeholders(context: Context) -> Iterator[Problem]:
    for arn in _arns(context):
        placeholders = _PLACEHOLDER.findall(arn.value)
        if placeholders:
            yield PLACEHOLDER_IN_ARN.problem(
                arn.location,
                found=f"{listed(placeholders, 'and')} in {quoted(arn.value)}",
                expected="the ARN of your own subscription",
                fix="subscribe, then copy the ARN: AWS Marketplace > Manage subscriptions",
            )


PLACEHOLDER_IN_ARN = CheckedRule(
    id="C108",
    title="placeholder in an ARN",
    meaning="""\
The ARN still contains a placeholder such as `<ACCOUNT>`. Subscribe to the model in the AWS Marketplace,
choose the region, and copy the ARN that is shown there.""",
    example=Example(
        at="$.models[1]",
        wrong='"model_package_arn": "arn:aws:sagemaker:us-east-1:<ACCOUNT>:model-package/<MODEL_PACKAGE_ID>"',
        right='"model_package_arn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/my-package"',
    ),
    check=_check_placeholders,
)


def _check_form(context: Context) -> Iterator[Problem]:
    for arn in _arns(context):
        if not _PLACEHOLDER.search(arn.value) and not _PACKAGE_ARN.fullmatch(arn.value):
            yield MALFORMED_PACKAGE_ARN.problem(
                arn.location,
                found=quoted(arn.value),
                expected="arn:aws:sagemaker:<region>:<12 digits>:model-package/<name>",
                fix="copy the whole ARN from the console"
                if ":" in arn.value
                else 'use "model_id" for a JumpStart id',
            )


MALFORMED_PACKAGE_ARN = CheckedRule(
    id="C109",
    title="malformed package ARN",
    meaning="""\
`model_package_arn` takes the ARN of a model package: partition, `sagemaker`, region, the twelve digits of
the account, `model-package/` and the name of the package.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html
(ModelPackageName)""",
    example=Example(
        at="$.models[1]",
        wrong='"model_package_arn": "arn:aws:sagemaker:us-east-1:model-package/my-package"',
        right='"model_package_arn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/my-package"',
    ),
    check=_check_form,
)


def _check_region(context: Context) -> Iterator[Problem]:
    for arn in _arns(context) if context.region else []:
        match = _PACKAGE_ARN.fullmatch(arn.value)
        if match and match["region"] != context.region:
            yield PACKAGE_REGION.problem(
                arn.location,
                found=f"a package in {match['region']}: {quoted(arn.value)}",
                expected=f"a package in {context.region}, the region of the deployment",
                fix=f"copy the ARN for {context.region} from the console, or deploy to {match['region']}",
            )


PACKAGE_REGION = CheckedRule(
    id="C110",
    title="package in another region",
    meaning="""\
A Marketplace package has a separate ARN in each region, and SageMaker finds only the packages of its own
region. This ARN names a region other than the one that you deploy to. The publisher's account may differ
between regions too, so copy the whole ARN. This is checked only when the region of the deployment is
known.""",
    example=Example(
        at="$.models[1]",
        wrong='"model_package_arn": "arn:aws:sagemaker:us-west-2:123456789012:model-package/my-package"',
        right='"model_package_arn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/my-package"',
    ),
    check=_check_region,
)

RULES = (PLACEHOLDER_IN_ARN, MALFORMED_PACKAGE_ARN, PACKAGE_REGION)
