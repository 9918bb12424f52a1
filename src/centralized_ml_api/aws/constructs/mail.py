"""How the organizer is told by e-mail: one topic, and who may publish to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnResource

if TYPE_CHECKING:
    from constructs import Construct


def build_topic(scope: Construct, construct_id: str, email: str) -> CfnResource:
    """Builds a topic that sends its messages to an address. AWS first asks the address to confirm.

    Args:
        scope: The construct that holds it.
        construct_id: Its id there.
        email: The address.
    """
    properties = {"Subscription": [{"Protocol": "email", "Endpoint": email}]}
    return CfnResource(scope, construct_id, type="AWS::SNS::Topic", properties=properties)


def build_topic_policy(
    scope: Construct, construct_id: str, *, topic: CfnResource, account: str, rule: CfnResource | None
) -> CfnResource:
    """Lets only the account's own alarms publish, and a rule of EventBridge, and only over TLS.

    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
    and https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html

    Args:
        scope: The construct that holds it.
        construct_id: Its id there.
        topic: The topic.
        account: The account's twelve digits.
        rule: The rule, None where there is none.
    """
    publishers: list[tuple[str, dict[str, Any]]] = [
        ("cloudwatch.amazonaws.com", {"StringEquals": {"aws:SourceAccount": account}})
    ]
    if rule:
        publishers.append(("events.amazonaws.com", {"ArnEquals": {"aws:SourceArn": rule.get_att("Arn")}}))
    allowed = [
        {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sns:Publish",
            "Resource": topic.ref,
            "Condition": condition,
        }
        for service, condition in publishers
    ]
    plain = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": topic.ref,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    document = {"Version": "2012-10-17", "Statement": [*allowed, plain]}
    properties = {"Topics": [topic.ref], "PolicyDocument": document}
    return CfnResource(scope, construct_id, type="AWS::SNS::TopicPolicy", properties=properties)
