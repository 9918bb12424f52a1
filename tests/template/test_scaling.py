from __future__ import annotations

from typing import TYPE_CHECKING

from support.synthesis import model

if TYPE_CHECKING:
    from support.synthesis import Deploys

SCALING = {"min_capacity": 2, "max_capacity": 4, "invocations_per_instance": 7}
TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
ENDPOINT = "AWS::SageMaker::Endpoint"


def test_without_the_block_there_is_one_instance_and_nothing_scales(template_of: Deploys) -> None:
    template = template_of(model())
    (variant,) = template.only("AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    assert variant["InitialInstanceCount"] == 1
    assert not template.of_type(TARGET)
    assert not template.of_type(POLICY)


def test_the_block_gives_range_start_and_target(template_of: Deploys) -> None:
    template = template_of(model(autoscaling=SCALING))
    (variant,) = template.only("AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    assert variant["InitialInstanceCount"] == 2
    target, policy = template.only(TARGET), template.only(POLICY)
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 4)
    assert target["ScalableDimension"] == "sagemaker:variant:DesiredInstanceCount"
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["TargetValue"] == 7
    metric = tracking["PredefinedMetricSpecification"]["PredefinedMetricType"]
    assert metric == "SageMakerVariantInvocationsPerInstance"


def test_the_target_waits_for_its_endpoint(template_of: Deploys) -> None:
    template = template_of(model(autoscaling=SCALING))
    named = {"Fn::GetAtt": [template.id_of(ENDPOINT), "EndpointName"]}
    assert template.only(TARGET)["ResourceId"]["Fn::Join"][1] == ["endpoint/", named, "/variant/AllTraffic"]


def test_an_update_keeps_the_count_that_a_scaled_endpoint_has_reached(template_of: Deploys) -> None:
    endpoint = template_of(model(autoscaling=SCALING)).only(ENDPOINT)
    assert endpoint["RetainAllVariantProperties"] is True
    assert "DesiredInstanceCount" not in str(endpoint["ExcludeRetainedVariantProperties"])


def test_an_update_gives_an_unscaled_endpoint_the_count_of_the_config(template_of: Deploys) -> None:
    endpoint = template_of(model()).only(ENDPOINT)
    assert {"VariantPropertyType": "DesiredInstanceCount"} in endpoint["ExcludeRetainedVariantProperties"]
