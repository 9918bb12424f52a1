"""What bodies model servers take, and which entries that makes part of the OpenAI-compatible paths. Pure.

What local engines speak is in `engines`; here is what the containers of JumpStart's models speak.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING

from centralized_ml_api.plan.apis import CHAT, EMBEDDINGS, MODEL_APIS, list_paths
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES
from centralized_ml_api.plan.vision import find_local_vision
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from centralized_ml_api.catalog.facts import ModelFacts
    from centralized_ml_api.config.schema import (  # noqa: TC004  # nothing reads the annotations
        ServerSpeaks,
        Speaks,
    )
    from centralized_ml_api.plan.apis import ModelApi, ServerApi
    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment


_TRANSLATED: dict[ServerSpeaks, ServerSpeaks] = {
    "text-generation-inference": CHAT.name,
    "text-inputs": CHAT.name,
    "text-embeddings-inference": EMBEDDINGS.name,
    "text-inputs-embeddings": EMBEDDINGS.name,
}
"""Which API under `/v1` a server that speaks none of these has all the same, where something translates."""

_APIS = {api.name: api for api in MODEL_APIS}

_TEXT_ALONE: frozenset[ServerSpeaks] = frozenset({"text-generation-inference", "text-inputs"})
"""Chats whose bodies have no place for tools and pictures."""


@record
class OpenAiModels:
    """The names of the entries behind the paths under `/v1`, in config order.

    Attributes:
        chat: Those of `/v1/chat/completions`.
        embeddings: Those of `/v1/embeddings`.
        others: Those of the other APIs, by the API's name: pairs in the order of `MODEL_APIS`.
        takes_tools: Of an entry that chats, whether its model can call tools, where that is known.
        sees: Of an entry that chats, whether its model sees pictures, where that is known.
        aliases: Other names of these entries: by alias, the entry's name.
        translated: Entries that have an API by translation, with the API's name: its first path, no other.
    """

    chat: tuple[str, ...] = ()
    embeddings: tuple[str, ...] = ()
    others: tuple[tuple[ServerSpeaks, tuple[str, ...]], ...] = ()
    takes_tools: Mapping[str, bool] = field(default_factory=dict)
    sees: Mapping[str, bool] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    translated: frozenset[tuple[str, ServerSpeaks]] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, as `/v1/models` lists them: those that chat first."""
        others = (name for _, names in self.others for name in names)
        return tuple(dict.fromkeys((*self.chat, *others, *self.embeddings)))

    @property
    def by_api(self) -> dict[ServerSpeaks, tuple[str, ...]]:
        """The names behind each API that any entry has."""
        every = {CHAT.name: self.chat, **dict(self.others), EMBEDDINGS.name: self.embeddings}
        return {api: names for api, names in every.items() if names}

    def paths_of(self, name: str) -> tuple[str, ...]:
        """Returns the paths under `/v1` that an entry has."""
        return self.paths_by_name().get(name, ())

    def paths_by_name(self) -> dict[str, tuple[str, ...]]:
        """Returns the paths under `/v1` of every entry, by its name."""
        found: dict[str, list[str]] = {}
        for path in list_paths(self.by_api):
            for name in self.names_at(path):
                found.setdefault(name, []).append(path)
        return {name: tuple(paths) for name, paths in found.items()}

    def names_at(self, path: str) -> tuple[str, ...]:
        """Returns the entries behind a path under `/v1`."""
        (api,) = (api for api in MODEL_APIS if path in api.paths)
        names = self.by_api.get(api.name, ())
        if path == api.paths[0]:
            return names
        return tuple(name for name in names if (name, api.name) not in self.translated)

    def aliases_of(self, name: str) -> tuple[str, ...]:
        """Returns the other names of an entry."""
        return tuple(alias for alias, entry in self.aliases.items() if entry == name)

    def with_aliases(self, names: Iterable[str]) -> tuple[str, ...]:
        """Returns these names of entries, then their other names."""
        known = dict.fromkeys(names)
        return (*known, *(alias for alias, entry in self.aliases.items() if entry in known))

    def only(self, served: Collection[str]) -> OpenAiModels:
        """Returns those of these names."""
        built = _build((name, api) for api, names in self.by_api.items() for name in names if name in served)
        return replace(
            built,
            takes_tools=self.takes_tools,
            sees=self.sees,
            aliases=_only_aliases(self.aliases, built),
            translated=frozenset(pair for pair in self.translated if pair[0] in served),
        )

    def capabilities_of(self, name: str) -> dict[str, bool]:
        """Returns what an entry can do; what nobody knows is left out."""
        return self._tell_capabilities(name, [api for api, names in self.by_api.items() if name in names])

    def capabilities_by_name(self) -> dict[str, dict[str, bool]]:
        """Returns what every entry can do, by its name; what nobody knows is left out."""
        found: dict[str, list[ServerSpeaks]] = {}
        for api, names in self.by_api.items():
            for name in names:
                found.setdefault(name, []).append(api)
        return {name: self._tell_capabilities(name, apis) for name, apis in found.items()}

    def _tell_capabilities(self, name: str, apis: Iterable[ServerSpeaks]) -> dict[str, bool]:
        can = {_APIS[api].capability: True for api in apis}
        tasks = {CHAT.capability: False, EMBEDDINGS.capability: False, **can}
        more = {"tools": self.takes_tools, "vision": self.sees}
        told = {what: known.get(name) if tasks["chat"] else False for what, known in more.items()}
        return {**tasks, **{what: can for what, can in told.items() if can is not None}}


def openai_models(
    spoken: Iterable[tuple[str, ServerSpeaks | None]],
    aliases: Mapping[str, str] | None = None,
    translated: Iterable[tuple[str, ServerSpeaks]] = (),
    sees: Mapping[str, bool] | None = None,
) -> OpenAiModels:
    """Builds them from pairs of an entry's name and what its server speaks, where something translates.

    Args:
        spoken: An entry whose server speaks several APIs has a pair each.
        aliases: Those of these entries are kept.
        translated: Those of the pairs of which an entry has the API's first path alone.
        sees: Whether entries see pictures, where that is known; bodies without a place for any say so too.
    """
    known = [(name, speaks) for name, speaks in spoken if speaks]
    without = {name: False for name, speaks in known if speaks in _TEXT_ALONE}
    built = _build((name, _TRANSLATED.get(speaks, speaks)) for name, speaks in known)
    return replace(
        built,
        takes_tools=without,
        sees={**(sees or {}), **without},
        aliases=_only_aliases(aliases or {}, built),
        translated=frozenset(translated),
    )


def local_openai_models(plan: ApiPlan, *, translates: bool = False) -> OpenAiModels:
    """Builds those of one machine: servers that speak the APIs under `/v1`.

    Args:
        plan: What is served.
        translates: Whether the translator runs, so that some have other APIs as well.
    """
    spoken = [
        (entry.name, speaks) for entry in plan.deployments for speaks in list_spoken(entry) if speaks in _APIS
    ]
    translated = [
        (entry.name, api) for entry in plan.deployments if translates for api in list_translated(entry)
    ]
    order = {entry.name: place for place, entry in enumerate(plan.deployments)}
    built = _build(sorted([*spoken, *translated], key=lambda pair: order[pair[0]]))
    return replace(
        built,
        aliases=_only_aliases(plan.event.aliases, built),
        translated=frozenset(translated),
        sees=find_local_vision(plan.deployments),
    )


def list_translated(entry: ModelDeployment) -> dict[ServerSpeaks, ServerApi]:
    """Returns the APIs that an entry has by translation, each with the one that its server is asked in.

    Other engines than those that translate speak everything already, or are the user's own code.
    """
    return entry.local.serving.find_translated(list_spoken(entry)) if entry.local else {}


def find_own_api(entry: ModelDeployment) -> ModelApi | None:
    """Returns the API of an entry's own path on one machine, if it is one of those under `/v1`."""
    return next((_APIS.get(api) for api in (*list_spoken(entry), *list_translated(entry))), None)


def list_passed_headers(entry: ModelDeployment, api: ModelApi | None) -> tuple[str, ...]:
    """Returns the request headers that reach an entry's server on one machine, besides the usual ones.

    A server that somebody else runs gets those of the API that it is called in; one that runs here knows
    none of them, and the translator writes its own.

    Args:
        entry: The entry.
        api: What it is called in, if that is one of those under `/v1`.
    """
    serving = entry.local.serving if entry.local else None
    if serving is None or api is None or serving.runs_here or api.name not in list_spoken(entry):
        return entry.headers
    return (*entry.headers, *api.headers)


def _only_aliases(aliases: Mapping[str, str], models: OpenAiModels) -> dict[str, str]:
    """Returns those of these entries."""
    names = {*models.names}
    return {alias: entry for alias, entry in aliases.items() if entry in names}


def list_spoken(entry: ModelDeployment) -> tuple[ServerSpeaks, ...]:
    """Returns what an entry's server on one machine speaks; what the config says of it counts first."""
    if entry.local is None:
        return ()
    return entry.local.speaks or entry.local.serving.find_speaks(entry.speaks)


RECORDING_BYTES = 25 * 1024 * 1024
"""The largest body of an entry that hears, unless the config says otherwise.

Source: https://platform.openai.com/docs/guides/speech-to-text (files of up to 25 MB)
"""


def find_body_limit(entry: ModelDeployment) -> int:
    """Returns the bytes of the largest body that one machine sends to the entry's own server.

    SageMaker takes no more than the API does on both targets.
    """
    if entry.local is None or entry.local.serving.engine == "sagemaker":
        return BODY_LIMIT_BYTES
    if entry.max_body_mib is not None:
        return entry.max_body_mib * 1024 * 1024
    takes_audio = (entry.about.takes or "").startswith("audio/")
    hears = any(_APIS[api].takes_form for api in list_spoken(entry) if api in _APIS)
    return RECORDING_BYTES if hears or takes_audio else BODY_LIMIT_BYTES


def _build(spoken: Iterable[tuple[str, ServerSpeaks]]) -> OpenAiModels:
    names: dict[ServerSpeaks, dict[str, None]] = {}
    for name, api in spoken:
        names.setdefault(api, {})[name] = None
    chat, embeddings = (tuple(names.pop(api.name, ())) for api in (CHAT, EMBEDDINGS))
    others = tuple((api, tuple(names[api])) for api in _APIS if api in names)
    return OpenAiModels(chat, embeddings, others)


_CONTAINERS: dict[str, Speaks] = {
    "tgi": "text-generation-inference",
    "djl": "text-generation-inference",
    "lmi": "text-generation-inference",
    "vllm": "openai-chat",
    "sglang": "openai-chat",
    "huggingface-pytorch-inference": "text-inputs",
}
"""What the containers of a family speak, by a word in the name of their image's repository.

Source: https://github.com/aws/deep-learning-containers/blob/master/available_images.md (families);
https://docs.djl.ai/master/docs/serving/serving/docs/lmi/user_guides/lmi_input_output_schema.html (LMI).
"""

_CHATTING = re.compile(r"(textgeneration\w*|llm|vlm|reasoning)\b")
_EMBEDDING = re.compile(r"(sentencesimilarity|textembedding|tcembedding)\b")
"""Tasks, as JumpStart's ids name them in their second word."""

_CHAT_KEYS: dict[str, Speaks] = {
    "messages": "openai-chat",
    "text_inputs": "text-inputs",
    "inputs": "text-generation-inference",
}
_EMBEDDING_KEYS: dict[str, Speaks] = {
    "text_inputs": "text-inputs-embeddings",
    "inputs": "text-embeddings-inference",
}
"""What a body with this key is written for: the publisher's examples say more than an image's name."""


def container_speaks(image: str | None) -> Speaks | None:
    """Returns what the server of a text generator speaks, by its image."""
    repository = _repository(image)
    return next((speaks for word, speaks in _CONTAINERS.items() if word in repository), None)


def model_speaks(facts: ModelFacts) -> Speaks | None:
    """Returns what a JumpStart model speaks; None where it neither chats nor embeds, or it is unknown."""
    if _CHATTING.match(facts.task):
        return _by_examples(facts, _CHAT_KEYS) or _chat_container(facts)
    if _EMBEDDING.match(facts.task):
        return _by_examples(facts, _EMBEDDING_KEYS) or _embedding_container(facts)
    return None


def _by_examples(facts: ModelFacts, keys: Mapping[str, Speaks]) -> Speaks | None:
    bodies = [payload.body for payload in facts.payloads if isinstance(payload.body, dict)]
    return next((speaks for key, speaks in keys.items() for body in bodies if key in body), None)


def _chat_container(facts: ModelFacts) -> Speaks | None:
    """Returns what it speaks: only JumpStart's first text generators have scripts for `text_inputs`."""
    speaks = container_speaks(facts.image)
    is_known = speaks != "text-inputs" or facts.task.startswith("textgeneration")
    return speaks if is_known else None


def _embedding_container(facts: ModelFacts) -> Speaks | None:
    repository = _repository(facts.image)
    if "tei" in repository.split("-"):
        return "text-embeddings-inference"
    return "text-inputs-embeddings" if "huggingface-pytorch-inference" in repository else None


def _repository(image: str | None) -> str:
    return (image or "").rpartition("/")[2].partition(":")[0]
