"""The function that streams before a provider, with the key in Secrets Manager: all of it on loopback."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from centralized_ml_api.plan.aws.providers import build_provider_target
from centralized_ml_api.plan.aws.streaming import build_row
from centralized_ml_api.plan.aws.types import StreamModel
from centralized_ml_api.plan.provider import KeyPlace, ProviderServing
from support.provider import KEY, MODELS, Provider, start_provider
from support.secrets_manager import SecretsManager, start_secrets_manager
from support.signed_runtime import Keys
from support.stream_host import StreamHost, build_event, start_stream_host

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from centralized_ml_api.config.providers import ProviderApi, ProviderName
    from support.background import Background
    from support.stream_host import StreamAnswer

REGION = "us-east-1"
SECRET = "the-key"  # noqa: S105  # a name
ELSEWHERE = "arn:aws:secretsmanager:us-east-1:111122223333:secret:other-AbCdEf"
APIS: tuple[ProviderApi, ...] = (
    "openai-chat",
    "openai-completions",
    "openai-responses",
    "anthropic-messages",
    "openai-embeddings",
)
ASK = {"messages": [{"role": "user", "content": "What is AWS?"}]}


@dataclass
class HostedFunction:
    """The entry `e-NAME` is the provider's model `NAME`; `e-capped` has a limit of 50 tokens."""

    host: StreamHost
    provider: Provider
    secrets: SecretsManager

    def call(
        self,
        model: str = "gpt-fake",
        path: str = "/v1/chat/completions",
        *,
        request_id: str = "the-request",
        **more: Any,
    ) -> StreamAnswer:
        """A call of one of the paths."""
        name = f"e-{model}"
        body = {"model": name, **ASK, **more}
        return self.host.invoke(build_event(path.format(name=name), body, request_id=request_id))

    def send(self, path: str, text: str, headers: Mapping[str, str] | None = None) -> StreamAnswer:
        """A call with this body."""
        return self.host.invoke({**build_event(path, headers=headers), "body": text})

    def logged(self, request_id: str) -> dict[str, Any]:
        """What the function's log says of the tokens of a call."""
        self.host.wait_for_line(request_id, "provider_status")
        line = next(line for line in self.host.lines if request_id in line and "provider_status" in line)
        logged = json.loads(line[line.index("{") :])  # Lambda's own client writes the time and more before it
        return {name: value for name, value in logged.items() if name.startswith("tokens")}

    @property
    def sent(self) -> Any:
        """The body that the provider got last."""
        return self.provider.seen[-1].json


def _row(model: str, url: str, name: ProviderName | None = "openai", **more: Any) -> dict[str, Any]:
    secret, apis = more.pop("secret", SECRET), more.pop("apis", APIS)
    serving = ProviderServing(url, model, KeyPlace("secret", secret) if secret else None, apis, name)
    target = build_provider_target(serving)
    return build_row(StreamModel(f"e-{model}", None, None, (), provider=target, **more), secret)


@contextlib.contextmanager
def start_hosted_function(
    loop: Background,
    folder: Path,
    *,
    idle_seconds: float = 30,
    fallbacks: Mapping[str, list[str]] | None = None,
) -> Iterator[HostedFunction]:
    """It with all models of the provider, until the end of the block; `fallbacks` by the entries' names."""
    keys = Keys(REGION, "secretsmanager")
    keys.add("AKIDFUNCTION", "the/secret+key", "a-token")
    with (
        start_provider(loop, folder) as provider,
        start_secrets_manager(loop, keys) as secrets,
    ):
        secrets.values = {SECRET: f"{KEY}\n", ELSEWHERE: KEY, "empty": None, "strange": "two words"}
        rows = {f"e-{model}": _row(model, provider.url) for model in MODELS}
        rows["e-unheard-of"] = _row("unheard-of", provider.url)
        rows["e-chats"] = _row("gpt-fake", provider.url, apis=("openai-chat",))
        rows["e-capped"] = _row("gpt-fake", provider.url, max_output_tokens=50)
        rows["e-rotated"] = _row("gpt-fake", provider.url, secret=ELSEWHERE)
        rows["e-empty"] = _row("gpt-fake", provider.url, secret="empty")  # noqa: S106  # a name
        rows["e-strange"] = _row("gpt-fake", provider.url, secret="strange")  # noqa: S106  # a name
        rows["e-plain"] = _row("gpt-fake", provider.url, None)
        rows["e-native"] = _row("claude-fake", provider.url, "anthropic", apis=("anthropic-messages",))
        rows["e-foreign"] = _row("gpt-fake", provider.url.replace("localhost", "127.0.0.1"))
        rows["e-closed"] = _row("gpt-fake", "https://localhost:1/v1", aliases=("gpt-4o",))
        for name, fallback in (fallbacks or {}).items():
            rows[name] = {**rows[name], "fallback": fallback}
        environment = {
            "NODE_EXTRA_CA_CERTS": str(provider.certificate),
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets.url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "AKIDFUNCTION",
            "AWS_SECRET_ACCESS_KEY": "the/secret+key",
            "AWS_SESSION_TOKEN": "a-token",
        }
        with start_stream_host(
            models=rows,
            sagemaker_url="http://127.0.0.1:1",
            idle_seconds=idle_seconds,
            environment=environment,
        ) as host:
            yield HostedFunction(host, provider, secrets)
