"""The paths under `/v1`: what `/v1/models` answers, the errors that they add. Pure.

Source: https://platform.openai.com/docs/api-reference (chat, embeddings, models)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from centralized_ml_api.api.error_shape import ERRORS
from centralized_ml_api.plan.apis import CHAT, EMBEDDINGS
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from centralized_ml_api.api.entry_details import Known
    from centralized_ml_api.api.error_shape import ApiError
    from centralized_ml_api.plan.speaks import OpenAiModels

(CHAT_PATH,) = CHAT.paths
(EMBEDDINGS_PATH,) = EMBEDDINGS.paths
MODELS_PATH = "/v1/models"
MODEL_PATH = f"{MODELS_PATH}/{{model}}"

MOST_NAMED = 20
"""So many models are named to whoever asks for one at another's path."""

MODEL_MISSING = ERRORS["model_missing"]
MODEL_NOT_FOUND = ERRORS["model_not_found"]


def unknown_model(names: Iterable[str]) -> ApiError:
    """Builds the 404 that lists the models of a path."""
    return MODEL_NOT_FOUND.with_message("listing", models=", ".join(names) or "none")


def model_elsewhere(paths: Iterable[str], names: Sequence[str]) -> ApiError:
    """Builds the 404 that lists the paths of the model that was named, and models of this path.

    Of many it lists the first: one machine has such an error of each entry that is elsewhere.
    """
    more = len(names) - MOST_NAMED
    names = [*names[:MOST_NAMED], f"and {more} more: GET {MODELS_PATH}"] if more > 0 else names
    calls = ", ".join(f"POST {path}" for path in paths)
    return MODEL_NOT_FOUND.with_message("elsewhere", paths=calls, models=", ".join(names) or "none")


def missing_model(names: Iterable[str], *, in_form: bool = False) -> ApiError:
    """Builds the 400 that lists the models of a path, whose bodies are JSON or forms."""
    return MODEL_MISSING.with_message("form" if in_form else "listing", models=", ".join(names) or "none")


@record
class ListedModel:
    """What `/v1/models` tells of an entry.

    `created` is when the API began to serve, in seconds since the epoch; 0 where that is unknown.
    `context_length` is in tokens. `capabilities` says whether it can do a thing, where that is known.
    `routes` are its paths under `/v1`. An alias has the name of its entry as `root`.
    """

    name: str
    created: int = 0
    context_length: int | None = None
    capabilities: Mapping[str, bool] = field(default_factory=dict)
    routes: tuple[str, ...] = ()
    root: str | None = None

    @property
    def entry(self) -> str:
        """The name of the entry."""
        return self.root or self.name


def list_models(openai: OpenAiModels, known: Known) -> tuple[ListedModel, ...]:
    """Returns the entries under `/v1`, with what is known of them, then their aliases."""
    capabilities, paths = openai.capabilities_by_name(), openai.paths_by_name()
    entries = {
        name: ListedModel(
            name,
            known.created,
            known.context_lengths.get(name),
            capabilities[name],
            paths[name],
        )
        for name in openai.names
    }
    aliases = (replace(entries[name], name=alias, root=name) for alias, name in openai.aliases.items())
    return (*entries.values(), *aliases)


def spell_in_path(name: str) -> list[str]:
    """Returns how clients write a name into a path: as it is, or with what means something there encoded.

    OpenAI's client for JavaScript encodes less than others do.
    Source: https://github.com/openai/openai-node/blob/master/src/internal/utils/path.ts (encodeURIPath)
    """
    return [*dict.fromkeys((name, quote(name, safe=""), quote(name, safe="-._~!$&'()*+,;=:@")))]


def build_model_list(models: Iterable[ListedModel]) -> dict[str, Any]:
    """Builds the answer of `GET /v1/models`, which clients of OpenAI's and of Anthropic's API read.

    Anthropic's read of a list whether there is another page, and the ids at the ends of this one.
    Source: https://platform.claude.com/docs/en/api/models-list
    """
    data = [build_model(model) for model in models]
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return {"object": "list", "data": data, "has_more": False, "first_id": first, "last_id": last}


def build_model(model: ListedModel) -> dict[str, Any]:
    """Builds the answer of `GET /v1/models/{name}`: OpenAI's fields, Anthropic's, and our own.

    Of an alias, `root` says which entry answers: vLLM tells so of its models, as OpenAI's API once did.
    Source: https://platform.openai.com/docs/api-reference/models, https://platform.claude.com/docs/en/api/models,
    https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
    """
    known: dict[str, Any] = {"capabilities": dict(model.capabilities)} if model.capabilities else {}
    if model.routes:
        known["routes"] = [*model.routes]
    if model.context_length is not None:
        known["context_length"] = model.context_length
    if model.root is not None:
        known["root"] = model.root
    described = {"id": model.name, "object": "model", "created": model.created}
    since = datetime.fromtimestamp(model.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    as_anthropic = {"type": "model", "display_name": model.name, "created_at": since}
    return {**described, "owned_by": "centralized-ml-api", **as_anthropic, **known}
