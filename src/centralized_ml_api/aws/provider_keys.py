"""Puts providers' keys into the stack's secrets: by calls after the deploy, never through CloudFormation.

A template, its parameters, stack events and the CDK's log have no key; neither has a command line.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.failures.explain import build_aws_error
from centralized_ml_api.aws.stack_contract import PROVIDER_SECRETS_OUTPUT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.aws.clients import AwsClients


def put_provider_keys(clients: AwsClients, outputs: Mapping[str, str], keys: Mapping[str, str]) -> None:
    """Puts each key into its secret, which the function reads again within a minute.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html

    Args:
        clients: of the stack's region.
        outputs: those of the deployed stack.
        keys: the keys, by the ids of their secrets in the plan.

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
