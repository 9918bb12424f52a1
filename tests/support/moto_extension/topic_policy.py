"""The gap: `AWS::SNS::TopicPolicy` is skipped."""

from __future__ import annotations

import json
from typing import ClassVar

from moto.core.common_models import CloudFormationModel
from moto.sns.models import sns_backends

from support.moto_extension.added_resource import AddedResource, Properties


def close() -> None:
    """Defining the class is enough: moto looks for subclasses."""


class TopicPolicy(AddedResource, CloudFormationModel):
    """The policy of topics; it goes with them."""

    type_name: ClassVar[str] = "AWS::SNS::TopicPolicy"

    @classmethod
    def write(cls, name: str, properties: Properties, account_id: str, region: str) -> str:
        """Gives it to each."""
        for arn in properties["Topics"]:
            topic = sns_backends[account_id][region].get_topic(arn)
            topic.policy = json.dumps(properties["PolicyDocument"])
        return name
