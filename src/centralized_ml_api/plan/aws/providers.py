"""How AWS calls models that providers host, and where it keeps the keys. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from centralized_ml_api.plan.aws.types import AdoptedSecret, OwnSecret, ProviderTarget

if TYPE_CHECKING:
    from centralized_ml_api.plan.aws.types import Secret
    from centralized_ml_api.plan.provider import KeyPlace, ProviderServing

_DIGITS = 8

RANDOM_CHARACTERS = 6
"""How many characters Secrets Manager adds to the name of a secret in its ARN, after a hyphen.

Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
"""


def build_provider_target(serving: ProviderServing) -> ProviderTarget:
    """Builds what AWS must know of a provider's model."""
    return ProviderTarget(serving, _build_secret(serving.key) if serving.key else None)


def _build_secret(place: KeyPlace) -> Secret:
    """Entries that name the same place share a secret."""
    if place.kind == "secret":
        return AdoptedSecret(place.where)
    digest = hashlib.sha256(f"{place.kind} {place.where}".encode()).hexdigest()[:_DIGITS]
    return OwnSecret(f"{place.kind.title()}{digest}", place)


def find_secret_pattern(secret: AdoptedSecret) -> tuple[str, bool]:
    """Returns what stands for the secret in a policy, and whether that is a whole ARN.

    Otherwise it is the last part of one. A name, and an ARN without the random characters, need a pattern
    that has exactly these.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
    """
    pattern = f"-{'?' * RANDOM_CHARACTERS}"
    if not secret.name.startswith("arn:"):
        return f"{secret.name}{pattern}", False
    _, hyphen, end = secret.name.rpartition("-")
    is_whole = bool(hyphen) and len(end) == RANDOM_CHARACTERS
    return secret.name if is_whole else f"{secret.name}{pattern}", True
