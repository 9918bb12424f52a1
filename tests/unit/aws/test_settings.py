from __future__ import annotations

from pathlib import Path

import pytest

from centralized_ml_api.aws.settings import Settings, read_settings
from centralized_ml_api.errors import UsageError

DEFAULTS = Settings(
    config=Path("config/models.json"),
    region="us-east-1",
    stack="CentralizedMlApiStack",
    account=None,
    offline=False,
)


def read(context: dict[str, str], environment: dict[str, str]) -> Settings:
    def look(key: str) -> str | None:
        return context.get(key)

    return read_settings(look, environment)


def test_nothing_said_is_the_documented_default() -> None:
    assert read({}, {}) == DEFAULTS


def test_the_context_decides() -> None:
    context = {"config": "mine.json", "region": "eu-west-1", "stack": "Mine", "offline": "true"}
    environment = {"CDK_DEFAULT_REGION": "eu-north-1", "CDK_DEFAULT_ACCOUNT": "123456789012"}
    assert read(context, environment) == Settings(
        Path("mine.json"), "eu-west-1", "Mine", "123456789012", offline=True
    )


@pytest.mark.parametrize(
    ("environment", "region"),
    [
        ({"CDK_DEFAULT_REGION": "eu-north-1", "AWS_REGION": "eu-west-2"}, "eu-north-1"),
        ({"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-2"),
        ({"AWS_DEFAULT_REGION": "cn-north-1"}, "cn-north-1"),
        ({"CDK_DEFAULT_REGION": ""}, "us-east-1"),
    ],
)
def test_the_region_comes_from_the_environment_as_the_cdk_sets_it(
    environment: dict[str, str], region: str
) -> None:
    assert read({}, environment).region == region


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"region": "Ireland"}, "'Ireland' is not a region"),
        ({"stack": "1-stack"}, "'1-stack' is not a stack"),
        ({"stack": "x" * 129}, "is not a stack"),
        ({"offline": "maybe"}, "offline=maybe is neither true nor false"),
    ],
)
def test_a_value_of_no_use_is_refused_with_an_example(context: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        read(context, {})
    assert "-c " in caught.value.fix
