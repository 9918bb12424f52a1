"""Decides how one machine calls a model of Amazon Bedrock. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from centralized_ml_api.config.bedrock import parse_bedrock_id
from centralized_ml_api.config.schema import BedrockServer, EndpointEntry
from centralized_ml_api.plan.apis import CHAT, CONVERSE, INVOKE
from centralized_ml_api.plan.serving import Serving
from centralized_ml_api.plan.types import BedrockModel
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Collection

    from centralized_ml_api.config.schema import ModelEntry, ServerSpeaks, Speaks
    from centralized_ml_api.plan.apis import ModelApi, ServerApi

OPENAI_BASE = "/openai/v1"
"""Where Bedrock has Chat Completions.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html
"""

_TEXT_SAMPLE = {"input": "What is AWS?"}
_CHAT_SAMPLE = {"messages": [{"role": "user", "content": "What is AWS?"}]}


@record
class BedrockServing(Serving):
    """Calls a model of Bedrock with the organizer's AWS credentials, which the gateway signs with.

    By Chat Completions, bodies pass; everything else is translated to Converse.
    """

    hosted: BedrockModel
    engine: Literal["bedrock"] = field(default="bedrock", init=False)

    runs_here: ClassVar[bool] = False
    reads_json: ClassVar[bool] = True
    limits_output: ClassVar[bool] = True
    is_translated: ClassVar[bool] = True
    is_hosted: ClassVar[bool] = True
    body_rules: ClassVar[str] = "provider"
    title: ClassVar[str] = "bedrock"

    @property
    def region(self) -> str | None:
        """Where it is called, as far as the config says; None for the region of the AWS settings."""
        return self.hosted.region or parse_bedrock_id(self.hosted.model_id).region or None

    @property
    def model(self) -> str | None:
        """What bodies of Chat Completions name; None for Converse, whose bodies name no model."""
        return self.hosted.model_id if self.hosted.is_openai else None

    @property
    def needs_translator(self) -> bool:
        """Whether it is called by Converse."""
        return not self.hosted.is_openai

    @property
    def limit_key(self) -> str:
        """OpenAI's word of today."""
        return "max_completion_tokens"

    @property
    def summary(self) -> str:
        """Bedrock's name of the model, and the region."""
        return f"{self.hosted.model_id}, {self.region or 'the region of your AWS settings'}"

    @property
    def path(self) -> str:
        """The path of Chat Completions at Bedrock, or what precedes those of Converse."""
        return self.path_of(CHAT, CHAT.paths[0], is_first=True)

    def path_of(self, api: ModelApi, path: str, *, is_first: bool) -> str:
        """Returns where Bedrock takes calls; the translator adds the path of Converse."""
        del api, is_first
        return f"{OPENAI_BASE}{path.removeprefix('/v1')}" if self.hosted.is_openai else "/"

    def find_speaks(self, endpoint: Speaks | None) -> tuple[ServerSpeaks, ...]:
        """Returns what Bedrock itself speaks."""
        del endpoint
        return self.hosted.native_apis

    def find_translated(self, spoken: Collection[ServerSpeaks]) -> dict[ServerSpeaks, ServerApi]:
        """Returns the APIs behind the translator, which asks in Converse, or in InvokeModel to embed."""
        if self.hosted.is_openai:
            return Serving.find_translated(self, spoken)
        return dict.fromkeys(self.hosted.apis, INVOKE if self.hosted.embeds else CONVERSE)

    @property
    def sample(self) -> Any:
        """A short chat, or a text to embed."""
        return _TEXT_SAMPLE if self.hosted.embeds else _CHAT_SAMPLE


def build_bedrock_serving(written: BedrockServer) -> BedrockServing:
    """Builds it from a `local` block."""
    return BedrockServing(BedrockModel(written.model, written.region, written.speaks is not None))


def build_bedrock_model(entry: EndpointEntry) -> BedrockModel | None:
    """Returns the model of Bedrock that an entry names, if it names one."""
    if entry.bedrock_model_id is None:
        return None
    return BedrockModel(entry.bedrock_model_id, entry.bedrock_region, entry.speaks is not None)


def find_bedrock(entry: ModelEntry | EndpointEntry) -> BedrockServing | None:
    """Returns how one machine calls Bedrock for the entry, if it does."""
    if entry.local is not None:
        return build_bedrock_serving(entry.local) if isinstance(entry.local, BedrockServer) else None
    model = build_bedrock_model(entry) if isinstance(entry, EndpointEntry) else None
    return BedrockServing(model) if model else None
