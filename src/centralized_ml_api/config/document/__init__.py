"""Text -> values and positions: what stands in the file and where, before anybody asks what it means."""

from __future__ import annotations

from centralized_ml_api.config.document.document import Document, NodePath, json_path
from centralized_ml_api.config.document.load import load_document
from centralized_ml_api.config.document.node import Node
from centralized_ml_api.config.document.source import SourceText

__all__ = ["Document", "Node", "NodePath", "SourceText", "json_path", "load_document"]
