"""Decides whose keys the verbs of `mlapi keys` work on: the flags that say so, and what they open."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api.cli.options import (
    DEFAULT_CONFIG,
    Target,
    aws_flags,
    region_option,
    stack_option,
    state_flag,
    state_option,
    target_option,
)
from centralized_ml_api.cli.targets import open_aws_target, running_address
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.api.keys import Keys


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """One API: that of a state folder, or of a stack."""

    target: Target
    state: Path
    region: str | None
    stack: str

    @property
    def flags(self) -> str:
        """The flags with which a next command names the same keys, each with a space before it."""
        if self.target == "aws":
            return f" --target aws{aws_flags(self.region, self.stack)}"
        return state_flag(self.state)

    def open(self) -> Keys:
        """Returns the keys.

        Raises:
            DeployError: there is no such stack.
            NotInstalledError: the extra `aws` is not installed.
        """
        if self.target == "aws":
            target, clients = open_aws_target(
                DEFAULT_CONFIG, region=self.region, stack=self.stack, state=self.state
            )
            from centralized_ml_api.aws.keys import AwsKeys

            return AwsKeys(target, clients)
        from centralized_ml_api.local.keys import KeyStore, LocalKeys

        return LocalKeys(KeyStore(self.state))

    def address(self) -> str:
        """Returns the address that the teams call.

        Raises:
            NotRunningError: nothing runs here.
            UsageError: the API is on AWS, where only `mlapi deploy` prints its address.
        """
        if self.target == "aws":
            raise UsageError(
                "an export for AWS needs --url", fix="add --url with the address that `mlapi deploy` printed"
            )
        return running_address(self.state)


def place_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the flags to a verb, which gets them as one `place`."""

    @target_option("Whose keys: those of this machine, or those of a deployed stack.")
    @state_option
    @region_option
    @stack_option
    @functools.wraps(verb)
    def with_place(*, target: Target, state: Path, region: str | None, stack: str, **more: Any) -> Any:
        return verb(place=KeyPlace(target, state, region, stack), **more)

    return with_place
