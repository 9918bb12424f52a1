"""What exists on AWS, asked of every service with boto3."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    components: dict[str, Described]
    scalable_targets: dict[str, Described]
    scaling_policies: dict[str, Described]
    functions: dict[str, Described]
    parameters: dict[str, Described]
    log_groups: dict[str, Described]
    apis: dict[str, Described]
    keys: dict[str, Described]
    usage_plans: dict[str, Described]
    schedules: dict[str, Described]
    schedule_groups: dict[str, Described]
    budgets: dict[str, Described]
    rules: dict[str, Described]
    topics: dict[str, Described]
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

    def function_of(self, part: str) -> Described:
        """The function whose generated name holds this."""
        (found,) = [one for name, one in self.functions.items() if part in name]
        return found


def take_inventory(aws: MotoServer) -> Inventory:
    """Asks for everything."""
    scaling = aws.client("application-autoscaling")
    asked = {
        "ServiceNamespace": "sagemaker",
        "MaxResults": 1000,
    }  # one page: moto repeats the second for ever
    iam = aws.client("iam")
    targets = scaling.describe_scalable_targets(**asked)["ScalableTargets"]
    policies = scaling.describe_scaling_policies(**asked)["ScalingPolicies"]
    roles = [one for one in _all(iam, "list_roles", "Roles") if not one["RoleName"].startswith("cdk-")]
    stacks = _all(aws.client("cloudformation"), "describe_stacks", "Stacks")
    return Inventory(
        **_sagemaker(aws),
        scalable_targets=_by("ResourceId", targets),
        scaling_policies=_by("ResourceId", policies),
        functions=_by("FunctionName", _all(aws.client("lambda"), "list_functions", "Functions")),
        parameters=_by("Name", _parameters(aws)),
        log_groups=_by("logGroupName", _all(aws.client("logs"), "describe_log_groups", "logGroups")),
        apis=_by("id", _all(aws.client("apigateway"), "get_rest_apis", "items")),
        **_event(aws),
        roles=_by("RoleName", roles),
        policies=_by("PolicyName", _all(iam, "list_policies", "Policies", Scope="Local")),
        stacks=_by("StackName", [one for one in stacks if one["StackName"] != "CDKToolkit"]),
    )


def count_leftovers(aws: MotoServer) -> dict[str, int]:
    """How many of each kind there are, but for the one role that outlives every stack."""
    there, kept = take_inventory(aws), logging_role(aws)
    return replace(there, roles={name: one for name, one in there.roles.items() if name != kept}).counts()


def logging_role(aws: MotoServer) -> str:
    """The role that the account's setting names, by which API Gateway writes the logs of all APIs."""
    arn: str = aws.client("apigateway").get_account().get("cloudwatchRoleArn", "")
    return arn.rpartition("/")[2]


def _all(client: Any, operation: str, key: str, **asked: Any) -> list[Described]:
    """Every item of every page."""
    return [one for page in client.get_paginator(operation).paginate(**asked) for one in page[key]]


def _parameters(aws: MotoServer) -> list[Described]:
    found = _all(aws.client("ssm"), "get_parameters_by_path", "Parameters", Path="/", Recursive=True)
    return [one for one in found if not one["Name"].startswith("/cdk-bootstrap/")]


def _by(key: str, items: list[Described]) -> dict[str, Described]:
    return {one[key]: one for one in items}


def take_paths(aws: MotoServer) -> dict[str, Described]:
    """The resources of the only API by their paths, each with its methods in full."""
    gateway = aws.client("apigateway")
    (api,) = gateway.get_rest_apis()["items"]
    items = gateway.get_resources(restApiId=api["id"], limit=500, embed=["methods"])["items"]
    return {one["path"]: one.get("resourceMethods", {}) for one in items}


def _event(aws: MotoServer) -> dict[str, dict[str, Described]]:
    """What an event has; keys and plans by their ids."""
    gateway, scheduler = aws.client("apigateway"), aws.client("scheduler")
    rules = _all(aws.client("events"), "list_rules", "Rules")
    groups = _all(scheduler, "list_schedule_groups", "ScheduleGroups")
    account = aws.client("sts").get_caller_identity()["Account"]
    named = [one["Name"] for one in _all(scheduler, "list_schedules", "Schedules")]
    return {
        "keys": _by("id", _all(gateway, "get_api_keys", "items", includeValues=True)),
        "usage_plans": _by("id", _all(gateway, "get_usage_plans", "items")),
        "schedules": {
            name: scheduler.get_schedule(Name=name) for name in named if not name.startswith("key-")
        },
        "schedule_groups": _by("Name", [one for one in groups if one["Name"] != "default"]),
        "budgets": _by("BudgetName", aws.client("budgets").describe_budgets(AccountId=account)["Budgets"]),
        "rules": {one["Name"]: {**one, "Targets": _targets(aws, one["Name"])} for one in rules},
        "topics": _by("TopicArn", _all(aws.client("sns"), "list_topics", "Topics")),
    }


def _targets(aws: MotoServer, rule: str) -> list[Described]:
    """What a rule of EventBridge tells."""
    found: list[Described] = aws.client("events").list_targets_by_rule(Rule=rule)["Targets"]
    return found


def _sagemaker(aws: MotoServer) -> dict[str, dict[str, Described]]:
    client = aws.client("sagemaker")
    return {
        "models": _described(client, "model", "Model"),
        "endpoint_configs": _described(client, "endpoint_config", "EndpointConfig"),
        "endpoints": _described(client, "endpoint", "Endpoint"),
        "components": _described(client, "inference_component", "InferenceComponent"),
    }


def _described(client: Any, kind: str, word: str) -> dict[str, Described]:
    """Everything of a kind by its name, in full."""
    names = [one[f"{word}Name"] for one in _all(client, f"list_{kind}s", f"{word}s")]
    return {name: getattr(client, f"describe_{kind}")(**{f"{word}Name": name}) for name in names}
