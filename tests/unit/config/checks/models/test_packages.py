"""Which ARNs of model packages are accepted, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/my-package"


@pytest.mark.parametrize(
    "arn",
    [
        ARN,
        f"{ARN}/3",
        ARN.replace("arn:aws:", "arn:aws-us-gov:"),
        ARN.replace("us-east-1", "ap-southeast-2"),
    ],
)
def test_the_arn_of_a_package_is_fine_where_no_region_is_known(
    arn: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][1]["model_package_arn"] = arn
    assert problems_of(good) == ()


@pytest.mark.parametrize(
    ("arn", "placeholders"),
    [
        (ARN.replace("123456789012", "<ACCOUNT>"), "<ACCOUNT>"),
        (ARN.replace("123456789012", "${ACCOUNT}"), "${ACCOUNT}"),
        (ARN.replace("my-package", "YOUR_PACKAGE"), "YOUR_PACKAGE"),
        (ARN.replace("123456789012", "XXX"), "XXX"),
        (ARN.replace("123456789012", "<A>").replace("my-package", "<B>"), "<A> and <B>"),
    ],
)
def test_placeholders_are_named_and_are_the_only_problem(
    arn: str, placeholders: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][1]["model_package_arn"] = arn
    (problem,) = problems_of(good, ".json", "us-east-1")
    assert (problem.id, problem.found) == ("C108", f'{placeholders} in "{arn}"')


@pytest.mark.parametrize(
    ("arn", "fix"),
    [
        (ARN.replace(":123456789012", ""), "copy the whole ARN from the console"),
        (ARN.replace("123456789012", "12345678901"), "copy the whole ARN from the console"),
        (ARN.replace("sagemaker", "s3"), "copy the whole ARN from the console"),
        (f"{ARN}/latest", "copy the whole ARN from the console"),
        ("open-llama", 'use "model_id" for a JumpStart id'),
    ],
)
def test_any_other_text_is_refused_once(
    arn: str, fix: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][1]["model_package_arn"] = arn
    del good["models"][2]  # its image lies in another region
    (problem,) = problems_of(good, ".json", "eu-west-1")
    assert (problem.id, problem.fix) == ("C109", fix)


def test_a_package_lies_in_the_region_of_the_deployment(
    good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][1]["model_package_arn"] = ARN
    assert problems_of(good, ".json", "us-east-1") == ()
    del good["models"][2]  # its image lies in another region
    (problem,) = problems_of(good, ".json", "eu-west-1")
    assert (problem.id, problem.fix) == (
        "C110",
        "copy the ARN for eu-west-1 from the console, or deploy to us-east-1",
    )
