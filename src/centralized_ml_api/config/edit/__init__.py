"""Changing what a user wrote without touching the rest: comments, order and form stay byte for byte."""

from __future__ import annotations

from centralized_ml_api.config.edit.change import add_entry, set_value
from centralized_ml_api.config.edit.save import save_text

__all__ = ["add_entry", "save_text", "set_value"]
