"""Tables of DynamoDB: of what teams have spent, of who has joined, and of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnResource, RemovalPolicy

from centralized_ml_api.aws.constructs.resources import allow
from centralized_ml_api.plan.aws.spending import EXPIRY, OWNER_KEY, PERIOD_KEY

if TYPE_CHECKING:
    from constructs import Construct

    from centralized_ml_api.aws.constructs.resources import Statement

_COUNT = ("dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:UpdateItem")
_KEEP_JOBS = (
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
)
_JOIN = ("dynamodb:GetItem", "dynamodb:UpdateItem")


def build_table(scope: Construct, construct_id: str) -> CfnResource:
    """Builds a table that costs by what is asked of it and is deleted with its stack.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
    """
    names = (OWNER_KEY, PERIOD_KEY)
    table = CfnResource(
        scope,
        construct_id,
        type="AWS::DynamoDB::Table",
        properties={
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in names],
            "KeySchema": [
                {"AttributeName": name, "KeyType": kind}
                for name, kind in zip(names, ("HASH", "RANGE"), strict=True)
            ],
            "TimeToLiveSpecification": {"AttributeName": EXPIRY, "Enabled": True},
        },
    )
    table.apply_removal_policy(RemovalPolicy.DESTROY)
    return table


def may_count(table: CfnResource) -> Statement:
    """Allows to change single items of the table and to read them by their keys, and nothing else."""
    return allow(_COUNT, [table.get_att("Arn")])


def may_keep_jobs(table: CfnResource) -> Statement:
    """Allows to change and delete single items of the table and to read them by their keys, nothing else."""
    return allow(_KEEP_JOBS, [table.get_att("Arn")])


def may_read_names(table: CfnResource) -> Statement:
    """Allows to read who has which place, and nothing else of that item, such as the code for joining.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_dynamodb_attributes.html
    """
    condition = {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": [OWNER_KEY, PERIOD_KEY, "names", "places"]},
        "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
    }
    return allow(["dynamodb:GetItem"], [table.get_att("Arn")], condition)


def may_join(table: CfnResource) -> Statement:
    """Allows to change single items of the table and to read one, and nothing else."""
    return allow(_JOIN, [table.get_att("Arn")])
