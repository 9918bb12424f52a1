"""Which images SageMaker can pull."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.config.ecr import EcrImage, read_ecr_image

if TYPE_CHECKING:
    from collections.abc import Callable

ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    "image",
    [
        f"{ECR}/own:1",
        f"{ECR}/team/own_model.v2",
        f"{ECR}/own@sha256:{'0' * 64}",
        f"{ECR}/own:1@sha256:{'0' * 64}",
        ECR.replace("dkr.ecr", "dkr.ecr-fips") + "/own:1",
    ],
)
def test_an_image_in_ecr_is_fine(image: str, good: dict[str, Any], problems_of: Callable[..., Any]) -> None:
    good["models"][2]["image"] = image
    assert problems_of(good, ".json", "us-east-1") == ()
    assert problems_of(good) == ()


@pytest.mark.parametrize(
    "image",
    [
        "my-image",
        "vllm/vllm-openai:latest",
        "docker.io/library/python:3.13",
        "ghcr.io/me/own:1",
        "public.ecr.aws/me/own:1",
        f"{ECR}/",
        f"{ECR}/Own:1",
        f"https://{ECR}/own:1",
        ECR.replace("123456789012", "12345678901") + "/own:1",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com.example.com/own:1",
    ],
)
def test_an_image_elsewhere_is_not(image: str, good: dict[str, Any], problems_of: Callable[..., Any]) -> None:
    good["models"][2]["image"] = image
    (problem,) = problems_of(good)
    assert (problem.id, problem.severity, problem.location.path) == ("C115", "error", "$.models[2].image")
    assert "<12 digits>.dkr.ecr.us-east-1.amazonaws.com" in problem.expected
    (there,) = problems_of(good, ".json", "us-east-1")
    assert there.id == "C115"


def test_an_image_lies_in_the_region_of_the_deployment(
    good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][2]["image"] = f"{ECR}/own:1".replace("us-east-1", "eu-west-1")
    assert problems_of(good) == (), "where no region is known"
    (problem,) = problems_of(good, ".json", "us-east-1")
    assert (problem.id, problem.location.path) == ("C116", "$.models[2].image")


def test_the_parts_of_an_address() -> None:
    assert read_ecr_image(f"{ECR}/a/b:1") == EcrImage("123456789012", "us-east-1", "a/b", ":1")
    china = read_ecr_image("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/a")
    assert china == EcrImage("123456789012", "cn-north-1", "a", "")
