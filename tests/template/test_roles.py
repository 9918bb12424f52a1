"""What each role may do. A `*` that is not in the list below fails the build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.aws.stack.contract import STACK_TAG
from centralized_ml_api.catalog.facts import ModelData
from support.synthesis import (
    BUCKET,
    STACK,
    Template,
    build_facts,
    container,
    function,
    model,
    package,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.synthesis import Deploys

EVERYTHING_ALLOWED = {
    "ecr:GetAuthorizationToken": "AWS has no resource for it: it gives a token for the own account's log-in",
    "cloudwatch:PutMetricData": "AWS has no resource for it; a condition names SageMaker's namespaces",
}
"""Actions that may be allowed on `*`, and why."""

PREFIX_ALLOWED = {
    "s3:GetObject": "the objects of a folder of artifacts, whose names nobody knows",
    "logs:CreateLogGroup logs:CreateLogStream logs:DescribeLogStreams logs:PutLogEvents": (
        "SageMaker names the log group after the endpoint, below /aws/sagemaker/Endpoints/"
    ),
    "apigateway:PATCH": "keys have names that API Gateway makes; a condition names the stack's keys",
}
"""Actions that may be allowed on everything below a prefix, and why."""

MANAGED_ALLOWED = {
    "AmazonAPIGatewayPushToCloudWatchLogs": "what API Gateway demands of the account's role for logs"
}

DOCUMENTS = ("/", "/models", "/openapi.json")
"""What the API itself reads from S3."""


def statements(template: Template) -> Iterator[dict[str, Any]]:
    """Every statement of every policy, inline or managed."""
    for role in template.of_type("AWS::IAM::Role"):
        for policy in role.get("Policies", []):
            yield from policy["PolicyDocument"]["Statement"]
    for kind in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
        for policy in template.of_type(kind):
            yield from policy["PolicyDocument"]["Statement"]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text_of(resource: Any) -> str:
    """A resource as text; what only CloudFormation knows is `?`."""
    if isinstance(resource, str):
        return resource
    if "Fn::Join" in resource:
        return "".join(text_of(part) for part in resource["Fn::Join"][1])
    return "?"


def every_feature(template_of: Deploys) -> Template:
    gated = build_facts(model_data=ModelData(f"s3://{BUCKET}/tiny/", "S3Prefix", "None"))
    adopted = {"name": "old", "integration": {"type": "api"}}
    return template_of(
        model("direct"), model("through", integration=function()), package(), container(),
        package("streamed", integration={"type": "stream"}),
        facts=gated, endpoints=[adopted], event={"teams": [{"name": "red", "models": ["direct"]}]},
    )  # fmt: skip


def test_no_action_is_allowed_on_everything_without_a_reason(template_of: Deploys) -> None:
    allowed = [
        action
        for statement in statements(every_feature(template_of))
        if "*" in [text_of(item) for item in listed(statement["Resource"])]
        for action in listed(statement["Action"])
    ]
    assert set(allowed) == set(EVERYTHING_ALLOWED)


def test_no_action_is_allowed_below_a_prefix_without_a_reason(template_of: Deploys) -> None:
    allowed = [
        " ".join(listed(statement["Action"]))
        for statement in statements(every_feature(template_of))
        if any("*" in text_of(item) for item in listed(statement["Resource"]) if text_of(item) != "*")
    ]
    assert set(allowed) == set(PREFIX_ALLOWED)


def test_keys_are_changed_in_this_stack_alone_and_otherwise_only_listed(template_of: Deploys) -> None:
    """A list cannot be limited by tags (ADR 0024); without lists of models, nobody may read one."""
    template = every_feature(template_of)
    by_action = {
        statement["Action"]: statement
        for statement in statements(template)
        if any("/apikeys" in text_of(where) for where in listed(statement["Resource"]))
    }
    changed, read = by_action.pop("apigateway:PATCH"), by_action.pop("apigateway:GET")
    assert by_action == {}
    assert changed["Condition"] == {"StringEquals": {f"aws:ResourceTag/{STACK_TAG}": STACK}}
    assert [text_of(where).rpartition("::")[2] for where in listed(read["Resource"])] == ["/apikeys"]


def test_no_action_is_a_pattern(template_of: Deploys) -> None:
    actions = [
        action
        for statement in statements(every_feature(template_of))
        for action in listed(statement["Action"])
    ]
    assert "sagemaker:InvokeEndpoint" in actions
    assert not [action for action in actions if "*" in action]


def test_no_policy_of_aws_is_attached_but_the_one_that_api_gateway_demands(template_of: Deploys) -> None:
    policies = [
        text_of(item)
        for role in every_feature(template_of).of_type("AWS::IAM::Role")
        for item in role.get("ManagedPolicyArns", [])
    ]
    of_aws = {policy.rpartition("/")[2] for policy in policies if ":aws:policy" in policy}
    assert of_aws == set(MANAGED_ALLOWED)


def test_the_metrics_are_limited_to_sagemakers_namespaces(template_of: Deploys) -> None:
    (metrics,) = [
        statement
        for statement in statements(template_of(package()))
        if "cloudwatch:PutMetricData" in listed(statement["Action"])
    ]
    assert metrics["Condition"] == {
        "StringLike": {"cloudwatch:namespace": ["AWS/SageMaker", "/aws/sagemaker/*"]}
    }


def test_the_api_may_invoke_exactly_the_endpoints_of_its_direct_paths(template_of: Deploys) -> None:
    template = template_of(model("direct"), model("through", integration=function()))
    api_calls = [
        policy["PolicyDocument"]["Statement"]
        for key, resource in template.resources.items()
        if key.startswith("ApiApiRole") and (policy := resource["Properties"]).get("PolicyDocument")
    ]
    (call,), (stream, read), (invoke,) = api_calls
    assert invoke["Action"] == "sagemaker:InvokeEndpoint"
    assert invoke["Resource"] == {"Ref": endpoint_of(template, "direct")}
    assert call["Action"] == "lambda:InvokeFunction"
    for item, place in ((call, "ApiFunctionsthrough"), (stream, "ApiStreamFunction")):
        name, attribute = item["Resource"]["Fn::GetAtt"]
        assert (name.startswith(place), attribute) == (True, "Arn")
    assert read["Action"] == "s3:GetObject"
    assert len(read["Resource"]) == len(DOCUMENTS)


def endpoint_of(template: Template, name: str) -> str:
    (found,) = [
        key
        for key, resource in template.resources.items()
        if resource["Type"] == "AWS::SageMaker::Endpoint" and key.startswith(f"ApiModels{name}")
    ]
    return found


def test_models_of_jumpstart_share_a_role_and_packages_another(template_of: Deploys) -> None:
    template = template_of(model("a"), model("b"), package("c"), package("d"))
    roles = [str(each["ExecutionRoleArn"]) for each in template.of_type("AWS::SageMaker::Model")]
    assert roles[0] == roles[1] != roles[2] == roles[3]


def test_own_containers_of_different_buckets_do_not_share_a_role(template_of: Deploys) -> None:
    other = container("c", model_data="s3://theirs/a.tar.gz")
    template = template_of(container("a"), container("b", model_data="s3://mine/b.tar.gz"), other)
    roles = [str(model["ExecutionRoleArn"]) for model in template.of_type("AWS::SageMaker::Model")]
    assert roles[0] == roles[1] != roles[2]


def test_a_role_pulls_and_reads_exactly_what_its_models_need(template_of: Deploys) -> None:
    found = list(statements(template_of(model())))
    (pull,) = [finding for finding in found if "ecr:BatchGetImage" in finding["Action"]]
    assert text_of(pull["Resource"]).endswith(
        ":ecr:us-east-1:763104351884:repository/huggingface-pytorch-tgi-inference"
    )
    (read,) = [
        finding
        for finding in found
        if finding["Action"] == "s3:GetObject" and not isinstance(finding["Resource"], list)
    ]
    assert text_of(read["Resource"]).endswith(f":s3:::{BUCKET}/tiny/prepack/*")
    (browse,) = [finding for finding in found if finding["Action"] == "s3:ListBucket"]
    assert listed(browse["Condition"]["StringLike"]["s3:prefix"]) == ["tiny/prepack/*"]


def test_one_object_is_read_and_nothing_beside_it(template_of: Deploys) -> None:
    found = list(statements(template_of(container())))
    (read,) = [
        finding
        for finding in found
        if finding["Action"] == "s3:GetObject" and not isinstance(finding["Resource"], list)
    ]
    assert text_of(read["Resource"]).endswith(":s3:::mine/a.tar.gz")
    assert not [finding for finding in found if finding["Action"] == "s3:ListBucket"]


def test_only_sagemaker_for_this_account_takes_the_execution_role(template_of: Deploys) -> None:
    roles = template_of(package()).of_type("AWS::IAM::Role")
    (trust,) = [
        role["AssumeRolePolicyDocument"]["Statement"][0]
        for role in roles
        if "sagemaker.amazonaws.com" in str(role["AssumeRolePolicyDocument"])
    ]
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
