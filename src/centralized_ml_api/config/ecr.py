"""Reads the address of an image in a private registry of Amazon ECR. Pure."""

from __future__ import annotations

import re

from centralized_ml_api.record import record

_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[a-z0-9][a-z0-9._/-]*)(?P<version>(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?)"
)
"""Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html (registry addresses)"""


@record
class EcrImage:
    """An image: the account and the region of its registry, its repository, and `:tag` or `@sha256:…`."""

    account: str
    region: str
    repository: str
    version: str


def read_ecr_image(written: str) -> EcrImage | None:
    """Returns the parts of the address; None for an image that is elsewhere."""
    found = _IMAGE.fullmatch(written)
    return EcrImage(**found.groupdict()) if found else None
