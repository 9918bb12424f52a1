"""Judges API Gateway's role for logs, one for all APIs of an account and region: may it stay?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.stack.contract import LOG_ROLE_PARAMETER
from centralized_ml_api.aws.stack.deployed_stack import load_resources

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.aws.clients import AwsClients

_SERVICE = "apigateway.amazonaws.com"
_ROLE = "AWS::IAM::Role"


@dataclass(frozen=True, slots=True)
class LogRole:
    """The role that the account's setting names.

    `arn` is empty where none is set. `own`: it is a resource of the stack. `state`: `works`, as far as its
    trust tells; `gone`; `foreign`, API Gateway may not take it; `unread`, IAM did not show it.
    """

    arn: str = ""
    own: bool = False
    state: Literal["works", "gone", "foreign", "unread"] = "gone"

    @property
    def is_kept(self) -> bool:
        """Returns whether a deploy leaves the setting alone: it names another's role, which may work."""
        return bool(self.arn) and not self.own and self.state in {"works", "unread"}


def load_log_role(clients: AwsClients, stack: str) -> LogRole:
    """Returns which role writes API Gateway's logs in the region.

    API Gateway checks a role when it is set, never again, so the role may have been deleted since.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html

    Args:
        clients: Of the region.
        stack: Whose role is its own.

    Raises:
        botocore.exceptions.ClientError: AWS refused to say.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    arn = str(clients.client("apigateway").get_account().get("cloudwatchRoleArn") or "")
    if not arn:
        return LogRole()
    name = arn.rpartition("/")[2]
    resources = load_resources(clients.client("cloudformation"), stack)
    own = any(resource.type == _ROLE and resource.physical_id == name for resource in resources)
    return LogRole(arn, own, _judge(clients.client("iam"), name))


def choose_log_role(clients: AwsClients, stack: str, say: Callable[[str], None]) -> list[str]:
    """Returns the CDK CLI's flags by which a stack keeps the account's role, or makes its own.

    Where AWS does not say which role is set, an update leaves it as it is, and a first deploy sets its own.

    Args:
        clients: Of the region.
        stack: That is deployed.
        say: Shows what is kept, or why nobody knows.
    """
    try:
        role = load_log_role(clients, stack)
    except (BotoCoreError, ClientError) as error:
        first_line = str(error).partition("\n")[0]
        say(f"Note: cannot see which role writes API Gateway's logs in this account: {first_line}")
        return []
    if role.is_kept:
        say(f"API Gateway's logs in {clients.region} keep their role: {role.arn}")
    return ["--parameters", f"{stack}:{LOG_ROLE_PARAMETER}={'keep' if role.is_kept else 'make'}"]


def _judge(iam: Any, name: str) -> Literal["works", "gone", "foreign", "unread"]:
    try:
        trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    except ClientError as error:
        return "gone" if error.response["Error"]["Code"] == "NoSuchEntity" else "unread"
    return (
        "works" if any(_allows(statement) for statement in _listed(trust.get("Statement", []))) else "foreign"
    )


def _allows(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    services = _listed(principal.get("Service", [])) if isinstance(principal, dict) else []
    return statement.get("Effect") == "Allow" and _SERVICE in services


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
