"""What the name of a SageMaker instance type says: its family, disk, accelerator and GPU driver. Pure."""

from __future__ import annotations

import re
from typing import Literal, get_args

InferenceAmi = Literal[
    "al2-ami-sagemaker-inference-gpu-2",
    "al2-ami-sagemaker-inference-gpu-2-1",
    "al2-ami-sagemaker-inference-gpu-3-1",
    "al2-ami-sagemaker-inference-neuron-2",
    "al2023-ami-sagemaker-inference-gpu-4-1",
]
"""Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html"""

INFERENCE_AMIS: tuple[InferenceAmi, ...] = get_args(InferenceAmi)

CUDA_12_AMI = "al2-ami-sagemaker-inference-gpu-3-1"
"""Driver 550 and CUDA 12.4. Source: the same page."""

_FAMILY = re.compile(r"ml[._]([a-z\d-]+)\.?\w*")

_OWN_DISKS = ("g5", "g6", "g7e", "p5", "p6-b200", "trn1", "trn2")
"""Families that have disks of their own, besides those with a `d` in their name.

Source: `volume_size_supported` of sagemaker-core 2.27.0.
"""

_DRIVER_470 = frozenset({"p4d", "p4de", "g4dn", "g5"})
"""Source: https://docs.aws.amazon.com/sagemaker/latest/dg/inference-gpu-drivers.html"""


def instance_family(instance: str) -> str:
    """Returns the family, `ml.p6-b200.48xlarge` -> `p6-b200`; empty if it is not an instance type.

    Source: `get_instance_type_family` of sagemaker-core 2.27.0 (the form of names that it accepts).
    """
    match = _FAMILY.fullmatch(instance)
    return match[1] if match else ""


def takes_volume(instance: str) -> bool:
    """Returns whether SageMaker lets users choose the size of the volume of a type."""
    family = instance_family(instance)
    return bool(family) and "d" not in family and not family.startswith(_OWN_DISKS)


def has_old_driver(instance: str) -> bool:
    """Returns whether the type has NVIDIA's driver 470, for CUDA 11, unless an AMI is chosen."""
    return instance_family(instance) in _DRIVER_470


def runs_ami(instance: str, ami: str) -> bool:
    """Returns whether the AMI is for the accelerator of the type: AWS Neuron's or NVIDIA's."""
    wanted = ("inf2", "trn") if "neuron" in ami else ("g", "p")
    return instance_family(instance).startswith(wanted)
