"""A model that may sleep: an inference component, what lets it sleep, and what wakes it.

SageMaker lets an endpoint have no instance only where it hosts inference components. Target tracking cannot
leave zero, where no copy counts calls: so an alarm on calls that found none starts the first copy.
Source: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-zero-instances.html
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from aws_cdk import CfnResource, Token
from constructs import Construct

from centralized_ml_api.aws.stack.contract import render_schedule

if TYPE_CHECKING:
    from aws_cdk import Reference

    from centralized_ml_api.plan.aws.types import CapacityChange, HostingPlan, HoursPlan
    from centralized_ml_api.plan.types import AutoscalingPlan, CopyResources

_DIMENSION = "sagemaker:inference-component:DesiredCopyCount"
_DIGITS = 10
_NAME_CHARACTERS = 52
"""What a component's name has of the entry's: with a hyphen and the digits, 63 characters."""


def build_component_name(scope: Construct, stack_name: str, entry: str, generation: str) -> str:
    """Returns a name that no other stack of the region gives a component, the same at each deploy.

    It is in lower case, as SageMaker writes ARNs, and known before the deploy: CloudFormation tells only the
    ARN of a component.

    Args:
        scope: The construct of the model.
        stack_name: That of the main stack; it may be a token.
        entry: The name of the entry.
        generation: That of its endpoint.
    """
    stack = "" if Token.is_unresolved(stack_name) else stack_name
    digest = hashlib.sha256(f"{stack}|{scope.node.path}|{generation}".encode()).hexdigest()[:_DIGITS]
    return f"{entry[:_NAME_CHARACTERS]}-{digest}"


class InferenceComponent(Construct):
    """The component of a model, on its endpoint, with its scaling."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        plan: HostingPlan,
        copy: CopyResources,
        variant: str,
        endpoint_name: str,
        model_name: Reference,
    ) -> None:
        super().__init__(scope, construct_id)
        component = CfnResource(
            self,
            "Component",
            type="AWS::SageMaker::InferenceComponent",
            properties={
                "InferenceComponentName": name,
                "EndpointName": endpoint_name,
                "VariantName": variant,
                "Specification": _specification(plan, copy, model_name),
                "RuntimeConfig": {"CopyCount": plan.initial_count},
            },
        )
        if plan.autoscaling:
            target = _build_target(self, name, plan.autoscaling, plan.hours)
            target.add_resource_dependency(component)
            _track_calls(self, target, plan.autoscaling)
            _wake_on_call(self, target, name)


def _specification(plan: HostingPlan, copy: CopyResources, model_name: Reference) -> dict[str, Any]:
    startup = {
        "ModelDataDownloadTimeoutInSeconds": plan.download_timeout_seconds,
        "ContainerStartupHealthCheckTimeoutInSeconds": plan.startup_timeout_seconds,
    }
    reserved = {
        "MinMemoryRequiredInMb": copy.memory_mb,
        "NumberOfAcceleratorDevicesRequired": copy.accelerators,
        "NumberOfCpuCoresRequired": copy.cpu_cores,
    }
    decided = {key: value for key, value in startup.items() if value is not None}
    return {
        "ModelName": model_name,
        **({"StartupParameters": decided} if decided else {}),
        "ComputeResourceRequirements": {key: value for key, value in reserved.items() if value is not None},
    }


def _build_target(scope: Construct, name: str, plan: AutoscalingPlan, hours: HoursPlan | None) -> CfnResource:
    """Builds what is scaled, within the capacity of now; scheduled actions change that with the hours.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-applicationautoscaling-scalabletarget-scheduledaction.html
    """
    capacity = hours or plan
    actions = {"ScheduledActions": [_build_action(change) for change in hours.changes]} if hours else {}
    return CfnResource(
        scope,
        "Target",
        type="AWS::ApplicationAutoScaling::ScalableTarget",
        properties={
            "ServiceNamespace": "sagemaker",
            "ScalableDimension": _DIMENSION,
            "ResourceId": f"inference-component/{name}",
            "MinCapacity": capacity.min_capacity,
            "MaxCapacity": capacity.max_capacity,
            **actions,
        },
    )


def _build_action(change: CapacityChange) -> dict[str, Any]:
    return {
        "ScheduledActionName": f"{'Wake' if change.min_capacity else 'Sleep'}{change.at:%Y%m%dT%H%M%S}",
        "Schedule": render_schedule(change.at),
        "ScalableTargetAction": {"MinCapacity": change.min_capacity, "MaxCapacity": change.max_capacity},
    }


def _track_calls(scope: Construct, target: CfnResource, plan: AutoscalingPlan) -> None:
    """Builds the policy that adds and removes copies by their calls, down to none."""
    metric = {"PredefinedMetricType": "SageMakerInferenceComponentInvocationsPerCopy"}
    CfnResource(
        scope,
        "Policy",
        type="AWS::ApplicationAutoScaling::ScalingPolicy",
        properties={
            "PolicyName": "InvocationsPerCopy",
            "PolicyType": "TargetTrackingScaling",
            "ScalingTargetId": target.ref,
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": plan.invocations_per_instance,
                "PredefinedMetricSpecification": metric,
            },
        },
    )


def _wake_on_call(scope: Construct, target: CfnResource, name: str) -> None:
    """Builds what starts a copy where a call found none: a policy, and the alarm that triggers it.

    The alarm acts in every minute in which a call found no copy, and a copy takes minutes to start. So the
    policy says how many there are to be: had it to add one, calls meanwhile would start one after another.
    The price: where more are wanted and none of them serves, one is left, until target tracking adds others.
    Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_StepScalingPolicyConfiguration.html

    A single call is enough. A minute without calls reports no data, which must not keep the alarm as it is.
    """
    wake = CfnResource(
        scope,
        "Wake",
        type="AWS::ApplicationAutoScaling::ScalingPolicy",
        properties={
            "PolicyName": "WakeOnCall",
            "PolicyType": "StepScaling",
            "ScalingTargetId": target.ref,
            "StepScalingPolicyConfiguration": {
                "AdjustmentType": "ExactCapacity",
                "MetricAggregationType": "Maximum",
                "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
            },
        },
    )
    CfnResource(
        scope,
        "Called",
        type="AWS::CloudWatch::Alarm",
        properties={
            "AlarmDescription": f"A call found {name} asleep: wakes it",
            "Namespace": "AWS/SageMaker",
            "MetricName": "NoCapacityInvocationFailures",
            "Dimensions": [{"Name": "InferenceComponentName", "Value": name}],
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "DatapointsToAlarm": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Threshold": 1,
            "TreatMissingData": "notBreaching",
            "AlarmActions": [wake.ref],
        },
    )
