"""Which bodies are binary to the API: the same list that API Gateway gets as `binaryMediaTypes`."""

from __future__ import annotations

BINARY_TYPES = frozenset(
    {
        "application/octet-stream",
        "application/pdf",
        "application/x-npy",
        "application/zip",
        "multipart/form-data",
    }
)
BINARY_FAMILIES = frozenset({"audio", "image", "video"})


def is_binary(content_type: str) -> bool:
    """Whether a body of that `Content-Type` reaches a function as base64. Pure."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type in BINARY_TYPES or media_type.partition("/")[0] in BINARY_FAMILIES
