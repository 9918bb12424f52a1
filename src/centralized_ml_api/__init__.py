"""Centralized ML API: one JSON file lists models, one command gives one HTTP API with a path per model."""

__version__ = "0.1.0"
