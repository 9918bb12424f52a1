"""Plans the stack while Node starts: from what the environment says, which the CDK reads a moment later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.entry_details import Sample, load_logo, load_samples
from centralized_ml_api.aws.planning.load import load_aws_plan
from centralized_ml_api.aws.settings import read_settings
from centralized_ml_api.plan.aws.types import AwsPlan
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.aws.settings import Settings

_CONTEXT, _CONTEXT_FILE = "CDK_CONTEXT_JSON", "CONTEXT_OVERFLOW_LOCATION_ENV"
"""The variables by which the CDK CLI hands the context over: itself, and the file of what is too long for it.

Source: https://github.com/aws/aws-cdk/blob/main/packages/aws-cdk-lib/cx-api/lib/app.ts
"""


@record
class StackPlan:
    """What a stack is built from: its plan, and the files of the catalogue."""

    plan: AwsPlan
    samples: Mapping[str, Sample]
    logo: Sample | None


class EarlyPlan:
    """The plan of one stack, made in one thread and taken in another once that has ended.

    `settings` are those that it is for.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._said: list[str] = []
        self._planned: StackPlan | None = None
        self._failure: Exception = RuntimeError("the plan was never made")

    def make(self) -> None:
        """Makes the plan. What is said meanwhile, and a failure, wait for `take`."""
        try:
            planned = load_stack_plan(self.settings, self._said.append)
        except Exception as error:  # noqa: BLE001  # `take` raises it
            self._failure = error
        else:
            self._planned = planned

    def take(self, say: Callable[[str], None]) -> StackPlan:
        """Returns the plan; says what was said while it was made.

        Raises:
            MlApiError: The config is wrong.
        """
        for text in self._said:
            say(text)
        if self._planned is None:
            raise self._failure
        return self._planned


def load_stack_plan(settings: Settings, say: Callable[[str], None]) -> StackPlan:
    """Loads a config, plans its stack, and loads the files that its catalogue shows.

    Raises:
        MlApiError: The config is wrong.
    """
    plan = load_aws_plan(settings, say)
    return StackPlan(plan, load_samples(plan.api), load_logo(plan.api))


def guess_settings(environment: Mapping[str, str]) -> Settings:
    """Reads the settings that the CDK's App will have, unless its program gives it others.

    Raises:
        MlApiError: A value is not valid.
        ValueError: The context is no JSON.
        OSError: The context's file cannot be read.
    """
    context: dict[str, Any] = json.loads(environment.get(_CONTEXT) or "{}")
    if file := environment.get(_CONTEXT_FILE):
        context |= json.loads(Path(file).read_text(encoding="utf-8-sig"))
    return read_settings(context.get, environment)
