"""What the role of JumpStart's models may read, when they are many."""

from __future__ import annotations

import pytest

from centralized_ml_api.catalog.facts import ModelData
from centralized_ml_api.plan.aws.roles import JUMPSTART, LOCATION_POLICIES, build_roles
from centralized_ml_api.plan.aws.types import ArtifactLocation, ContainerPlan, ExecutionRolePlan, HostingPlan

BUCKETS = ("jumpstart-cache-prod-us-east-1", "jumpstart-private-cache-prod-us-east-1")


def role_of_models(count: int, role: str = JUMPSTART) -> ExecutionRolePlan:
    """The role of so many models, by turns from the two buckets."""
    models = [
        HostingPlan(
            name=f"m-{number}",
            container=ContainerPlan(
                image=None,
                package_arn=None,
                data=ModelData(f"s3://{BUCKETS[number % 2]}/{'k' * 60}-{number}/", "S3Prefix", "None"),
                accept_eula=False,
                environment={},
            ),
            network_isolation=False,
            instances=("ml.g5.xlarge",),
            provision_timeout_seconds=None,
            initial_count=1,
            volume_gib=None,
            download_timeout_seconds=None,
            startup_timeout_seconds=None,
            inference_ami=None,
            autoscaling=None,
            role=role,
        )
        for number in range(count)
    ]
    (built,) = build_roles(models)
    return built


def test_each_folder_is_named_while_that_takes_few_policies() -> None:
    role = role_of_models(50)
    assert sum(map(len, role.locations)) == 50
    assert 1 < len(role.locations) <= LOCATION_POLICIES


@pytest.mark.parametrize("count", [200, 300])
def test_many_models_may_read_jumpstarts_buckets_and_no_other(count: int) -> None:
    (only,) = role_of_models(count).locations
    assert only == tuple(ArtifactLocation(bucket, "") for bucket in BUCKETS)
    assert all(location.is_folder for location in only)


def test_the_buckets_of_others_are_never_read_as_a_whole() -> None:
    role = role_of_models(200, role="Container1")
    assert sum(map(len, role.locations)) == 200
    assert len(role.locations) > LOCATION_POLICIES
