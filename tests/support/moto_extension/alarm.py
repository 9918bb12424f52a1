"""The gap: `AWS::CloudWatch::Alarm` is skipped."""

from __future__ import annotations

from typing import ClassVar

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.common_models import CloudFormationModel

from support.moto_extension.added_resource import AddedResource, Properties


def close() -> None:
    """Defining the class is enough: moto looks for subclasses."""


class Alarm(AddedResource, CloudFormationModel):
    """An alarm on one metric; putting one under a name that exists changes it, as on AWS."""

    type_name: ClassVar[str] = "AWS::CloudWatch::Alarm"

    @classmethod
    def write(cls, name: str, properties: Properties, account_id: str, region: str) -> str:
        """Makes it."""
        cloudwatch_backends[account_id][region].put_metric_alarm(
            name=name,
            namespace=properties["Namespace"],
            metric_name=properties["MetricName"],
            comparison_operator=properties["ComparisonOperator"],
            evaluation_periods=int(properties["EvaluationPeriods"]),
            period=int(properties["Period"]),
            threshold=float(properties["Threshold"]),
            statistic=properties.get("Statistic", ""),
            extended_statistic=properties.get("ExtendedStatistic"),
            description=properties["AlarmDescription"],
            dimensions=properties.get("Dimensions", []),
            alarm_actions=properties["AlarmActions"],
            ok_actions=properties.get("OKActions", []),
            treat_missing_data=properties["TreatMissingData"],
        )
        return name

    @classmethod
    def update(
        cls, before: AddedResource, name: str, properties: Properties, account_id: str, region: str
    ) -> str:
        """It keeps its name."""
        del name
        return cls.write(before.physical_resource_id, properties, account_id, region)

    def delete(self, account_id: str, region: str) -> None:
        """Removes it."""
        cloudwatch_backends[account_id][region].delete_alarms([self.physical_resource_id])
