"""Execution roles: one for each source of artifacts, allowed to fetch exactly what its models need. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

from centralized_ml_api.config.ecr import read_ecr_image
from centralized_ml_api.plan.aws.types import ArtifactLocation, ExecutionRolePlan, Repository
from centralized_ml_api.plan.types import ContainerModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from centralized_ml_api.plan.aws.types import ContainerPlan, HostingPlan
    from centralized_ml_api.plan.types import Origin

T = TypeVar("T")

RESOURCES_CHARACTERS = 5400
"""What a list of resources may take of the 6,144 characters of a managed policy; white space is not counted.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

ENDPOINT_ARN_CHARACTERS = 135
"""The longest ARN of an endpoint or of a function, with its quotes: both names have at most 64 characters."""

LOCATION_POLICIES = 6
"""How many policies may name what the JumpStart models read; of more models, the role reads whole buckets.

A role has at most ten managed policies. JumpStart's buckets are AWS's own: the public one is open to
everybody, the private one to whoever accepts a model's licence.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

JUMPSTART = "JumpStart"
MODEL_PACKAGE = "ModelPackage"

_DIGEST_LENGTH = 8

_ARN_CHARACTERS = 50
"""What an ARN has besides its region and names: partition, service, account, quotes."""


def divide(
    items: Iterable[T], size: Callable[[T], int], limit: int = RESOURCES_CHARACTERS
) -> tuple[tuple[T, ...], ...]:
    """Divides the items, in order, into as few lists as fit the limit, by default that of one policy.

    Args:
        items: What to divide.
        size: The characters that an item takes.
        limit: The characters that a list may take.
    """
    lists: list[list[T]] = []
    room = 0
    for item in items:
        room -= size(item)
        if room < 0:
            lists.append([])
            room = limit - size(item)
        lists[-1].append(item)
    return tuple(tuple(items) for items in lists)


def divide_endpoints(sleeping: Mapping[str, bool]) -> tuple[tuple[str, ...], ...]:
    """Divides entries, in order, into lists whose endpoints fit into one policy.

    Args:
        sleeping: By the name of each entry, whether its endpoint hosts an inference component, which has an
            ARN of its own.
    """
    return divide(sleeping, lambda name: ENDPOINT_ARN_CHARACTERS * (2 if sleeping[name] else 1))


def role_of(origin: Origin, container: ContainerPlan) -> str:
    """Returns the id of the role that runs the container.

    All JumpStart models share one: what it may read is public, or under a licence that each names itself.
    Own containers share one only where they share image repository and bucket: a container can use its
    role, so one role must never reach the artifacts of two owners.
    """
    if container.package_arn:
        return MODEL_PACKAGE
    if not isinstance(origin, ContainerModel):
        return JUMPSTART
    bucket = read_location(container.data.uri).bucket if container.data else ""
    source = f"{(container.image or '').partition('@')[0].rpartition(':')[0]} {bucket}"
    return f"Container{hashlib.sha256(source.encode()).hexdigest()[:_DIGEST_LENGTH]}"


def build_roles(models: Iterable[HostingPlan]) -> tuple[ExecutionRolePlan, ...]:
    """Builds the roles that the models need, in the order of first use."""
    by_role: dict[str, list[HostingPlan]] = {}
    for model in models:
        by_role.setdefault(model.role, []).append(model)
    return tuple(_role(role_id, hosted) for role_id, hosted in by_role.items())


def _role(role_id: str, models: Sequence[HostingPlan]) -> ExecutionRolePlan:
    containers = [model.container for model in models]
    places = tuple(dict.fromkeys(read_location(each.data.uri) for each in containers if each.data))
    lists = divide(places, _location_characters)
    if role_id == JUMPSTART and len(lists) > LOCATION_POLICIES:
        lists = (tuple(dict.fromkeys(ArtifactLocation(place.bucket, "") for place in places)),)
    repositories = (read_repository(container.image) for container in containers if container.image)
    return ExecutionRolePlan(
        role_id,
        divide(
            dict.fromkeys(repository for repository in repositories if repository), _repository_characters
        ),
        lists,
        components=any(model.copy for model in models),
    )


def _repository_characters(repository: Repository) -> int:
    return len(repository.name) + len(repository.region) + _ARN_CHARACTERS


def _location_characters(location: ArtifactLocation) -> int:
    """Returns the size of a location; a folder takes its key twice, to read and to list its objects."""
    listed = len(location.key) if location.key.endswith("/") else 0
    return len(location.bucket) + len(location.key) + listed + _ARN_CHARACTERS


def read_repository(image: str) -> Repository | None:
    """Returns the repository of an image in ECR; None for an image elsewhere, which needs no permission."""
    found = read_ecr_image(image)
    return Repository(found.account, found.region, found.repository) if found else None


def read_location(uri: str) -> ArtifactLocation:
    """Splits `s3://bucket/key` into its parts."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return ArtifactLocation(bucket, key)
