"""What the name of an instance type says."""

from __future__ import annotations

import botocore.session
import pytest

from centralized_ml_api.instance_types import (
    CUDA_12_AMI,
    INFERENCE_AMIS,
    has_old_driver,
    instance_family,
    runs_ami,
    takes_volume,
)


@pytest.mark.parametrize(
    ("instance", "family"),
    [
        ("ml.g5.2xlarge", "g5"),
        ("ml.p6-b200.48xlarge", "p6-b200"),
        ("ml_g5", "g5"),
        ("ml.trn1.2xlarge", "trn1"),
        ("g5.2xlarge", ""),
        ("ml.G5.2xlarge", ""),
        ("ml.g5.2x-large", ""),
        ("", ""),
    ],
)
def test_rule_8_the_family_of_an_instance_type(instance: str, family: str) -> None:
    assert instance_family(instance) == family


@pytest.mark.parametrize(
    ("family", "allowed"),
    [
        ("p3", True),
        ("m5", True),
        ("inf2", True),
        ("g4dn", False),
        ("p4d", False),
        ("p4de", False),
        ("p3dn", False),
        ("c5d", False),
        ("g5", False),
        ("g6", False),
        ("g6e", False),
        ("g7e", False),
        ("p5", False),
        ("p5en", False),
        ("p6-b200", False),
        ("trn1", False),
        ("trn2", False),
    ],
)
def test_rule_18_volumes_only_where_there_are_no_disks(family: str, *, allowed: bool) -> None:
    assert takes_volume(f"ml.{family}.2xlarge") is allowed


@pytest.mark.parametrize(
    ("instance", "old"),
    [
        ("ml.g4dn.xlarge", True),
        ("ml.g5.2xlarge", True),
        ("ml.p4d.24xlarge", True),
        ("ml.p4de.24xlarge", True),
        ("ml.g6.2xlarge", False),
        ("ml.g5g.2xlarge", False),
        ("ml.p5.48xlarge", False),
        ("ml.m5.large", False),
    ],
)
def test_older_gpu_types_have_the_driver_for_cuda_11(instance: str, *, old: bool) -> None:
    assert has_old_driver(instance) is old


def test_an_ami_is_for_one_kind_of_accelerator() -> None:
    neuron = "al2-ami-sagemaker-inference-neuron-2"
    assert [runs_ami("ml.g5.xlarge", ami) for ami in (CUDA_12_AMI, neuron)] == [True, False]
    assert [runs_ami("ml.p5.48xlarge", ami) for ami in (CUDA_12_AMI, neuron)] == [True, False]
    assert [runs_ami("ml.inf2.xlarge", ami) for ami in (CUDA_12_AMI, neuron)] == [False, True]
    assert [runs_ami("ml.trn1.2xlarge", ami) for ami in (CUDA_12_AMI, neuron)] == [False, True]
    assert [runs_ami("ml.m5.large", ami) for ami in (CUDA_12_AMI, neuron)] == [False, False]


def test_the_amis_are_those_of_the_api() -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    members = model.shape_for("ProductionVariant").members
    assert tuple(members["InferenceAmiVersion"].enum) == INFERENCE_AMIS
