"""The machine under a model: GPU driver, volume, AMI, and which instance types take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.checks.context import given
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import listed, quoted
from centralized_ml_api.instance_types import (
    CUDA_12_AMI,
    INFERENCE_AMIS,
    has_old_driver,
    instance_family,
    runs_ami,
    takes_volume,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context, ObjectNode
    from centralized_ml_api.config.document.node import Node
    from centralized_ml_api.errors import Problem


def _types(model: ObjectNode) -> list[Node[str]]:
    """Returns the instance types that are ones; the others are reported as such."""
    instance = model.string("instance")
    written = [*([instance] if instance else []), *model.strings("instances")]
    return [node for node in written if instance_family(node.value)]


def _check_driver(context: Context) -> Iterator[Problem]:
    for model in context.models:
        old = next((node for node in _types(model) if has_old_driver(node.value)), None)
        said = given(model, ("model_id", "model_package_arn", "image", "inference_ami"))
        if old and said == ["image"]:
            yield OLD_DRIVER.problem(
                old.location,
                found=f'{quoted(old.value)} without "inference_ami": NVIDIA driver 470, for CUDA 11',
                expected='"inference_ami", if the image needs CUDA 12',
                fix=f'add "inference_ami": "{CUDA_12_AMI}"',
            )


OLD_DRIVER = CheckedRule(
    id="C117",
    title="old GPU driver for an own image",
    meaning="""\
On `ml.g4dn`, `ml.g5`, `ml.p4d` and `ml.p4de`, SageMaker has NVIDIA's driver 470 unless the config chooses
a newer machine image. Current images of PyTorch, vLLM and others bring CUDA 12 and fail with it, often only
when the first request comes. A newer driver runs older CUDA too. JumpStart models bring their choice.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/inference-gpu-drivers.html""",
    example=Example(
        at="$.models[2]",
        wrong='"instances": ["ml.g5.2xlarge"]',
        right=f'"instances": ["ml.g5.2xlarge"], "inference_ami": "{CUDA_12_AMI}"',
    ),
    severity="warning",
    check=_check_driver,
)


def _check_volume(context: Context) -> Iterator[Problem]:
    for model in context.models:
        volume = model.member("volume_gib")
        own = [node.value for node in _types(model) if not takes_volume(node.value)]
        if volume and own:
            yield VOLUME_ON_OWN_DISK.problem(
                volume.key_location,
                found=f'"volume_gib" with {listed(own, "and")}, which has a disk of its own',
                expected='no "volume_gib", or a type without a disk of its own',
                fix='remove "volume_gib": the whole disk of the type is used',
            )


VOLUME_ON_OWN_DISK = CheckedRule(
    id="C118",
    title="volume_gib on a type with its own disk",
    meaning="""\
`volume_gib` is the size of the volume that SageMaker attaches to an instance. Types with a disk of their own
(`g4dn`, `g5`, `g6`, `p4d`, `p5`, `trn1`, and all with a `d` in their family) get none, and SageMaker refuses
a size: "VolumeSize parameter is not allowed for the selected Instance type". Their disk holds hundreds of
gigabytes.""",
    example=Example(
        at="$.models[2]",
        wrong='"volume_gib": 256',
        right='"instances": ["ml.c5.2xlarge"], "volume_gib": 256',
    ),
    check=_check_volume,
)


def _check_ami(context: Context) -> Iterator[Problem]:
    for model in context.models:
        ami = model.string("inference_ami")
        if ami is None or ami.value not in INFERENCE_AMIS:
            continue
        other = [node.value for node in _types(model) if not runs_ami(node.value, ami.value)]
        if other:
            fitting = [quoted(known) for known in INFERENCE_AMIS if runs_ami(other[0], known)]
            yield OTHER_ACCELERATOR.problem(
                ami.location,
                found=f"{quoted(ami.value)} on {listed(other, 'and')}",
                expected=listed(fitting) if fitting else 'no "inference_ami"',
                fix="choose one for the accelerator of the type" if fitting else 'remove "inference_ami"',
            )


OTHER_ACCELERATOR = CheckedRule(
    id="C119",
    title="inference_ami for another accelerator",
    meaning="""\
The machine images with `gpu` in their name are for types with NVIDIA GPUs (`ml.g…`, `ml.p…`), those with
`neuron` for AWS Inferentia2 and Trainium (`ml.inf2`, `ml.trn…`). Types without an accelerator take none.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html
(InferenceAmiVersion)""",
    example=Example(
        at="$.models[2]",
        wrong='"inference_ami": "al2-ami-sagemaker-inference-neuron-2"',
        right=f'"inference_ami": "{CUDA_12_AMI}"',
    ),
    check=_check_ami,
)

RULES = (OLD_DRIVER, VOLUME_ON_OWN_DISK, OTHER_ACCELERATOR)
