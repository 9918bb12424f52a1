"""C110: a package of one region in a deployment to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.models.package_arn import PACKAGE_ARN
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for model in context.models if context.region else []:
        arn = model.text("model_package_arn")
        match = PACKAGE_ARN.fullmatch(arn.value) if arn else None
        if arn and match and match["region"] != context.region:
            yield RULE.problem(
                arn.location,
                found=f"a package of {match['region']}: {quoted(arn.value)}",
                expected=f"a package of {context.region}, the region of the deployment",
                fix=f"copy the ARN for {context.region} from the console, or deploy to {match['region']}",
            )


RULE = Rule(
    id="C110",
    title="package of another region",
    meaning="""\
A Marketplace package has one ARN in each region, and SageMaker finds only those of its own. The ARN
names another region than the one that the config is deployed to. The publisher's account differs from
region to region too: copy the whole ARN anew. This is checked only where the region of the deployment is
known.""",
    example=Example(
        at="$.models[1]",
        wrong='"model_package_arn": "arn:aws:sagemaker:us-west-2:123456789012:model-package/my-package"',
        right='"model_package_arn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/my-package"',
    ),
    check=_check,
)
