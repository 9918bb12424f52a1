"""Decides whose keys the verbs of `mlapi keys` work on: the flags that say so, and what they open."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api.aws.settings import stack_flags
from centralized_ml_api.cli.options import (
    Target,
    region_option,
    stack_option,
    state_option,
    target_option,
)
from centralized_ml_api.cli.request import Api, reachable_api
from centralized_ml_api.cli.served import ServedModel, load_catalogue, load_planned
from centralized_ml_api.cli.targets import (
    open_aws_target,
    running_config,
    running_status,
)
from centralized_ml_api.cli.verbs.keys.env_files import find_examples
from centralized_ml_api.commands import DEFAULT_CONFIG, state_flags
from centralized_ml_api.errors import MlApiError, NotRunningError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from centralized_ml_api.api.keys import Keys
    from centralized_ml_api.cli.verbs.keys.env_files import Example


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """One API: that of a state folder, or of a stack."""

    target: Target
    state: Path
    region: str | None
    stack: str

    @property
    def flags(self) -> tuple[str, ...]:
        """The words with which a next command names the same keys."""
        if self.target == "aws":
            return "--target", "aws", *stack_flags(self.region, self.stack)
        return state_flags(self.state)

    def open(self) -> Keys:
        """Returns the keys.

        Raises:
            DeployError: There is no such stack.
            NotInstalledError: The extra `aws` is not installed.
        """
        if self.target == "aws":
            target, clients = open_aws_target(
                DEFAULT_CONFIG, region=self.region, stack=self.stack, state=self.state
            )
            from centralized_ml_api.aws.event.keys import AwsKeys

            return AwsKeys(target, clients)
        from centralized_ml_api.local.keys import KeyStore, LocalKeys

        return LocalKeys(KeyStore(self.state))

    def api(self) -> Api:
        """Returns the API as the teams call it, without a key.

        Raises:
            NotRunningError: Nothing runs here.
            DeployError: There is no such stack, or AWS refused to say.
        """
        if self.target == "aws":
            return Api(self._deployed_address(), None, fix="")
        return reachable_api(self.state)

    def load_examples(self, address: str, keys: Mapping[str, str]) -> dict[str, Example]:
        """Returns what each team can call, as far as that is known.

        Args:
            address: Of the API.
            keys: Of the teams, by name.
        """
        plan, models = None, tuple[ServedModel, ...]()
        with contextlib.suppress(MlApiError):  # an API that does not answer yet, a config with errors
            if self.target == "local":
                from centralized_ml_api.local.run.reload import load_plan

                plan = load_plan(running_config(self.state))
                models = load_planned(plan)
            else:
                models = load_catalogue(Api(address, next(iter(keys.values()), None), fix=""))
        return {team: find_examples(models, plan, team) for team in keys}

    def load_title(self) -> str:
        """Returns the title of the event, as far as that is known here; empty without one."""
        if self.target == "local":
            from centralized_ml_api.local.run.reload import load_plan

            with contextlib.suppress(MlApiError):  # nothing runs, or a config with errors
                return load_plan(running_config(self.state)).event.title or ""
        return ""

    def has_address(self) -> bool:
        """Returns whether there is an API for which keys can be handed out; on AWS there always is."""
        if self.target == "aws":
            return True
        try:
            return bool(running_status(self.state))
        except NotRunningError:
            return False

    def _deployed_address(self) -> str:
        target, clients = open_aws_target(
            DEFAULT_CONFIG, region=self.region, stack=self.stack, state=self.state
        )
        from centralized_ml_api.aws.deploy.deployment import load_address

        return load_address(target, clients)


def place_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the flags to a verb, which gets them as one `place`."""

    @target_option("Take the keys of this machine, or those of a deployed stack.")
    @state_option
    @region_option
    @stack_option
    @functools.wraps(verb)
    def with_place(*, target: Target, state: Path, region: str | None, stack: str, **more: Any) -> Any:
        return verb(place=KeyPlace(target, state, region, stack), **more)

    return with_place
