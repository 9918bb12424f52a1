"""Whether the document has the shape of the schema: pydantic finds what differs, this room words it.

What is plainly right is read without pydantic.
"""

from __future__ import annotations

from centralized_ml_api.config.shape.validate import validate_shape

__all__ = ["validate_shape"]
