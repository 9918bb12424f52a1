"""Whose an image is."""

from __future__ import annotations

import pytest

from centralized_ml_api.aws.doctor.account_checks import is_of_aws
from centralized_ml_api.config.ecr import read_ecr_image


@pytest.mark.parametrize(
    ("account", "region", "ending", "known"),
    [
        ("763104351884", "us-east-1", "", True),
        ("626614931356", "af-south-1", "", True),
        ("727897471807", "cn-north-1", ".cn", True),
        ("442386744353", "us-gov-west-1", "", True),
        ("763104351884", "af-south-1", "", False),
        ("763104351884", "mars-east-1", "", False),
    ],
)
def test_the_account_of_awss_own_images_depends_on_the_region(
    account: str, region: str, ending: str, *, known: bool
) -> None:
    image = read_ecr_image(f"{account}.dkr.ecr.{region}.amazonaws.com{ending}/vllm:1")
    assert image
    assert is_of_aws(image) is known
