"""The API that the cases call: one config for both targets, models on the odd server, one function."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path
from typing import Any

from centralized_ml_api.plan.apis import EMBEDDINGS, MODEL_APIS
from support.bedrock import CLAUDE, COHERE, TITAN

EXAMPLE_FUNCTION = Path(__file__).parents[2] / "functions" / "example_function"
CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
OTHER_HEADER = "X-Other"
DOWN = "gone"
"""The model that nothing answers for."""

FUNCTION_TIMEOUT_SECONDS = 2

ASLEEP = ("asleep", "asleep-function")
"""Models that sleep, reached directly and through a function."""

MODELS = {
    "echo": "/echo",
    "same": "/same",
    "refuses": "/refuse/422",
    "breaks": "/refuse/500",
    "words": "/status/418",
    "created": "/status/201",
    "attributes": "/status/200",
    "hangs": "/hang",
    "closes": "/close",
    "halves": "/half",
    "garbage": "/garbage",
}
"""Names, and the path of the odd server that says what the model does."""

FUNCTION = """
    import base64, json, time

    def lambda_handler(event, context):
        act = (event["queryStringParameters"] or {}).get("act")
        if act == "raise":
            raise ValueError("wrong inside")
        if act == "sleep":
            time.sleep(60)
        if act == "garbage":
            return ["not", "an", "answer"]
        if act == "own":
            return {"statusCode": 418, "headers": {"Content-Type": "text/plain", "X-Own": "yes"},
                    "multiValueHeaders": {"X-Many": ["a", "b"]}, "body": "own"}
        cors = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "*"}
        if act == "image":
            return {"statusCode": 200, "isBase64Encoded": True, "body": event["body"],
                    "headers": {"Content-Type": "image/png", **cors}}
        return {"statusCode": 200, "headers": cors, "body": json.dumps(event)}
    """


EVERY_API = [api.name for api in MODEL_APIS if api is not EMBEDDINGS]
"""What a server of one machine may speak. At all but the first path, this one answers what it got."""

ALIASES = {"gpt-4o-mini": "chat", "meta-llama/Llama-3.1:8b": "translated"}
UNREACHABLE, NOWHERE, AWAY = "falls-unreachable", "falls-nowhere", "hosted-away"
"""The hosted models whose host nobody reaches: the second falls back on the third, which is no better off."""

HOSTED = {
    "hosted": "gpt-fake",
    "hosted-limited": "limited",
    "hosted-broken": "broken",
    "messages": "claude-fake",
    AWAY: "gpt-fake",
}
"""Names of entries, and the provider's names of their models; `messages` speaks Anthropic's API.

What a model answers depends on its name, or on what it is told to do: see `support.openai_answers.find_act`.
"""

FALLING = {
    "falls": ("first", ["hosted-broken", "hosted"]),
    UNREACHABLE: ("gpt-fake", ["messages"]),
    NOWHERE: ("gpt-fake", [AWAY]),
    "falls-elsewhere": ("broken", ["claude"]),
    "falls-broken": ("broken", ["hosted-limited"]),
}
"""Names of entries that fall back on others, the provider's names of their models, and those others."""

PROVIDER_URL = "https://provider.test/v1"
UNREACHABLE_URL = "https://unreachable.test/v1"
"""Where AWS calls the provider, as its template says: it cannot reach this machine."""

NOBODY_URL = "https://localhost:1/v1"
"""Where nobody answers."""

BEDROCK = {"claude": CLAUDE, "claude-falls": "anthropic.first"}
"""Names of entries, and Bedrock's ids of their models."""

BEDROCK_REGION = "us-west-2"

HOSTED_KEY = "ORGANIZERS_KEY"
"""The variable with the provider's key."""

CHATS = ("chat", "translated", *HOSTED, *FALLING, *BEDROCK)
MEDIA = {"hears": "openai-transcriptions", "says": "openai-speech"}
"""Names of entries, and what the servers of both targets take; these answer what they got."""

EMBEDS = {"titan": TITAN, "cohere": COHERE}
"""Names of entries that embed, and Bedrock's ids of their models."""

LISTED = (*CHATS, *MEDIA, *EMBEDS, *ALIASES)
"""What `/v1/models` lists."""


def build_config(
    folder: Path, odd_port: int, closed_port: int, provider_url: str | None = None
) -> dict[str, Any]:
    """The config; its functions lie in `folder`: one of its own, and the one of the default config.

    With `provider_url`, it has the entries of `HOSTED`, and those of `BEDROCK`.
    """
    _write_functions(folder)
    odd = f"http://127.0.0.1:{odd_port}"
    direct = {"type": "api", "headers": [CUSTOM_ATTRIBUTES, OTHER_HEADER]}
    chats = {"speaks": "openai-chat"}
    entries = [
        *(_model(name, direct, f"{odd}{path}") for name, path in MODELS.items()),
        _model("events", {"type": "stream"}, f"{odd}/events"),
        _model("cut", {"type": "stream"}, f"{odd}/cut"),
        _model("function", _function("contract", FUNCTION_TIMEOUT_SECONDS), f"{odd}/echo"),
        _model("chat", direct, f"{odd}/chat", speaks=EVERY_API) | chats,
        _model("translated", _function("example_function", 20), f"{odd}/chat", **chats) | chats,
        *(
            _model(name, direct, f"{odd}/echo", speaks=speaks) | {"speaks": speaks}
            for name, speaks in MEDIA.items()
        ),
        _model(DOWN, direct, f"http://127.0.0.1:{closed_port}/echo", ping="/echo"),
        _entry("not-served", direct),
        _sleeper("asleep", direct),
        _sleeper("asleep-function", _function("example_function", 20)),
    ]
    hosted = _build_hosted(provider_url) if provider_url else []
    # The hours are over, so that models that may sleep stay asleep.
    over = {"from": "2020-06-01T08:00:00Z", "to": "2020-06-01T18:00:00Z"}
    return {"models": entries, "endpoints": hosted, "event": {"aliases": ALIASES, "hours": [over]}}


def _build_hosted(url: str) -> list[dict[str, Any]]:
    falling = [{**_hosted(name, model, url), "fallback": others} for name, (model, others) in FALLING.items()]
    return [
        *(_hosted(name, model, url) for name, model in HOSTED.items()),
        *falling,
        *(_on_bedrock(name, model) for name, model in (BEDROCK | EMBEDS).items()),
    ]


def _hosted(name: str, model: str, url: str) -> dict[str, Any]:
    kind = "anthropic" if name == "messages" else "openai"
    url = NOBODY_URL if name in {UNREACHABLE, NOWHERE, AWAY} else url
    provider: dict[str, Any] = {"name": kind, "url": url, "model": model, "key": {"env": HOSTED_KEY}}
    provider |= {"speaks": "anthropic-messages"} if kind == "anthropic" else {}
    on_aws = {**provider, "url": UNREACHABLE_URL if url == NOBODY_URL else PROVIDER_URL}
    local = {"engine": "provider", **provider}
    entry = {"name": name, "provider": on_aws, "local": local, "max_output_tokens": 50}
    return {**entry, "integration": {"type": "api"}}


def _on_bedrock(name: str, model: str) -> dict[str, Any]:
    entry = {"name": name, "bedrock_model_id": model, "bedrock_region": BEDROCK_REGION}
    others = {"fallback": ["claude"]} if name == "claude-falls" else {}
    return {**entry, **others, "max_output_tokens": 50, "integration": {"type": "api"}}


def _write_functions(folder: Path) -> None:
    functions = folder / "functions"
    shutil.copytree(EXAMPLE_FUNCTION, functions / "example_function")
    (functions / "contract").mkdir()
    (functions / "contract" / "index.py").write_text(textwrap.dedent(FUNCTION).strip() + "\n")


def _model(name: str, integration: dict[str, Any], url: str, **more: Any) -> dict[str, Any]:
    return {**_entry(name, integration), "local": {"engine": "url", "url": url, **more}}


def _entry(name: str, integration: dict[str, Any]) -> dict[str, Any]:
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
    return {"name": name, "image": image, "instance": "ml.g5.2xlarge", "integration": integration}


def _sleeper(name: str, integration: dict[str, Any]) -> dict[str, Any]:
    """One that sleeps on both targets, and is never started here."""
    local = {"engine": "command", "run": ["sh", "-c", "exit 3 # {port}"], "starts": "on-call"}
    scaling = {"min_capacity": 0, "max_capacity": 1, "invocations_per_instance": 5}
    on_aws = {"autoscaling": {**scaling, "resources": {"memory_mb": 1024}}}
    return {**_entry(name, integration), **on_aws, "local": local}


def _function(name: str, timeout_seconds: int) -> dict[str, Any]:
    properties = {
        "code": f"functions/{name}",
        "permissions": ["sagemaker:InvokeEndpoint"],
        "timeout": timeout_seconds,
    }
    return {"type": "lambda", "properties": properties}
