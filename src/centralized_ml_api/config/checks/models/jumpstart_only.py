"""C107: JumpStart's settings on a model that is not of JumpStart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.context import given
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_SETTINGS = ("model_version", "inference_config", "accept_eula", "instance_check")


def _check(context: Context) -> Iterator[Problem]:
    for model in context.models:
        if given(model, ("model_id",)) or not given(model, ("model_package_arn", "image")):
            continue
        for key in _SETTINGS:
            setting = model.member(key)
            if setting:
                yield RULE.problem(
                    setting.key_location,
                    found=f'{quoted(key)} without "model_id"',
                    expected=f'{quoted(key)} only beside "model_id"',
                    fix=f"remove {quoted(key)}",
                )


RULE = Rule(
    id="C107",
    title="a setting of JumpStart models",
    meaning="""\
`model_version`, `inference_config`, `accept_eula` and `instance_check` say how a model of the JumpStart
catalogue is looked up. For a Marketplace package or a container of your own they would be ignored.""",
    example=Example(at="$.models[1]", wrong='"accept_eula": true', right='"description": "A package"'),
    check=_check,
)
