"""The CORS headers: the same on every answer, so that a page of any origin may call and may read errors.

They are static, as an API Gateway would send them. No cookie ever counts here, so `*` gives nothing away.
Source: https://fetch.spec.whatwg.org/#http-responses (`*` stands for every name but Authorization).
"""

from __future__ import annotations

CORS_HEADERS: tuple[tuple[str, str], ...] = (
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "*"),
)

PREFLIGHT_HEADERS: tuple[tuple[str, str], ...] = (
    ("access-control-allow-methods", "GET, HEAD, POST, OPTIONS"),
    ("access-control-allow-headers", "*, Authorization"),
    ("access-control-max-age", "7200"),  # the most that Chromium keeps
)
