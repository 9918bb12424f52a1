"""Asks a provider which models a key may call: that costs nothing, and tells whether the key works.

The gateway calls providers directly, so this does too, whatever proxy the environment names.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from centralized_ml_api.errors import MlApiError

if TYPE_CHECKING:
    from centralized_ml_api.plan.provider import ProviderServing

_TIMEOUT_SECONDS = 10.0
_MOST_BYTES = 16 * 1024 * 1024
_REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_INVALID_KEY = (b"API_KEY_INVALID", b"API key not valid")
"""What the body of a 400 has where Gemini refuses a key."""


class KeyRefusedError(MlApiError):
    """The provider does not take the key."""


class NotAskedError(MlApiError):
    """The provider could not be asked, or its answer says nothing."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes


def check_provider_key(serving: ProviderServing, key: str | None) -> bool:
    """Returns whether the key is known to work; False where no question of the provider tells.

    Args:
        serving: The provider.
        key: The key; None for a server that takes none.

    Raises:
        KeyRefusedError: The provider refuses it.
        NotAskedError: The provider does not answer.
    """
    path = serving.preset.key_path
    answer = _ask(serving, path or "/models", key)
    return path is not None and answer.status == HTTPStatus.OK


def list_provider_models(serving: ProviderServing, key: str | None) -> list[str]:
    """Returns the provider's names of the models that the key may call, sorted.

    Args:
        serving: The provider.
        key: The key; None for a server that takes none.

    Raises:
        KeyRefusedError: The provider refuses it.
        NotAskedError: The provider does not answer, or with something else.
    """
    answer = _ask(serving, f"/models{serving.preset.models_query}", key)
    if answer.status != HTTPStatus.OK:
        raise NotAskedError(f"{serving.title} lists no models: it answered {answer.status}")
    try:
        document: Any = json.loads(answer.body)
        # OpenAI's `{"data": [{"id": …}]}`, or the bare list that Together answers.
        listed = document["data"] if isinstance(document, dict) else document
        return sorted({str(model["id"]) for model in listed})
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotAskedError(f"{serving.title} lists no models: its answer is something else") from error


def _ask(serving: ProviderServing, path: str, key: str | None) -> _Answer:
    from urllib3.util import Timeout  # noqa: PLC0415  # only who asks pays for the import

    from centralized_ml_api.http_client import HttpError, send_request  # noqa: PLC0415

    preset = serving.preset
    headers = dict(preset.headers) | ({preset.header: f"{preset.prefix}{key}"} if key else {})
    url = f"{serving.url.rstrip('/')}{path}"
    try:
        with send_request(url, headers, timeout=Timeout(_TIMEOUT_SECONDS), direct=True) as response:
            answer = _Answer(response.status, response.read(_MOST_BYTES))
    except HttpError as error:
        raise NotAskedError(error.message, fix=error.fix) from error
    if _refuses_key(answer):
        place = f" from {serving.key.title}" if serving.key else ""
        raise KeyRefusedError(
            f"{serving.title} refuses the key{place} ({answer.status})",
            fix="check at the provider that the key is valid and has access; then replace it",
        )
    return answer


def _refuses_key(answer: _Answer) -> bool:
    if answer.status == HTTPStatus.BAD_REQUEST:
        return any(words in answer.body for words in _INVALID_KEY)
    return answer.status in _REFUSALS
