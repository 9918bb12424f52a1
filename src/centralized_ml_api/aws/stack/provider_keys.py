"""Puts providers' keys into the stack's secrets: by calls after the deploy, never through CloudFormation.

A template, its parameters, stack events and the CDK's log have no key; neither has a command line.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.failures.explain import build_aws_error
from centralized_ml_api.aws.stack.contract import PROVIDER_SECRETS_OUTPUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.stack.deployed_stack import StackResource

SECRET = "AWS::SecretsManager::Secret"  # noqa: S105  # a type of CloudFormation's


def put_provider_keys(clients: AwsClients, outputs: Mapping[str, str], keys: Mapping[str, str]) -> None:
    """Puts each key into its secret, which the function reads again within a minute.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html

    Args:
        clients: Of the stack's region.
        outputs: Those of the deployed stack.
        keys: The keys, by the ids of their secrets in the plan.

    Raises:
        DeployError: AWS refused, or could not be asked.
    """
    if not keys:
        return
    arns: dict[str, str] = json.loads(outputs[PROVIDER_SECRETS_OUTPUT])
    secrets = clients.client("secretsmanager")
    try:
        for secret_id, key in keys.items():
            secrets.put_secret_value(SecretId=arns[secret_id], SecretString=key)
    except (BotoCoreError, ClientError) as error:
        what = "the stack is deployed, but a provider's key cannot be put into AWS Secrets Manager"
        raise build_aws_error(what, error) from error


def find_empty_secrets(clients: AwsClients, resources: Iterable[StackResource]) -> tuple[str, ...]:
    """Returns the names of the stack's secrets that hold no key, as far as you may ask.

    That is so after a deploy by the CDK's own CLI, or if `mlapi deploy` was interrupted.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
    """
    arns = [resource.physical_id for resource in resources if resource.type == SECRET]
    if not arns:
        return ()
    secrets = clients.client("secretsmanager")
    try:
        described = [secrets.describe_secret(SecretId=arn) for arn in arns]
    except (BotoCoreError, ClientError):
        return ()
    return tuple(secret["Name"] for secret in described if not secret.get("VersionIdsToStages"))
