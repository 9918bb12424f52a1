"""What a deploy says of the tag by which a budget counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.deploy.cost_tag import activate_cost_tag
from support.aws_wire import Answer, refusal

if TYPE_CHECKING:
    from support.aws_wire import AwsWire

ACTION = "ce.UpdateCostAllocationTagsStatus"
TAG = "centralized-ml-api:stack"


def test_the_tag_is_activated(aws: AwsWire) -> None:
    bodies: list[str] = []
    aws.spoken[ACTION] = lambda body: bodies.append(body) or Answer(200, {"Errors": []})  # type: ignore[func-returns-value]
    assert activate_cost_tag(AwsClients("eu-west-1")) == f"The budget counts what has the tag {TAG}."
    assert bodies == [f'{{"CostAllocationTagsStatus": [{{"TagKey": "{TAG}", "Status": "Active"}}]}}']


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            refusal(
                "AccessDeniedException",
                "Failed to update Cost Allocation Tag:"
                " Linked account doesn't have access to cost allocation tags.",
            ),
            "only its management account may activate",
        ),
        (
            Answer(
                200,
                {
                    "Errors": [
                        {"TagKey": TAG, "Code": "TagKeysNotFoundException", "Message": "Tag keys not found"}
                    ]
                },
            ),
            "AWS learns of the tag centralized-ml-api:stack up to a day after its first use",
        ),
        (
            refusal("AccessDeniedException", "User: me is not authorized to perform: ce:UpdateCostAlloc"),
            "until somebody activates the cost allocation tag",
        ),
    ],
    ids=["member account", "first deploy", "not permitted"],
)
def test_who_can_activate_it_is_said(answer: Answer, says: str, aws: AwsWire) -> None:
    aws.answers[ACTION] = answer
    said = activate_cost_tag(AwsClients("us-east-1"))
    assert says in said
    assert "https://console.aws.amazon.com/costmanagement/home#/tags" in said
