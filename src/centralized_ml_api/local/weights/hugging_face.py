"""Where the Hugging Face hub has things, and what it means when it refuses."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.weights.connection import LOOPBACK, Address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.config.weights import HuggingFaceRepository, HuggingFaceWeights
    from centralized_ml_api.local.weights.web_errors import RefusedError

_HUB = "https://huggingface.co"


def build_address(source: HuggingFaceWeights, environment: Mapping[str, str] = os.environ) -> Address:
    """Where the hub, or the mirror that `HF_ENDPOINT` names, has a file; with the user's `HF_TOKEN`.

    Source: https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables

    Raises:
        WeightsError: the mirror is not served over https, so a token would travel in the clear.
    """
    path = f"{source.repository}/resolve/{quote(source.revision, safe='')}/{quote(source.file)}"
    return _address(path, environment)


def build_listing_address(
    source: HuggingFaceRepository, environment: Mapping[str, str] = os.environ
) -> Address:
    """Where the hub says which files a repository has, how large they are, and their digests.

    Source: https://huggingface.co/docs/hub/api (GET /api/models/{repo_id}/revision/{revision})

    Raises:
        WeightsError: as above.
    """
    path = f"api/models/{source.repository}/revision/{quote(source.revision, safe='')}?blobs=true"
    return _address(path, environment)


def _address(path: str, environment: Mapping[str, str]) -> Address:
    return Address(f"{_find_hub(environment)}/{path}", environment.get("HF_TOKEN", ""))


def _find_hub(environment: Mapping[str, str]) -> str:
    endpoint = environment.get("HF_ENDPOINT") or _HUB
    parts = urlsplit(endpoint)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise WeightsError(
            f"HF_ENDPOINT is {endpoint}, which is not https", fix="name an https address there"
        )
    return endpoint.rstrip("/")


def explain_refusal(
    source: HuggingFaceWeights | HuggingFaceRepository,
    refusal: RefusedError,
    environment: Mapping[str, str] = os.environ,
) -> WeightsError:
    """What 401 and 403 mean on the hub: terms to accept first, a private repository, or none at all."""
    has_token = bool(environment.get("HF_TOKEN"))
    token = "make sure that the token in HF_TOKEN may read it" if has_token else "set HF_TOKEN to your token"
    return WeightsError(
        f"hf://{source.repository} is gated, private, or does not exist: {refusal.message}",
        fix=f"accept its terms at {_find_hub(environment)}/{source.repository}, then {token}",
    )
