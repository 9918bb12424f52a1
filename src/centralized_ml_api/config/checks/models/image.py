"""The image of an own container: SageMaker pulls it from a private registry of Amazon ECR, in its region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.ecr import read_ecr_image
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.config.document.node import Node
    from centralized_ml_api.errors import Problem

_EXAMPLE_REGION = "us-east-1"


def _images(context: Context) -> list[Node[str]]:
    """Returns the images; what has white space in it is reported with the shape."""
    images = (model.string("image") for model in context.models)
    return [image for image in images if image and image.value and not any(map(str.isspace, image.value))]


def _check_registry(context: Context) -> Iterator[Problem]:
    region = context.region or _EXAMPLE_REGION
    for image in _images(context):
        if read_ecr_image(image.value) is None:
            name = image.value.rstrip("/").rpartition("/")[2]
            yield IMAGE_ELSEWHERE.problem(
                image.location,
                found=quoted(image.value),
                expected=f"<12 digits>.dkr.ecr.{region}.amazonaws.com/<repository>:<tag>",
                fix=f"push the image to Amazon ECR in your account: docker tag {name} <that address>",
            )


IMAGE_ELSEWHERE = CheckedRule(
    id="C115",
    title="image outside Amazon ECR",
    meaning="""\
SageMaker pulls the image of a model from a private registry of Amazon ECR. It cannot pull from Docker Hub,
GitHub, the public gallery of ECR (`public.ecr.aws`) or this machine. Create a repository in ECR, and push the
image there. An image of another account needs a repository policy there that lets your account pull it;
`mlapi doctor` says when that is the case.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html (Image)""",
    example=Example(
        at="$.models[2]",
        wrong='"image": "ghcr.io/me/own:1"',
        right='"image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1"',
    ),
    check=_check_registry,
)


def _check_region(context: Context) -> Iterator[Problem]:
    for image in _images(context) if context.region else []:
        found = read_ecr_image(image.value)
        if found and found.region != context.region:
            yield IMAGE_REGION.problem(
                image.location,
                found=f"an image in {found.region}: {quoted(image.value)}",
                expected=f"an image in {context.region}, the region of the deployment",
                fix=f"push it to {context.region} too, or have ECR replicate it, or deploy to {found.region}",
            )


IMAGE_REGION = CheckedRule(
    id="C116",
    title="image in another region",
    meaning="""\
SageMaker pulls an image only from Amazon ECR in the region of the endpoint. Push the image there too, or let
a replication rule of ECR do it. This is checked only when the region of the deployment is known.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html""",
    example=Example(
        at="$.models[2]",
        wrong='"image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/own:1"',
        right='"image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1"',
    ),
    check=_check_region,
)

RULES = (IMAGE_ELSEWHERE, IMAGE_REGION)
