"""The gap: `AWS::S3::BucketPolicy` is skipped (the bootstrap stack has one).

It is only noted: moto applies a policy without its conditions, so that the bootstrap stack's own, which
denies calls without TLS, would deny every call.
"""

from __future__ import annotations

from typing import ClassVar

from moto.core.common_models import CloudFormationModel

from support.moto_extension.added_resource import AddedResource, Properties


def close() -> None:
    """Defining the class is enough: moto looks for subclasses."""


class BucketPolicy(AddedResource, CloudFormationModel):
    """The policy of one bucket; its physical id is the bucket's name."""

    type_name: ClassVar[str] = "AWS::S3::BucketPolicy"

    @classmethod
    def write(cls, name: str, properties: Properties, account_id: str, region: str) -> str:
        """Changes nothing."""
        del name, account_id, region
        return str(properties["Bucket"])
