"""Changes one value of a file and leaves the rest byte for byte: comments, order and form."""

from __future__ import annotations

from centralized_ml_api.config.edit.change import add_entry, set_value
from centralized_ml_api.config.edit.save import save_text

__all__ = ["add_entry", "save_text", "set_value"]
