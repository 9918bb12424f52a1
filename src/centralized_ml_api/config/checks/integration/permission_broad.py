"""C214: a permission on everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.integration.permissions import bare_actions_of, is_action
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_SCOPED = "sagemaker:invokeendpoint"


def _check(context: Context) -> Iterator[Problem]:
    for properties in context.functions:
        bare = bare_actions_of(properties)
        broad = [one for one in bare if is_action(one.value) and not one.value.lower().startswith(_SCOPED)]
        if broad:
            yield RULE.problem(
                broad[0].location,
                found=f"{listed((quoted(one.value) for one in broad), 'and')} without resources",
                expected="the resources that the function needs",
                fix='write {"actions": […], "resources": ["arn:…"]}, unless it may do this to all of them',
            )


RULE = Rule(
    id="C214",
    title="permission on every resource",
    severity="warning",
    meaning="""\
An action without resources is allowed on all of them (`*`), as in the original format: a function that
may read one bucket may then read every bucket of the account. `sagemaker:InvokeEndpoint*` is the
exception: it is limited to the entry's own endpoint.""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"permissions": ["s3:GetObject"]',
        right='"permissions": {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::my-bucket/*"]}',
    ),
    check=_check,
)
