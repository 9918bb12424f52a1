"""Weights: from what the config says to a verified file on this machine.

`fetch` decides, one file per kind of source downloads, `cache` keeps what came. Everything that fails is a
`WeightsError` with a fix.
"""

from __future__ import annotations

from centralized_ml_api.local.weights.disk import render_bytes
from centralized_ml_api.local.weights.fetch import fetch_weights, find_cached, size_of
from centralized_ml_api.local.weights.progress import FetchCancelledError, Progress

__all__ = ["FetchCancelledError", "Progress", "fetch_weights", "find_cached", "render_bytes", "size_of"]
