"""C1: models, endpoints and their names."""

from __future__ import annotations

from centralized_ml_api.config.checks.models import (
    copies,
    hosting,
    image,
    instances,
    names,
    packages,
    sample,
    source,
)

RULES = (
    *names.RULES,
    *instances.RULES,
    *source.RULES,
    *packages.RULES,
    *sample.RULES,
    *image.RULES,
    *hosting.RULES,
    *copies.RULES,
)
