"""`hf://owner/repo/file`: a file of the Hugging Face hub."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.weights.connection import LOOPBACK, Address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.config.weights import HuggingFaceWeights
    from centralized_ml_api.local.weights.web_errors import RefusedError

_HUB = "https://huggingface.co"


def build_address(source: HuggingFaceWeights, environment: Mapping[str, str] = os.environ) -> Address:
    """Where the hub, or the mirror that `HF_ENDPOINT` names, has a file; with the user's `HF_TOKEN`.

    Source: https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables

    Raises:
        WeightsError: the mirror is not served over https, so a token would travel in the clear.
    """
    endpoint = environment.get("HF_ENDPOINT") or _HUB
    parts = urlsplit(endpoint)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise WeightsError(
            f"HF_ENDPOINT is {endpoint}, which is not https", fix="name an https address there"
        )
    url = f"{endpoint.rstrip('/')}/{source.repository}/resolve/main/{quote(source.file)}"
    return Address(url, environment.get("HF_TOKEN", ""))


def explain_refusal(source: HuggingFaceWeights, address: Address, refusal: RefusedError) -> WeightsError:
    """What 401 and 403 mean on the hub: terms to accept first, a private repository, or none at all."""
    page = f"{address.url.partition('/resolve/')[0]}"
    token = (
        "make sure that the token in HF_TOKEN may read it" if address.token else "set HF_TOKEN to your token"
    )
    return WeightsError(
        f"hf://{source.repository} is gated, private, or does not exist: {refusal.message}",
        fix=f"accept its terms at {page}, then {token}",
    )
