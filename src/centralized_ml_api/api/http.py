"""What every path of the API shares: the API's own paths, the CORS headers, the binary media types.

The CORS headers are the same on every answer, so that a page of any origin can call and can read errors. They
are static, as an API Gateway would send them. Cookies never count here, so `*` gives nothing away.
Source: https://fetch.spec.whatwg.org/#http-responses (`*` stands for every name but Authorization).
"""

from __future__ import annotations

PAGE_PATH = "/"
CATALOGUE_PATH = "/models"
OPENAPI_PATH = "/openapi.json"
HEALTH_PATH = "/health"
JOIN_PATH = "/join"
USAGE_PATH = "/v1/usage"
JOBS_PATH = "/v1/jobs"
JOB_PATH = "/v1/jobs/{id}"

PUBLIC_PATHS = (PAGE_PATH, HEALTH_PATH)
"""They need no key, like preflights: the page is an empty shell that asks for one."""

EVENTS = "text/event-stream"
EVENTS_IN_UTF8 = f"{EVENTS}; charset=utf-8"
"""How a stream of events that names no encoding is answered: there is no other.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

MODEL_STATE_HEADER = "x-model-state"
"""What a model does that sleeps or wakes, on the 503 that says when to come back."""

CORS_HEADERS: tuple[tuple[str, str], ...] = (
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "*"),
)

PREFLIGHT_HEADERS: tuple[tuple[str, str], ...] = (
    ("access-control-allow-methods", "GET, HEAD, POST, DELETE, OPTIONS"),
    ("access-control-allow-headers", "*, Authorization"),
    ("access-control-max-age", "7200"),  # the most that Chromium keeps
)


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

AUTHORITY_PATH = "/ca.pem"
"""Where plain HTTP gives the certificate of an API's own authority; compare its fingerprint."""
