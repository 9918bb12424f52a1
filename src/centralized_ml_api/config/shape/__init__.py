"""Whether the document has the shape of the model: pydantic finds what differs, this package says it."""

from __future__ import annotations

from centralized_ml_api.config.shape.validate import validate_shape

__all__ = ["validate_shape"]
