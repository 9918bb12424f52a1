"""Text -> values and positions: what stands in the file and where, before anybody asks what it means."""

from __future__ import annotations

from centralized_ml_api.config.document.document import Document, Steps, json_path
from centralized_ml_api.config.document.load import load_document
from centralized_ml_api.config.document.part import Part
from centralized_ml_api.config.document.source import SourceText

__all__ = ["Document", "Part", "SourceText", "Steps", "json_path", "load_document"]
