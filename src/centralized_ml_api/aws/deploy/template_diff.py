"""Predicts what an update would do to a deployed stack, from its template and the new one. Pure.

CloudFormation compares values, not texts: whatever refers to a replaced resource changes too. This follows
such references, so that "the model's image changes" becomes "the model and its endpoint configuration are
replaced, the endpoint moves to the new configuration".
"""

from __future__ import annotations

import graphlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

Action = Literal["add", "update", "replace", "remove"]
Resource = dict[str, Any]
Resources = dict[str, Resource]

_SUBSTITUTED = re.compile(r"\$\{([^!.}]+)")
_OTHER = ("Condition", "DeletionPolicy", "UpdateReplacePolicy", "UpdatePolicy")


REPLACING: Mapping[str, frozenset[str]] = {
    "AWS::ApiGateway::ApiKey": frozenset({"GenerateDistinctId", "Name", "Value"}),
    "AWS::ApiGateway::Deployment": frozenset({"RestApiId", "DeploymentCanarySettings"}),
    "AWS::ApiGateway::RestApi": frozenset(),
    "AWS::ApiGateway::Stage": frozenset({"RestApiId", "StageName"}),
    "AWS::ApiGateway::UsagePlan": frozenset(),
    "AWS::ApiGateway::UsagePlanKey": frozenset({"KeyId", "KeyType", "UsagePlanId"}),
    "AWS::ApplicationAutoScaling::ScalableTarget": frozenset(
        {"ResourceId", "ScalableDimension", "ServiceNamespace"}
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": frozenset(
        {"PolicyName", "ResourceId", "ScalableDimension", "ScalingTargetId", "ServiceNamespace"}
    ),
    "AWS::CloudFormation::Stack": frozenset(),
    "AWS::IAM::ManagedPolicy": frozenset({"Description", "ManagedPolicyName", "Path"}),
    "AWS::IAM::Policy": frozenset(),
    "AWS::IAM::Role": frozenset({"Path", "RoleName"}),
    "AWS::Lambda::Function": frozenset({"FunctionName", "PackageType", "TenancyConfig"}),
    "AWS::Lambda::Permission": frozenset(
        {
            "Action",
            "EventSourceToken",
            "FunctionName",
            "FunctionUrlAuthType",
            "InvokedViaFunctionUrl",
            "Principal",
            "PrincipalOrgID",
            "SourceAccount",
            "SourceArn",
        }
    ),
    "AWS::Logs::LogGroup": frozenset({"LogGroupName"}),
    "AWS::SageMaker::Endpoint": frozenset({"EndpointName"}),
    "AWS::SageMaker::EndpointConfig": frozenset(
        {
            "AsyncInferenceConfig",
            "DataCaptureConfig",
            "EnableNetworkIsolation",
            "EndpointConfigName",
            "ExecutionRoleArn",
            "ExplainerConfig",
            "KmsKeyId",
            "MetricsConfig",
            "ProductionVariants",
            "ShadowProductionVariants",
            "VpcConfig",
        }
    ),
    "AWS::SageMaker::InferenceComponent": frozenset(),
    "AWS::SageMaker::Model": frozenset(
        {
            "Containers",
            "EnableNetworkIsolation",
            "ExecutionRoleArn",
            "InferenceExecutionConfig",
            "ModelName",
            "PrimaryContainer",
            "VpcConfig",
        }
    ),
}
"""For each type, the properties whose change makes CloudFormation replace the resource.

A replaced resource is made anew beside the old one, which is then deleted.
Source: the "Update requires: Replacement" of each property, as in
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-template-resource-type-ref.html; a test
compares this table with the copy of that data that the CDK CLI carries.
"""


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one resource; `because` names the properties that change, sorted.

    `name` is its path in the app if the template has one, else its logical id.
    """

    logical_id: str
    name: str
    type: str
    action: Action
    because: tuple[str, ...] = ()


def compare_templates(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """Returns every resource that an update from `old` to `new` touches, in the order of the update.

    Args:
        old: The deployed template; empty for a stack that does not exist.
        new: The template to deploy.
    """
    before: Resources = old.get("Resources", {})
    after: Resources = new.get("Resources", {})
    changes: list[Change] = []
    renewed = {name for name in before if name not in after}
    for logical_id in creation_order(after):
        change = _compare(logical_id, before.get(logical_id), after[logical_id], renewed)
        if change:
            changes.append(change)
        if change and change.action == "replace":
            renewed.add(logical_id)
    gone = [logical_id for logical_id in reversed(creation_order(before)) if logical_id not in after]
    return (*changes, *(_change(logical_id, before[logical_id], "remove") for logical_id in gone))


def creation_order(resources: Resources) -> list[str]:
    """Returns every logical id after those that its resource refers to, otherwise in the template's order."""
    return list(graphlib.TopologicalSorter(dependencies(resources)).static_order())


def dependencies(resources: Resources) -> dict[str, list[str]]:
    """Returns for each logical id those that its resource refers to, which CloudFormation makes before it."""
    return {
        name: [other for other in references(resource) if other in resources and other != name]
        for name, resource in resources.items()
    }


def is_replaced(resource_type: str, changed: Collection[str]) -> bool:
    """Returns whether a change of these properties replaces a resource; types without a row never are."""
    return not REPLACING.get(resource_type, frozenset()).isdisjoint(changed)


def _compare(logical_id: str, old: Resource | None, new: Resource, renewed: set[str]) -> Change | None:
    if old is None:
        return _change(logical_id, new, "add")
    because = _changed(old, new, renewed)
    if old["Type"] != new["Type"]:
        return _change(logical_id, new, "replace", ("Type",))
    if not because:
        return None
    action: Action = "replace" if is_replaced(new["Type"], because) else "update"
    return _change(logical_id, new, action, tuple(sorted(because)))


def _changed(old: Resource, new: Resource, renewed: set[str]) -> set[str]:
    """Returns the properties whose text changes, or whose text refers to a resource that is made anew."""
    before, after = old.get("Properties", {}), new.get("Properties", {})
    changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    changed |= {key for key, value in after.items() if not renewed.isdisjoint(references(value))}
    return changed | {key for key in _OTHER if old.get(key) != new.get(key)}


def _change(logical_id: str, resource: Resource, action: Action, because: tuple[str, ...] = ()) -> Change:
    path = resource.get("Metadata", {}).get("aws:cdk:path", logical_id)
    name = path.partition("/")[2].removesuffix("/Resource") or path
    return Change(logical_id, name, resource["Type"], action, because)


def references(value: Any) -> Iterator[str]:
    """Yields whatever a value refers to by `Ref`, `Fn::GetAtt`, `Fn::Sub` or `DependsOn`."""
    if isinstance(value, list):
        for inner in value:
            yield from references(inner)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _references_by(key, inner)


def _references_by(key: str, value: Any) -> Iterator[str]:
    match key, value:
        case ("Ref" | "DependsOn", str()):
            yield value
        case ("DependsOn", list()):
            yield from value
        case ("Fn::GetAtt", [str() as name, *_]):
            yield name
        case ("Fn::GetAtt", str()):
            yield value.partition(".")[0]
        case ("Fn::Sub", str()):
            yield from _SUBSTITUTED.findall(value)
        case _:
            yield from references(value)
