"""Text -> values and positions: what the file contains and where, before anything asks what it means."""

from __future__ import annotations

from centralized_ml_api.config.document.document import Document, NodePath, SourceText, json_path
from centralized_ml_api.config.document.load import load_document
from centralized_ml_api.config.document.node import Node

__all__ = ["Document", "Node", "NodePath", "SourceText", "json_path", "load_document"]
