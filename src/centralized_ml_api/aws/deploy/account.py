"""Asks AWS who deploys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from centralized_ml_api.aws.failures.explain import build_aws_error

if TYPE_CHECKING:
    from centralized_ml_api.aws.clients import AwsClients

UNKNOWN_CALLER = "AWS does not know who you are"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who the credentials belong to: the number of the account, and the ARN of the user or role."""

    account: str
    arn: str

    @property
    def partition(self) -> str:
        """The partition of the account: `aws`, `aws-cn`, `aws-us-gov`."""
        return self.arn.split(":")[1]


def load_caller(clients: AwsClients) -> Caller:
    """Returns who deploys.

    Raises:
        botocore.exceptions.ClientError: AWS refuses the credentials.
        botocore.exceptions.BotoCoreError: There are none, or AWS cannot be reached.
    """
    if not clients.has_credentials():  # known at once, without loading the model of a whole service
        raise NoCredentialsError
    caller = clients.client("sts").get_caller_identity()
    return Caller(str(caller["Account"]), str(caller["Arn"]))


def load_account(clients: AwsClients) -> str:
    """Returns the number of the account that the credentials belong to.

    Raises:
        DeployError: There are no credentials, AWS refuses them, or AWS cannot be reached.
    """
    try:
        return load_caller(clients).account
    except (BotoCoreError, ClientError) as error:
        raise build_aws_error(UNKNOWN_CALLER, error) from error
