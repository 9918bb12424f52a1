"""Compares the new templates with the deployed ones, and says what callers would notice of a deploy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.cdk.bootstrap import find_qualifier
from centralized_ml_api.aws.cdk.target import call_cdk
from centralized_ml_api.aws.deploy.account import load_account
from centralized_ml_api.aws.deploy.template_diff import compare_templates
from centralized_ml_api.aws.failures.explain import build_aws_error, build_cdk_error
from centralized_ml_api.aws.stack.deployed_stack import NESTED, load_physical_ids, load_template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from centralized_ml_api.aws.cdk.target import AwsTarget
    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.deploy.template_diff import Change

Template = dict[str, Any]

_ASSET = "aws:asset:path"
"""Where the CDK names the file of a nested stack's template, beside the main one."""


_EFFECTS = {
    ("AWS::SageMaker::Endpoint", "add"): "answers once its instances are ready, usually in 5 to 20 minutes",
    (
        "AWS::SageMaker::Endpoint",
        "update",
    ): "no downtime: the new instances take over before the old ones stop, usually after 5 to 20 minutes;"
    " until then both are paid for and count against the quota",
    ("AWS::SageMaker::Endpoint", "replace"): "down until the new endpoint is ready, usually 5 to 20 minutes",
    ("AWS::SageMaker::Endpoint", "remove"): "its path is gone",
    (
        "AWS::SageMaker::InferenceComponent",
        "update",
    ): "no downtime: a copy with the change takes over before the old ones stop; a model that sleeps wakes",
    ("AWS::ApiGateway::RestApi", "update"): "no downtime: the new paths go live at the end",
    ("AWS::ApiGateway::RestApi", "replace"): "the address of the API changes: every caller must be told",
    ("AWS::ApiGateway::RestApi", "remove"): "the API is gone",
    ("AWS::ApiGateway::ApiKey", "replace"): "the team must be given its new key",
    ("AWS::ApiGateway::ApiKey", "remove"): "the team's key works no more",
    (
        "AWS::ApiGateway::UsagePlan",
        "update",
    ): "the team's new limits; API Gateway changes one usage plan every 20 seconds",
    ("AWS::ApiGateway::Stage", "replace"): "the API is down for some seconds",
    ("AWS::Lambda::Function", "update"): "no downtime",
    ("AWS::Lambda::Function", "replace"): "no downtime: the API moves to the new function",
}
"""By type and action; nobody notices what is not listed.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html (endpoints are
updated by a blue/green deployment, all at once by default).
"""


_ENDPOINT = "AWS::SageMaker::Endpoint"

_MOVES = {
    "add": "no downtime: replaces the old endpoint, since SageMaker changes neither the instance type of a"
    " scaled endpoint nor its scaling in place, nor whether it may have no instance. First this one starts,"
    " usually in 5 to 20 minutes; then the API moves to it; then the old one is removed. Until then both are"
    " paid for and count against the quota",
    "remove": "the API has moved to the new endpoint by then",
}
"""What callers notice where one endpoint of a model is added and another one removed, in this order."""


def load_changes(
    target: AwsTarget, clients: AwsClients, say: Callable[[str], None]
) -> tuple[Change, ...] | None:
    """Returns every resource that a deploy would touch, None where no stack of that name is deployed.

    Args:
        target: The stack and its config.
        clients: Of its region.
        say: Shows progress.

    Raises:
        DeployError: AWS could not be asked, or the config could not be synthesized.
    """
    load_account(clients)
    target = find_qualifier(target, clients)
    try:
        deployed = load_template(clients.client("cloudformation"), target.stack)
        if deployed is None:
            return None
        return tuple(_compare(deployed, _synthesize(target, say), target, clients))
    except (BotoCoreError, ClientError) as error:
        raise build_aws_error(f"cannot read {target.stack}", error) from error


def _synthesize(target: AwsTarget, say: Callable[[str], None]) -> Template:
    run = call_cdk(target, target.arguments("synth", "--quiet", "--no-validation"), say=say)
    if run.status:
        raise build_cdk_error(f"synthesizing {target.config} failed", run.text, [], target.log)
    return _read(target.assembly / f"{target.stack}.template.json")


def _compare(deployed: Template, new: Template, target: AwsTarget, clients: AwsClients) -> Iterator[Change]:
    """Yields the main stack's changes, then those of each nested stack in place of the stack itself."""
    yield from (change for change in compare_templates(deployed, new) if change.type != NESTED)
    cloudformation = clients.client("cloudformation")
    physical_ids = load_physical_ids(cloudformation, target.stack, NESTED)
    for logical_id in sorted({*physical_ids, *_nested(new)}):
        before = load_template(cloudformation, physical_ids[logical_id]) if logical_id in physical_ids else {}
        path = _nested(new).get(logical_id)
        yield from compare_templates(before or {}, _read(target.assembly / path) if path else {})


def _nested(template: Template) -> dict[str, str]:
    return {
        logical_id: resource["Metadata"][_ASSET]
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == NESTED
    }


def _read(path: Path) -> Template:
    template: Template = json.loads(path.read_text(encoding="utf-8"))
    return template


def describe_effects(changes: Sequence[Change]) -> list[str]:
    """Returns what callers notice of each change, as part of a sentence. Pure."""
    endpoints = [change for change in changes if change.type == _ENDPOINT]
    added, removed = (
        {_model_of(change) for change in endpoints if change.action == action} for action in ("add", "remove")
    )
    moved = added & removed
    return [
        _MOVES[change.action]
        if change.type == _ENDPOINT and change.action in _MOVES and _model_of(change) in moved
        else _EFFECTS.get((change.type, change.action), "nobody notices")
        for change in changes
    ]


def _model_of(change: Change) -> str:
    """Returns the path of the model of an endpoint."""
    return change.name.rpartition("/")[0]


def render_changes(changes: Sequence[Change]) -> str:
    """Renders a line for each change: what is replaced, and what callers notice. Pure."""
    if not changes:
        return "Nothing would change."
    lines = []
    for change, effect in zip(changes, describe_effects(changes), strict=True):
        because = f" ({', '.join(change.because)})" if change.because else ""
        what = f"{change.action:<8} {change.type} {change.name}{because}"
        lines.append(f"  {what}: {effect}")
    return "\n".join(lines)


def changes_data(changes: Sequence[Change]) -> list[dict[str, object]]:
    """Returns the same for `--json`. Pure."""
    return [
        {
            "action": change.action,
            "name": change.name,
            "type": change.type,
            "because": list(change.because),
            "effect": effect,
        }
        for change, effect in zip(changes, describe_effects(changes), strict=True)
    ]
