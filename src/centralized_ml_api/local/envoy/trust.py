"""Whose certificates to believe: the machine's own trust store, as a file, because Envoy takes no other."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

_USUAL_PLACES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL, Amazon Linux
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS
)


def find_trust_store() -> Path | None:
    """The first that exists: what `SSL_CERT_FILE` names, what OpenSSL would take, the usual places."""
    named = os.environ.get("SSL_CERT_FILE")
    candidates = (named, ssl.get_default_verify_paths().cafile, *_USUAL_PLACES)
    return next((Path(one) for one in candidates if one and Path(one).is_file()), None)
