"""GPU drivers, volumes and AMIs, by instance type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

GPU = "al2-ami-sagemaker-inference-gpu-3-1"
NEURON = "al2-ami-sagemaker-inference-neuron-2"


@pytest.mark.parametrize(
    ("keys", "ids"),
    [
        ({"instances": ["ml.g6.2xlarge", "ml.g5.2xlarge"]}, ["C117"]),
        ({"instances": ["ml.g4dn.xlarge"]}, ["C117"]),
        ({"instances": ["ml.g5.2xlarge"], "inference_ami": GPU}, []),
        ({"instances": ["ml.g6.2xlarge"]}, []),
        ({"instances": ["ml.m5.large"]}, []),
        ({"instances": ["ml.c5.xlarge"], "volume_gib": 512}, []),
        ({"instances": ["ml.c5.xlarge", "ml.g6.xlarge"], "volume_gib": 100}, ["C118"]),
        ({"instances": ["ml.inf2.xlarge"], "inference_ami": GPU}, ["C119"]),
        ({"instances": ["ml.inf2.xlarge"], "inference_ami": NEURON}, []),
        ({"instances": ["ml.c5.xlarge"], "inference_ami": GPU}, ["C119"]),
        ({"volume_gib": 0}, ["C118", "C014"]),
        ({"startup_timeout": 59}, ["C014"]),
        ({"startup_timeout": 3601}, ["C014"]),
        ({"startup_timeout": 60, "download_timeout": 3600}, []),
        ({"inference_ami": "al2-gpu"}, ["C013"]),
    ],
)
def test_what_runs_on_which_type(
    keys: dict[str, Any], ids: list[str], good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][2] |= keys
    assert [problem.id for problem in problems_of(good)] == ids


def test_an_old_driver_is_a_warning_with_its_fix_and_only_for_own_images(
    good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][2]["instances"] = ["ml.g5.2xlarge"]
    (warning,) = problems_of(good)
    assert (warning.severity, warning.location.path) == ("warning", "$.models[2].instances[0]")
    assert warning.fix == f'add "inference_ami": "{GPU}"'
