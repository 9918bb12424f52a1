"""What the simulated organization demands, a resource at a time."""

from __future__ import annotations

from typing import Any

import pytest

from support.moto_extension.organization import is_allowed

BOUNDARY = "arn:aws:iam::123456789012:policy/Boundary"
DEMANDS = {"boundary": BOUNDARY, "tags": ["CostCenter"], "private": True, "vpc": True}
TAGS = {"CostCenter": "1234"}
VPC = {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "SubnetIds": ["subnet-1"]}}
ROLE, FUNCTION, MODEL, API = (
    *("AWS::IAM::Role", "AWS::Lambda::Function"),
    *("AWS::SageMaker::Model", "AWS::ApiGateway::RestApi"),
)
PRIVATE = {"EndpointConfiguration": {"Types": ["PRIVATE"]}}


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        (ROLE, {"PermissionsBoundary": BOUNDARY}),
        (FUNCTION, VPC),
        (MODEL, VPC),
        (API, PRIVATE),
        ("AWS::SageMaker::Endpoint", {}),
    ],
)
def test_what_has_all_of_it_may_be_created_and_without_tags_nothing(
    kind: str, properties: dict[str, Any]
) -> None:
    assert is_allowed(kind, properties, TAGS, DEMANDS)
    assert not is_allowed(kind, properties, {"Owner": "me"}, DEMANDS)
    assert is_allowed(kind, {}, {}, {}), "another account demands nothing"


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        (ROLE, {}),
        (ROLE, {"PermissionsBoundary": "arn:aws:iam::123456789012:policy/Other"}),
        (FUNCTION, {}),
        (MODEL, {}),
        (API, {}),
        (API, {"EndpointConfiguration": {"Types": ["REGIONAL"]}}),
    ],
)
def test_what_lacks_boundary_network_or_privacy_may_not(kind: str, properties: dict[str, Any]) -> None:
    assert not is_allowed(kind, properties, TAGS, DEMANDS)


def test_what_has_no_tags_is_not_asked_for_them() -> None:
    assert is_allowed("AWS::ApiGateway::Deployment", {}, {}, DEMANDS)
