"""Alarms, and the topic that sends an e-mail of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnResource
from constructs import Construct

from centralized_ml_api.aws.constructs.dashboard import api_dimensions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.aws.constructs.stack_context import StackContext
    from centralized_ml_api.plan.aws.dashboard import AlarmPlan

_MINUTE = 60


class Alarms(Construct):
    """They tell `email`, which AWS asks first whether it wants that; also when it is over."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alarms: Iterable[AlarmPlan],
        email: str,
        stack_context: StackContext,
    ) -> None:
        super().__init__(scope, construct_id)
        subscription = {"Protocol": "email", "Endpoint": email}
        topic = CfnResource(
            self, "Topic", type="AWS::SNS::Topic", properties={"Subscription": [subscription]}
        )
        _build_policy(self, topic, stack_context.account)
        for alarm in alarms:
            properties = _alarm(alarm, stack_context.stack_name, topic.ref)
            CfnResource(self, alarm.id, type="AWS::CloudWatch::Alarm", properties=properties)


def _build_policy(scope: Construct, topic: CfnResource, account: str) -> CfnResource:
    """Only the account's own alarms may say something, and only over TLS.

    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
    """
    alarms = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic.ref,
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    plain = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": topic.ref,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    document = {"Version": "2012-10-17", "Statement": [alarms, plain]}
    properties = {"Topics": [topic.ref], "PolicyDocument": document}
    return CfnResource(scope, "TopicPolicy", type="AWS::SNS::TopicPolicy", properties=properties)


def _alarm(alarm: AlarmPlan, api: str, topic: str) -> dict[str, Any]:
    """No data is no trouble: nobody calls."""
    return {
        "AlarmDescription": alarm.says,
        **_metric(alarm, api),
        "Period": _MINUTE,
        "EvaluationPeriods": alarm.minutes,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": alarm.threshold,
        "TreatMissingData": "notBreaching",
        "AlarmActions": [topic],
        "OKActions": [topic],
    }


def _metric(alarm: AlarmPlan, api: str) -> dict[str, Any]:
    """Percentiles have a property of their own."""
    kind = "ExtendedStatistic" if alarm.statistic.startswith("p") else "Statistic"
    named = {"MetricName": alarm.metric, kind: alarm.statistic}
    if alarm.of == "functions":
        return {"Namespace": "AWS/Lambda", **named}
    dimensions = [{"Name": name, "Value": value} for name, value in api_dimensions(api).items()]
    return {"Namespace": "AWS/ApiGateway", "Dimensions": dimensions, **named}
