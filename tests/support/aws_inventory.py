"""What exists on AWS, asked of every service with boto3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from support.moto_server import MotoServer

Described = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Inventory:
    """Every resource by its name; what `cdk bootstrap` made is left out."""

    models: dict[str, Described]
    endpoint_configs: dict[str, Described]
    endpoints: dict[str, Described]
    scalable_targets: dict[str, Described]
    scaling_policies: dict[str, Described]
    functions: dict[str, Described]
    log_groups: dict[str, Described]
    apis: dict[str, Described]
    roles: dict[str, Described]
    policies: dict[str, Described]
    stacks: dict[str, Described]

    def counts(self) -> dict[str, int]:
        """How many of each kind there are, kinds without any left out."""
        kinds = {name: len(getattr(self, name)) for name in self.__slots__}
        return {name: count for name, count in kinds.items() if count}

    def config_of(self, endpoint: Described) -> Described:
        """The configuration that an endpoint is on."""
        return self.endpoint_configs[endpoint["EndpointConfigName"]]

    def variant_of(self, endpoint: Described) -> Described:
        """The only production variant of an endpoint."""
        (variant,) = self.config_of(endpoint)["ProductionVariants"]
        found: Described = variant
        return found

    def model_of(self, endpoint: Described) -> Described:
        """The model behind an endpoint."""
        return self.models[self.variant_of(endpoint)["ModelName"]]

    def endpoint_of(self, name: str) -> Described:
        """The endpoint of an entry: its generated name holds the entry's, without hyphens."""
        part = f"models{name.replace('-', '')}endpoint"
        (found,) = [one for key, one in self.endpoints.items() if part in key.lower()]
        return found


def take_inventory(aws: MotoServer) -> Inventory:
    """Asks for everything."""
    scaling = aws.client("application-autoscaling")
    iam = aws.client("iam")
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    roles = [one for one in iam.list_roles()["Roles"] if not one["RoleName"].startswith("cdk-")]
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
    return Inventory(
        **_sagemaker(aws),
        scalable_targets={one["ResourceId"]: one for one in targets},
        scaling_policies={one["ResourceId"]: one for one in policies},
        functions={one["FunctionName"]: one for one in aws.client("lambda").list_functions()["Functions"]},
        log_groups={
            one["logGroupName"]: one for one in aws.client("logs").describe_log_groups()["logGroups"]
        },
        apis={one["id"]: one for one in aws.client("apigateway").get_rest_apis()["items"]},
        roles={one["RoleName"]: one for one in roles},
        policies={one["PolicyName"]: one for one in iam.list_policies(Scope="Local")["Policies"]},
        stacks={one["StackName"]: one for one in stacks if one["StackName"] != "CDKToolkit"},
    )


def take_paths(aws: MotoServer) -> dict[str, Described]:
    """The resources of the only API by their paths, each with its methods in full."""
    gateway = aws.client("apigateway")
    (api,) = gateway.get_rest_apis()["items"]
    items = gateway.get_resources(restApiId=api["id"], limit=500, embed=["methods"])["items"]
    return {one["path"]: one.get("resourceMethods", {}) for one in items}


def _sagemaker(aws: MotoServer) -> dict[str, dict[str, Described]]:
    sagemaker = aws.client("sagemaker")
    models = [one["ModelName"] for one in sagemaker.list_models()["Models"]]
    configs = [one["EndpointConfigName"] for one in sagemaker.list_endpoint_configs()["EndpointConfigs"]]
    endpoints = [one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]]
    return {
        "models": {name: sagemaker.describe_model(ModelName=name) for name in models},
        "endpoint_configs": {
            name: sagemaker.describe_endpoint_config(EndpointConfigName=name) for name in configs
        },
        "endpoints": {name: sagemaker.describe_endpoint(EndpointName=name) for name in endpoints},
    }
