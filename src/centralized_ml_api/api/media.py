"""Which media types are bytes. Everything else is text to API Gateway."""

from __future__ import annotations

BINARY_MEDIA_TYPES: tuple[str, ...] = (
    "application/octet-stream",
    "application/pdf",
    "application/x-npy",
    "application/zip",
    "audio/*",
    "image/*",
    "multipart/form-data",
    "video/*",
)
"""A list rather than `*/*`, with which every function would get every body as base64, JSON too.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html
"""
