"""How AWS calls models that providers host, and where it keeps their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.plan.aws.providers import build_provider_target, find_secret_pattern
from centralized_ml_api.plan.aws.streaming import build_row, build_stream
from centralized_ml_api.plan.aws.types import AdoptedSecret, OwnSecret, StreamModel
from centralized_ml_api.plan.provider import KeyPlace, ProviderServing

if TYPE_CHECKING:
    from centralized_ml_api.config.providers import ProviderApi, ProviderName

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:openai"


def model_of(name: ProviderName | None, key: KeyPlace | None, *apis: ProviderApi, **more: Any) -> StreamModel:
    url = more.pop("url", "https://a.test/v1/")
    serving = ProviderServing(url, "m", key, apis or ("openai-chat",), name)
    return StreamModel("e", None, None, ("X-Own",), provider=build_provider_target(serving), **more)


def test_a_key_of_a_variable_or_a_file_gets_a_secret_that_all_its_entries_share() -> None:
    variable, file = KeyPlace("env", "K"), KeyPlace("file", "K")
    models = [model_of("openai", place) for place in (variable, variable, file, KeyPlace("secret", "K"))]
    own, other, adopted = build_stream([*models, model_of(None, None)]).secrets
    assert isinstance(own, OwnSecret)
    assert isinstance(other, OwnSecret)
    assert (own.place, other.place, adopted) == (variable, file, AdoptedSecret("K"))
    assert own.id[:-8] == "Env"
    assert other.id[:-8] == "File"


@pytest.mark.parametrize(
    ("name", "pattern", "is_arn"),
    [
        ("openai", "openai-??????", False),
        ("team/openai-abcdef", "team/openai-abcdef-??????", False),
        (f"{ARN}-AbCdEf", f"{ARN}-AbCdEf", True),
        (ARN, f"{ARN}-??????", True),
        (f"{ARN}-key", f"{ARN}-key-??????", True),
    ],
)
def test_a_policy_names_one_secret(name: str, pattern: str, *, is_arn: bool) -> None:
    assert find_secret_pattern(AdoptedSecret(name)) == (pattern, is_arn)


def test_a_row_has_what_the_function_cannot_take_for_granted() -> None:
    openai = model_of("openai", KeyPlace("env", "K"), max_output_tokens=9, aliases=("a",))
    assert build_row(openai, "S") == {
        "provider": {
            "url": "https://a.test/v1",
            "model": "m",
            "apis": ["openai-chat"],
            "secret": "S",
            "limit_key": "max_completion_tokens",
            "counts": True,
        },
        "headers": ["X-Own"],
        "max_output_tokens": 9,
        "aliases": ["a"],
    }
    azure = build_row(model_of("azure", KeyPlace("env", "K")), "S")["provider"]
    assert (azure["header"], azure["prefix"]) == ("api-key", "")
    native = build_row(model_of("anthropic", KeyPlace("env", "K"), "anthropic-messages"), "S")["provider"]
    assert (native["header"], native["prefix"]) == ("x-api-key", "")
    assert native["adds"] == {"anthropic-version": "2023-06-01"}
    assert build_row(model_of("openrouter", KeyPlace("env", "K")), "S")["provider"]["check"] == "/key"
    lab = build_row(model_of(None, None, "openai-chat", "anthropic-messages"), "")["provider"]
    assert lab == {
        "url": "https://a.test/v1",
        "model": "m",
        "apis": ["openai-chat", "anthropic-messages"],
        "counts": True,
    }
