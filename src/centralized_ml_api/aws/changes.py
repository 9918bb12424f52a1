"""What a deploy of a config would change on AWS now: the new templates against the deployed ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.account import load_account
from centralized_ml_api.aws.cdk_failure import build_aws_error, build_cdk_error
from centralized_ml_api.aws.deployed import NESTED, load_physical_ids, load_template
from centralized_ml_api.aws.target import call_cdk
from centralized_ml_api.aws.template_diff import compare_templates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.target import AwsTarget
    from centralized_ml_api.aws.template_diff import Change

Template = dict[str, Any]

_ASSET = "aws:asset:path"
"""Where CDK notes the file of a nested stack's template, beside the main one."""


def load_changes(
    target: AwsTarget, clients: AwsClients, say: Callable[[str], None]
) -> tuple[Change, ...] | None:
    """Every resource that a deploy would touch; None when nothing of that name is deployed.

    Raises:
        DeployError: AWS could not be asked, or the config could not be synthesized.
    """
    load_account(clients)
    try:
        deployed = load_template(clients.client("cloudformation"), target.stack)
        if deployed is None:
            return None
        return tuple(_compare(deployed, _synthesize(target, say), target, clients))
    except (BotoCoreError, ClientError) as error:
        raise build_aws_error(f"{target.stack} cannot be looked at", error) from error


def _synthesize(target: AwsTarget, say: Callable[[str], None]) -> Template:
    run = call_cdk(target, target.arguments("synth", "--quiet", "--no-validation"), say=say)
    if run.status:
        raise build_cdk_error(f"synthesizing {target.config} failed", run.text, [], target.log)
    return _read(target.assembly / f"{target.stack}.template.json")


def _compare(deployed: Template, new: Template, target: AwsTarget, clients: AwsClients) -> Iterator[Change]:
    """The main stack's changes; a nested stack stands for its own resources, not for itself."""
    yield from (one for one in compare_templates(deployed, new) if one.type != NESTED)
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
