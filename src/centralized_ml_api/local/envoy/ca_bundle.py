"""Whose certificates to believe: the machine's own trust store, as a file, because Envoy takes no other."""

from __future__ import annotations

import importlib.util
import os
import ssl
from pathlib import Path

from centralized_ml_api.errors import StartError

_USUAL_PLACES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL, Amazon Linux
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS
)


def find_trust_store() -> Path:
    """The first that exists: what `SSL_CERT_FILE` names, OpenSSL's, the usual places, the one of the AWS SDK.

    Raises:
        StartError: none does.
    """
    named = os.environ.get("SSL_CERT_FILE")
    candidates = (named, ssl.get_default_verify_paths().cafile, *_USUAL_PLACES, _of_the_aws_sdk())
    found = next((Path(one) for one in candidates if one and Path(one).is_file()), None)
    if found is None:
        raise StartError("there are no CA certificates here", fix="name a file of them in SSL_CERT_FILE")
    return found


def _of_the_aws_sdk() -> str | None:
    """Botocore brings one along; it is found without importing botocore, which takes a while."""
    spec = importlib.util.find_spec("botocore")
    return str(Path(spec.origin).parent / "cacert.pem") if spec and spec.origin else None
