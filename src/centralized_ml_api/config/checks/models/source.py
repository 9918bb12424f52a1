"""Which model an entry deploys, and which of its settings belong to which source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.checks.context import given
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context, ObjectNode
    from centralized_ml_api.errors import Problem

_SOURCES = ("model_id", "model_package_arn", "image")
_JUMPSTART_SETTINGS = ("model_version", "inference_config", "accept_eula", "instance_check")


def is_only_local(model: ObjectNode) -> bool:
    """Returns whether one machine serves the model and nothing says how AWS would."""
    return bool(given(model, ("local",))) and not given(model, (*_SOURCES, "instance", "instances"))


def _check_source(context: Context) -> Iterator[Problem]:
    expected = f"exactly one of {listed(map(quoted, _SOURCES))}"
    for model in context.models:
        sources = given(model, _SOURCES)
        if is_only_local(model):
            if context.region is not None:
                found = 'only "local", which serves it on one machine'
                fix = 'to deploy it, add "model_id": "…" and "instance": "ml.g5.2xlarge"'
                yield MODEL_SOURCE.problem(model.key_location, found=found, expected=expected, fix=fix)
        elif not sources:
            fix = 'add "model_id": "…", or one of the others; for one machine, "local" alone is enough'
            yield MODEL_SOURCE.problem(model.key_location, found="none of them", expected=expected, fix=fix)
        for second in sources[1:]:
            location = (model.member(second) or model).key_location
            found = f"{quoted(second)} as well as {quoted(sources[0])}"
            yield MODEL_SOURCE.problem(location, found=found, expected=expected, fix="remove one of the two")


MODEL_SOURCE = CheckedRule(
    id="C105",
    title="not exactly one model source",
    meaning="""\
An entry of `models` names its model with exactly one of three keys: `model_id` (a JumpStart id),
`model_package_arn` (a package from the AWS Marketplace) or `image` (a container of your own). For one
machine none is needed: an entry with `local` alone is complete. Deploying it to AWS says what is missing.""",
    example=Example(
        at="$.models[0]",
        wrong='"model_id": "huggingface-textgeneration-open-llama", "image": "my-image"',
        right='"model_id": "huggingface-textgeneration-open-llama"',
    ),
    check=_check_source,
)


def _check_model_data(context: Context) -> Iterator[Problem]:
    for model in context.models:
        data = model.member("model_data")
        if data and not given(model, ("image",)):
            yield MODEL_DATA_ALONE.problem(
                data.key_location,
                found='"model_data" without "image"',
                expected='"model_data" only together with "image"',
                fix='add "image", or remove "model_data": JumpStart models and packages bring their own',
            )


MODEL_DATA_ALONE = CheckedRule(
    id="C106",
    title="model_data without image",
    meaning="""\
`model_data` is the archive that SageMaker unpacks for a container of your own. JumpStart models and
Marketplace packages bring their own artifacts and would ignore it.""",
    example=Example(
        at="$.models[0]",
        wrong='"model_id": "huggingface-textgeneration-open-llama", "model_data": "s3://my-bucket/model.tar.gz"',
        right='"model_id": "huggingface-textgeneration-open-llama"',
    ),
    check=_check_model_data,
)


def _check_jumpstart_settings(context: Context) -> Iterator[Problem]:
    for model in context.models:
        if given(model, ("model_id",)) or not given(model, ("model_package_arn", "image")):
            continue
        for key in _JUMPSTART_SETTINGS:
            setting = model.member(key)
            if setting:
                yield JUMPSTART_ONLY.problem(
                    setting.key_location,
                    found=f'{quoted(key)} without "model_id"',
                    expected=f'{quoted(key)} only together with "model_id"',
                    fix=f"remove {quoted(key)}",
                )


JUMPSTART_ONLY = CheckedRule(
    id="C107",
    title="setting for JumpStart models only",
    meaning="""\
`model_version`, `inference_config`, `accept_eula` and `instance_check` control how a model is looked up
in the JumpStart catalogue. For a Marketplace package or a container of your own they would be ignored.""",
    example=Example(at="$.models[1]", wrong='"accept_eula": true', right='"description": "A package"'),
    check=_check_jumpstart_settings,
)

RULES = (MODEL_SOURCE, MODEL_DATA_ALONE, JUMPSTART_ONLY)
