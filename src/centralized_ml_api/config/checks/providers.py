"""C8: models that somebody else hosts: which provider, at which address, and by which of its APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.checks.context import given
from centralized_ml_api.config.checks.provider_keys import KEY, KEY_PLACE, OPEN_KEY_FILE, OPENAI
from centralized_ml_api.config.providers import PRESETS
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context, ObjectNode
    from centralized_ml_api.config.document.node import Node
    from centralized_ml_api.errors import Problem

_HOSTING = ("provider", "bedrock")
"""Engines whose models somebody else hosts."""

_ELSEWHERE = ("url", "sagemaker", *_HOSTING)
"""Engines that start no process on this machine."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_ANTHROPIC = '"engine": "provider", "name": "anthropic", "model": "claude-haiku-4-5", "key": {"env": "K"}'
_NATIVE = "anthropic-messages"


def _check_source(context: Context) -> Iterator[Problem]:
    for endpoint in context.root.objects("endpoints"):
        hosted = given(endpoint, ("provider", "bedrock_model_id"))
        source = hosted[0] if hosted else ""
        others = {
            "provider": ("endpoint_name", *hosted[1:], "speaks"),
            "bedrock_model_id": ("endpoint_name",),
        }
        for key in others.get(source, ()):
            other = endpoint.member(key)
            if other:
                yield TWO_SOURCES.problem(
                    other.key_location,
                    found=f"{quoted(key)} as well as {quoted(source)}",
                    expected=f"{quoted(source)} alone: the entry is no SageMaker endpoint then",
                    fix='move it into "provider"' if key == "speaks" else "remove one of the two",
                )


TWO_SOURCES = CheckedRule(
    id="C801",
    title="more than one source of an endpoint",
    meaning="""\
An entry of `endpoints` is one thing that exists already: a SageMaker endpoint (nothing more, or
`endpoint_name`), a model of a provider (`provider`) or of Bedrock (`bedrock_model_id`). `speaks` beside
`provider` would say what a SageMaker endpoint takes; what a provider's model takes is said inside.""",
    example=Example(
        at="$.endpoints[0]",
        wrong=f'"endpoint_name": "My-Endpoint", "provider": {{{OPENAI}, {KEY}}}',
        right='"endpoint_name": "My-Endpoint"',
    ),
    check=_check_source,
)


def _check_address(context: Context) -> Iterator[Problem]:
    needing = listed((quoted(name) for name, preset in PRESETS.items() if preset.url is None), "and")
    for provider in context.providers:
        name, url = provider.value.get("name"), given(provider, ("url",))
        if not url and not given(provider, ("name",)):
            yield NO_ADDRESS.problem(
                provider.key_location,
                found='neither "name" nor "url"',
                expected="a provider by its name, or the address of a server that speaks OpenAI's API",
                fix='add "name": "openai", or "url": "http://gpu-box:8000/v1"',
            )
        elif not url and isinstance(name, str) and name in PRESETS and PRESETS[name].url is None:
            yield NO_ADDRESS.problem(
                provider.key_location,
                found=f'{quoted(name)} without "url"',
                expected=f"the address of your own resource: {needing} has no common one",
                fix='add "url": "https://RESOURCE.openai.azure.com/openai/v1"',
            )


NO_ADDRESS = CheckedRule(
    id="C802",
    title="provider without an address",
    meaning="""\
`name` stands for the address of a provider and for its habits; `url` is an address of its own: of a
server that speaks OpenAI's API, or of another address of the same provider, such as one in your region.
At `azure`, each resource has its own address, so `url` is needed beside `name`.""",
    example=Example(
        at="$.endpoints[1].local",
        wrong='"engine": "provider", "model": "gpt-5-mini", "key": {"env": "AZURE_KEY"}',
        right='"region": "eu-west-1"',
    ),
    check=_check_address,
)


def _urls(context: Context) -> Iterator[tuple[ObjectNode, Node[str], SplitResult]]:
    """Yields each provider's `url` and its parts, where it is well-formed: C304 reports it otherwise."""
    for provider in context.providers:
        url = provider.string("url")
        try:
            parts = urlsplit(url.value) if url else None
            if url and parts and parts.hostname:
                yield provider, url, parts
        except ValueError:
            continue


def _check_query(context: Context) -> Iterator[Problem]:
    for _, url, parts in _urls(context):
        if parts.query:
            yield URL_WITH_QUERY.problem(
                url.location,
                found=f"{quoted(url.value)}: it has a query",
                expected="a base address, to which paths such as /chat/completions are added",
                fix=f"write {quoted(url.value.partition('?')[0])}",
            )


URL_WITH_QUERY = CheckedRule(
    id="C803",
    title="provider's address with a query",
    meaning="""\
`url` of a provider is a base address such as `https://example.com/v1`; the path of each API is added to
it, so there is no place for a query. At `azure`, use the address that ends with `/openai/v1`: it needs no
`api-version`.""",
    example=Example(
        at="$.endpoints[1]",
        wrong='"local": {"engine": "provider", "url": "https://a.test/v1?version=2", "model": "m"}',
        right='"local": {"engine": "provider", "url": "https://a.test/v1", "model": "m"}',
    ),
    check=_check_query,
)


def _check_encryption(context: Context) -> Iterator[Problem]:
    for provider, url, parts in _urls(context):
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK and given(provider, ("key",)):
            yield KEY_IN_THE_CLEAR.problem(
                url.location,
                found=f"{quoted(url.value)}, where the key and all texts travel unencrypted",
                expected="an https address",
                fix="write https://, or remove the key if that server needs none",
            )


KEY_IN_THE_CLEAR = CheckedRule(
    id="C804",
    title="key sent unencrypted",
    severity="warning",
    meaning="""\
The address begins with `http://`, so everybody on the way can read the key and all texts. Use an
`https://` address. On a network that you trust, or for a server that takes any key, ignore this warning.""",
    example=Example(
        at="$.endpoints[1]",
        wrong='"local": {"engine": "provider", "model": "m", "url": "http://a.test", "key": {"env": "K"}}',
        right='"local": {"engine": "provider", "model": "m", "url": "https://a.test", "key": {"env": "K"}}',
    ),
    check=_check_encryption,
)


def _check_idle_keys(context: Context) -> Iterator[Problem]:
    for engine in _ELSEWHERE:
        for local in context.locals_of(engine):
            for key in given(local, ("replicas", "environment")):
                idle = local.member(key)
                if idle:
                    yield IDLE_KEY.problem(
                        idle.key_location,
                        found=f"{quoted(key)} with the engine {quoted(engine)}",
                        expected="no such key: this engine starts no process",
                        fix=f"remove {quoted(key)}",
                    )


IDLE_KEY = CheckedRule(
    id="C807",
    title="key without effect",
    meaning="""\
`replicas` and `environment` are about processes that are started on this machine. The engines `url`,
`sagemaker`, `provider` and `bedrock` call servers that run elsewhere and start none, so these keys would do
nothing: a server gets its environment and its copies where it is started.""",
    example=Example(
        at="$.endpoints[1]",
        wrong='"local": {"engine": "provider", "url": "https://a.test/v1", "model": "m", "replicas": 2}',
        right='"local": {"engine": "provider", "url": "https://a.test/v1", "model": "m"}',
    ),
    check=_check_idle_keys,
)


def _check_reach(context: Context) -> Iterator[Problem]:
    for provider, url, parts in _urls(context):
        is_on_aws = context.region is not None and provider.path[-1] == "provider"
        if is_on_aws and parts.hostname in _LOOPBACK:
            yield OUT_OF_REACH.problem(
                url.location,
                found=f"{quoted(url.value)}, which is this machine",
                expected="an address that AWS can reach",
                fix='move it into "local", with "engine": "provider", or name a public address',
            )


OUT_OF_REACH = CheckedRule(
    id="C808",
    title="provider that AWS cannot reach",
    meaning="""\
On AWS, a function in the cloud calls the provider. An address such as `http://localhost:8000/v1` is the
function itself there. A server on this machine belongs into `local`.""",
    example=Example(
        wrong='"provider": {"url": "http://localhost:8000/v1", "model": "m"}',
        right='"provider": {"url": "https://gpu.example.org/v1", "model": "m"}',
        suffix="",
    ),
    check=_check_reach,
)


def _check_function(context: Context) -> Iterator[Problem]:
    for entry in context.entries:
        local, integration = entry.object("local"), entry.object("integration")
        hosted = given(entry, ("provider", "bedrock_model_id"))
        is_hosted = hosted or (local and local.value.get("engine") in _HOSTING)
        kind = integration.string("type") if integration else None
        if is_hosted and kind and kind.value == "lambda":
            yield FUNCTION_BEFORE_PROVIDER.problem(
                kind.location,
                found='"lambda" in front of a model of a provider',
                expected='"api" or "stream": functions cannot call providers in this version',
                fix='write "api"',
            )


FUNCTION_BEFORE_PROVIDER = CheckedRule(
    id="C809",
    title="function in front of a provider",
    meaning="""\
A function calls its model by SageMaker's runtime API, which adds no provider's key. Let callers call the
model directly, with `"type": "api"`, or `"stream"` for answers that pass as they come.""",
    example=Example(
        wrong='"provider": {…}, "integration": {"type": "lambda", …}',
        right='"provider": {…}, "integration": {"type": "api"}',
        suffix="",
    ),
    check=_check_function,
)


def _check_native_api(context: Context) -> Iterator[Problem]:
    for provider in context.providers:
        speaks = provider.member("speaks")
        if speaks is None or provider.value.get("name") != "anthropic":
            continue
        written = speaks.value if isinstance(speaks.value, list) else [speaks.value]
        if _NATIVE in written and {*written} != {_NATIVE}:
            yield NATIVE_ANTHROPIC.problem(
                speaks.location,
                found='"anthropic-messages" and others with "name": "anthropic"',
                expected="one of Anthropic's two APIs: each takes the key in a header of its own",
                fix='write "speaks": "anthropic-messages"; callers have OpenAI\'s APIs by translation',
            )


NATIVE_ANTHROPIC = CheckedRule(
    id="C810",
    title="both of Anthropic's APIs",
    meaning="""\
Anthropic's own API takes the key in the header `x-api-key`; Anthropic's copy of OpenAI's API takes it in
`authorization`. An entry has one of the two. With `"speaks": "anthropic-messages"`, clients of OpenAI's chats
and responses are served all the same, by translation.

Source: https://platform.claude.com/docs/en/api/overview""",
    example=Example(
        at="$.endpoints[1]",
        wrong=f'"local": {{{_ANTHROPIC}, "speaks": ["openai-chat", "anthropic-messages"]}}',
        right=f'"local": {{{_ANTHROPIC}, "speaks": "anthropic-messages"}}',
    ),
    check=_check_native_api,
)

RULES = (
    TWO_SOURCES,
    NO_ADDRESS,
    URL_WITH_QUERY,
    KEY_IN_THE_CLEAR,
    KEY_PLACE,
    OPEN_KEY_FILE,
    IDLE_KEY,
    OUT_OF_REACH,
    FUNCTION_BEFORE_PROVIDER,
    NATIVE_ANTHROPIC,
)
