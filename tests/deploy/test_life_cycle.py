"""The whole life of a deployment, with the real CDK CLI against a simulated AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.cdk.cdk_cli import build_app_command
from support.aws_inventory import count_leftovers, logging_role, take_inventory, take_paths
from support.deployment import ROOT, STACK

if TYPE_CHECKING:
    from centralized_ml_api.aws.cdk.cdk_cli import CdkCli
    from support.aws_inventory import Inventory
    from support.deployment import Deployment

pytestmark = pytest.mark.slow

PACKAGE = "arn:aws:sagemaker:us-east-1:865070037744:model-package/mine"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
SCALING = {"min_capacity": 2, "max_capacity": 4, "invocations_per_instance": 7}
FUNCTION = {
    "code": str(ROOT / "functions/example_function"),
    "permissions": ["sagemaker:InvokeEndpoint"],
    "timeout": 20,
    "memory": 512,
    "environment": {"LOG_LEVEL": "INFO"},
}


def api(**more: Any) -> dict[str, Any]:
    """The integration `api`."""
    return {"integration": {"type": "api", **more}}


def function(**more: Any) -> dict[str, Any]:
    """The integration `lambda`."""
    return {"integration": {"type": "lambda", "properties": {**FUNCTION, **more}}}


def everything() -> dict[str, Any]:
    """A model of each source, every integration, an adopted endpoint."""
    own = {"image": IMAGE, "model_data": "s3://my-bucket/model.tar.gz", "environment": {"A": "1"}}
    return {
        "models": [
            {"name": "chat", **own, "instance": "ml.g5.2xlarge", "autoscaling": SCALING, **function()},
            {"name": "paint", "model_package_arn": PACKAGE, "instance": "ml.g5.4xlarge", **api()},
            {
                "name": "jump",
                "model_id": "tiny-model",
                "instance": "ml.g5.2xlarge",
                **api(headers=["X-Mine"]),
            },
            {"name": "pool", "image": IMAGE, "instances": ["ml.g5.2xlarge", "ml.g4dn.2xlarge"], **api()},
            {
                "name": "flow",
                "image": IMAGE,
                "instance": "ml.g5.2xlarge",
                "speaks": "openai-chat",
                "integration": {"type": "stream"},
            },
        ],
        "endpoints": [{"name": "adopted", "endpoint_name": "Their-Endpoint", **api()}],
    }


def test_every_value_of_a_config_arrives_and_nothing_is_left_afterwards(first_deployment: Deployment) -> None:
    done = first_deployment.deploy(everything())
    there = take_inventory(first_deployment.aws)
    check_models(there)
    check_scaling(there)
    check_function(first_deployment, there)
    check_stream(first_deployment, there)
    check_api(first_deployment, there)
    check_address(done.stdout, there)
    compared = first_deployment.mlapi("diff", "--json")
    assert json.loads(compared.stdout)["different"] is False, "a deployed config has no difference"
    destroyed = first_deployment.mlapi("destroy", "--yes")
    assert destroyed.returncode == 0, destroyed.stderr
    assert "Nothing billed is left." in destroyed.stdout
    assert count_leftovers(first_deployment.aws) == {}, "nothing is left, in any service"
    kept = logging_role(first_deployment.aws)
    assert kept in take_inventory(first_deployment.aws).roles, (
        "the account's setting names a role that is there"
    )


def check_models(there: Inventory) -> None:
    """Images, artifacts, environments, isolation, instances and counts."""
    chat, paint, jump, pool = (there.endpoint_of(name) for name in ("chat", "paint", "jump", "pool"))
    assert {endpoint["EndpointStatus"] for endpoint in (chat, paint, jump, pool)} == {"InService"}
    container = container_of(there, chat)
    assert (container["Image"], container["Environment"]) == (IMAGE, {"A": "1"})
    assert "s3://my-bucket/model.tar.gz" in json.dumps(container)
    assert container_of(there, paint)["ModelPackageName"] == PACKAGE
    assert there.model_of(paint)["EnableNetworkIsolation"] is True
    assert there.model_of(chat)["EnableNetworkIsolation"] is False
    assert "djl-inference" in container_of(there, jump)["Image"]
    variant = there.variant_of(chat)
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.g5.2xlarge", 2)
    assert there.variant_of(paint)["InstanceType"] == "ml.g5.4xlarge"
    assert "ml.g4dn.2xlarge" in json.dumps(there.variant_of(pool))
    role = there.roles[there.model_of(chat)["ExecutionRoleArn"].rpartition("/")[2]]
    assert "sagemaker.amazonaws.com" in json.dumps(role["AssumeRolePolicyDocument"])


def container_of(there: Inventory, endpoint: dict[str, Any]) -> dict[str, Any]:
    """The only container of the model behind an endpoint, in whichever of the two forms it was given."""
    model = there.model_of(endpoint)
    container: dict[str, Any] = model.get("PrimaryContainer") or model["Containers"][0]
    return container


def check_scaling(there: Inventory) -> None:
    """One model has a block, so one target and one policy exist."""
    endpoint = there.endpoint_of("chat")["EndpointName"]
    (target,), (policy,) = there.scalable_targets.values(), there.scaling_policies.values()
    assert target["ResourceId"].startswith(f"endpoint/{endpoint}/variant/")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 4)
    assert policy["ResourceId"] == target["ResourceId"]
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    metric = tracking["PredefinedMetricSpecification"]["PredefinedMetricType"]
    assert (tracking["TargetValue"], metric) == (7, "SageMakerVariantInvocationsPerInstance")


def check_function(deployment: Deployment, there: Inventory) -> None:
    """The function, its environment, its log group and who may invoke it."""
    made = there.function_of("Functionschat")
    assert (made["Handler"], made["Timeout"], made["MemorySize"]) == ("index.lambda_handler", 20, 512)
    variables = made["Environment"]["Variables"]
    assert variables["LOG_LEVEL"] == "INFO"
    assert variables["ENDPOINT_NAME"] == there.endpoint_of("chat")["EndpointName"]
    assert there.log_groups[made["LoggingConfig"]["LogGroup"]]["retentionInDays"] == 30
    allowed = allowed_to(deployment, integration(take_paths(deployment.aws), "/chat")["credentials"])
    assert made["FunctionArn"] in allowed, "the API may invoke it"
    own = allowed_to(deployment, made["Role"])
    assert there.endpoint_of("chat")["EndpointArn"] in own, "it may invoke its endpoint"


def check_stream(deployment: Deployment, there: Inventory) -> None:
    """The function that streams and tells of health: its models, its paths and who may invoke it."""
    made, endpoint = there.function_of("Stream"), there.endpoint_of("flow")
    assert (made["Runtime"], made["Timeout"]) == ("nodejs24.x", 900)
    known = json.loads(made["Environment"]["Variables"]["MODELS"])
    assert known["flow"] == {"endpoint": endpoint["EndpointName"], "speaks": "openai-chat", "headers": []}
    assert known["paint"] == {"endpoint": there.endpoint_of("paint")["EndpointName"]}
    assert known["adopted"] == {"endpoint": "Their-Endpoint"}
    allowed = allowed_to(deployment, made["Role"])
    for name in ("flow", "paint"):
        assert there.endpoint_of(name)["EndpointArn"] in allowed
    paths = take_paths(deployment.aws)
    assert "response-streaming-invocations" in integration(paths, "/health", "GET")["uri"]
    for path in ("/flow", "/v1/chat/completions"):
        found = integration(paths, path)
        assert f"{made['FunctionArn']}/response-streaming-invocations" in found["uri"]
        assert found["responseTransferMode"] == "STREAM"
        assert found["timeoutInMillis"] == 900_000
        assert made["FunctionArn"] in allowed_to(deployment, found["credentials"])
    assert "GET" in paths["/v1/models"]


def allowed_to(deployment: Deployment, role_arn: str) -> str:
    """Every policy of a role, as text."""
    iam, name = deployment.aws.client("iam"), role_arn.rpartition("/")[2]
    inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=name, PolicyName=item)["PolicyDocument"] for item in inline]
    for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        answer = iam.get_policy_version(PolicyArn=arn, VersionId=version)
        documents.append(answer["PolicyVersion"]["Document"])
    return json.dumps(documents)


def check_api(deployment: Deployment, there: Inventory) -> None:
    """Paths, their integrations and headers, errors with CORS, throttling, the access log."""
    gateway = deployment.aws.client("apigateway")
    ((api_id, described),) = there.apis.items()
    assert described["endpointConfiguration"]["types"] == ["REGIONAL"]
    assert "image/*" in described["binaryMediaTypes"]
    paths = take_paths(deployment.aws)
    assert {"/chat", "/paint", "/jump", "/pool", "/adopted"} <= set(paths)
    assert {"POST", "OPTIONS", "ANY"} <= set(paths["/chat"])
    made = there.function_of("Functionschat")["FunctionName"]
    assert f"function:{made}" in integration(paths, "/chat")["uri"]
    endpoint = there.endpoint_of("paint")["EndpointName"]
    assert integration(paths, "/paint")["uri"].endswith(f"endpoints/{endpoint}/invocations")
    assert integration(paths, "/adopted")["uri"].endswith("endpoints/Their-Endpoint/invocations")
    assert "X-Mine" in json.dumps(integration(paths, "/jump")["requestParameters"])
    responses = gateway.get_gateway_responses(restApiId=api_id)["items"]
    errors = {response["responseType"]: json.dumps(response).lower() for response in responses}
    assert all("access-control-allow-origin" in error for error in errors.values())
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "MISSING_AUTHENTICATION_TOKEN"} <= set(errors)
    (stage,) = gateway.get_stages(restApiId=api_id)["item"]
    settings = stage["methodSettings"]["*/*"]
    assert (stage["stageName"], settings["throttlingRateLimit"], settings["throttlingBurstLimit"]) == (
        "prod",
        100.0,
        200,
    )
    log_group = stage["accessLogSettings"]["destinationArn"].rpartition(":")[2]
    assert there.log_groups[log_group]["retentionInDays"] == 30


def integration(paths: dict[str, dict[str, Any]], path: str, method: str = "POST") -> dict[str, Any]:
    """What the method of the path leads to."""
    found: dict[str, Any] = paths[path][method]["methodIntegration"]
    return found


def check_address(printed: str, there: Inventory) -> None:
    """The output under the original's name, the address of the only API."""
    ((api_id, _),) = there.apis.items()
    assert printed == f"{STACK}.MyApiEndpoint = https://{api_id}.execute-api.us-east-1.amazonaws.com/prod/\n"


def test_the_documented_commands_deploy_the_default_config(first_deployment: Deployment, cdk: CdkCli) -> None:
    """`cdk bootstrap`, `deploy`, `diff`, `destroy` by hand, with the validator, the snapshot and no flags."""
    app = [
        "--app",
        cdk_app(),
        "-c",
        "offline=true",
        "--no-notices",
        "--output",
        str(first_deployment.folder / "out"),
    ]

    def run(*arguments: str) -> str:
        more = {"CDK_VALIDATION": "true", "MLAPI_JUMPSTART_MIRROR": "", **cdk_environment(cdk)}
        done = first_deployment.run(cdk.command(list(arguments)), **more)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    run("bootstrap", "aws://123456789012/us-east-1", *app)
    said = run("deploy", *app, "--require-approval", "never", "--method", "direct")
    assert f"{STACK}.MyApiEndpoint = https://" in said
    assert "snapshot" in said, "it says where the facts of the JumpStart model come from"
    there = take_inventory(first_deployment.aws)
    assert {"/open-llama", "/sd-1-0"} <= set(take_paths(first_deployment.aws))
    assert "pytorch" in container_of(there, there.endpoint_of("open-llama"))["Image"]
    assert "Number of stacks with differences: 0" in run("diff", *app, "--fail")
    run("destroy", *app, "--force")
    assert count_leftovers(first_deployment.aws) == {}


def cdk_app() -> str:
    """The app with this very Python: `python` of cdk.json is that of the activated environment."""
    return build_app_command("app.py")


def cdk_environment(cdk: CdkCli) -> dict[str, str]:
    """The Node of the wheel, as the activated environment has it."""
    ours = cdk.environment()
    return {key: ours[key] for key in ("PATH", "JSII_NODE", "CDK_DISABLE_CLI_TELEMETRY")}
