"""Changes a variable of a deployed Lambda function, by which it learns what organizers want.

Nothing has to be looked up while calls pass: Lambda gives the new value to all calls a few seconds later.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError, WaiterError

from centralized_ml_api.aws.settings import stack_flags
from centralized_ml_api.aws.stack.deployed_stack import find_physical_id, load_resources
from centralized_ml_api.commands import command
from centralized_ml_api.errors import DeployError
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from centralized_ml_api.aws.clients import AwsClients
    from centralized_ml_api.aws.stack.deployed_stack import StackResource

Told = TypeVar("Told")

FUNCTION = "AWS::Lambda::Function"

ATTEMPTS, WAIT_SECONDS = 5, 30
"""How often a change is tried, and how long it waits after each for an update that is under way.

That is longer in all than a deploy takes to change one function.
"""

_BUSY = {"PreconditionFailedException", "ResourceConflictException"}
"""Somebody else changes the function, or an update of it is under way.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
"""

_FULL = "4kb limit"
"""What Lambda says, in whatever case, of variables that are too long.

Source: https://github.com/github-aws-runners/terraform-aws-github-runner/issues/3594
"""


@record
class VariableWords:
    """What is said of a variable that cannot be changed.

    Attributes:
        older: What stacks that were deployed before do not have, such as `pauses`.
        absent: Why a stack has no such function.
        absent_fix: What gives it one.
        one_more: What there is no room for, such as `another pause`.
        room_fix: What makes room.
    """

    older: str
    absent: str
    absent_fix: str
    one_more: str
    room_fix: str


class NoVariableError(DeployError):
    """A stack has no such variable: no function, or one that was deployed before there was the variable."""


class FunctionVariable:
    """A variable of the function of a stack whose logical id has `part`.

    Every method raises `DeployError` where the stack has no such variable, and botocore's errors.

    Args:
        clients: Of the region of the stack.
        stack: Its name.
        part: Of the logical id of the function.
        name: Of the variable.
        words: What is said where that fails.
        wait_seconds: For how long each attempt to change it waits for an update that is under way.
    """

    def __init__(
        self,
        clients: AwsClients,
        stack: str,
        *,
        part: str,
        name: str,
        words: VariableWords,
        wait_seconds: int = WAIT_SECONDS,
    ) -> None:
        self._clients, self._stack, self._part = clients, stack, part
        self._name, self._words, self._wait_seconds = name, words, wait_seconds

    def load(self) -> str:
        """Returns its value."""
        return self._read(self._load_function(self._find_function(self.load_resources())))

    def change(
        self, change: Callable[[str], tuple[Told, str]], resources: Sequence[StackResource] | None = None
    ) -> Told:
        """Changes its value; where somebody else is faster, tries again with what they wrote.

        Args:
            change: Returns what to tell, and the new value, for the present one; called in each attempt.
            resources: Of the stack, where they are known.

        Raises:
            DeployError: There is no room, or the function was being changed all the time.
        """
        function = self._find_function(self.load_resources() if resources is None else resources)
        for _ in range(ATTEMPTS):
            try:
                return self._change_once(function, change)
            except ClientError as error:
                if error.response["Error"]["Code"] not in _BUSY:
                    raise
                with contextlib.suppress(WaiterError):  # also a function whose update failed can be changed
                    self._wait_for_update(function, self._wait_seconds)
        raise DeployError(
            f"AWS is still changing the function {function} of {self._stack}: it can be told nothing yet",
            fix="wait until the deploy, or what another organizer does, is over; then try again",
        )

    def load_resources(self) -> tuple[StackResource, ...]:
        """Loads the resources of the stack."""
        return load_resources(self._clients.client("cloudformation"), self._stack)

    def _change_once(self, function: str, change: Callable[[str], tuple[Told, str]]) -> Told:
        client = self._clients.client("lambda")
        now = self._load_function(function)
        told, value = change(self._read(now))
        if value == self._read(now):
            return told
        variables = {**now["Environment"]["Variables"], self._name: value}
        try:
            client.update_function_configuration(
                FunctionName=function, Environment={"Variables": variables}, RevisionId=now["RevisionId"]
            )
        except client.exceptions.InvalidParameterValueException as error:
            if _FULL not in str(error).lower():
                raise
            raise DeployError(
                f"{self._stack} has no room for {self._words.one_more}: all of this shares Lambda's 4 KB",
                fix=self._words.room_fix,
            ) from error
        self._wait_for_update(function)
        return told

    def _wait_for_update(self, function: str, seconds: int = 300) -> None:
        waiter = self._clients.client("lambda").get_waiter("function_updated_v2")
        waiter.wait(FunctionName=function, WaiterConfig={"Delay": 1, "MaxAttempts": seconds})

    def _load_function(self, function: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._clients.client("lambda").get_function_configuration(
            FunctionName=function
        )
        if self._name not in found.get("Environment", {}).get("Variables", {}):
            flags = stack_flags(self._clients.region, self._stack)
            raise NoVariableError(
                f"{self._stack} was deployed before there were {self._words.older}",
                fix=f"deploy it again: {command('deploy', *flags)}",
            )
        return found

    def _read(self, function: Mapping[str, Any]) -> str:
        value: str = function["Environment"]["Variables"][self._name]
        return value

    def _find_function(self, resources: Sequence[StackResource]) -> str:
        if not resources:
            raise DeployError(
                f"{self._stack} is not deployed in {self._clients.region}",
                fix="deploy it, or name another stack with --stack and --region",
            )
        function = find_physical_id(resources, FUNCTION, self._part)
        if not function:
            raise NoVariableError(f"{self._stack} {self._words.absent}", fix=self._words.absent_fix)
        return function
