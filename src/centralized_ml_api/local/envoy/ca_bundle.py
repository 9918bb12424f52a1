"""Finds the certificate authorities that this machine trusts, as one file: Envoy takes nothing else."""

from __future__ import annotations

import importlib.util
import os
import ssl
from pathlib import Path

from centralized_ml_api.errors import StartError

_SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL, Amazon Linux
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS
)


def find_ca_bundle() -> Path:
    """Returns the first that exists of: `SSL_CERT_FILE`, OpenSSL's, the system's, the AWS SDK's.

    Raises:
        StartError: None of them exists.
    """
    # Botocore is found without an import, which would take a while.
    botocore = importlib.util.find_spec("botocore")
    candidates = (
        os.environ.get("SSL_CERT_FILE"),
        ssl.get_default_verify_paths().cafile,
        *_SYSTEM_BUNDLES,
        Path(botocore.origin).parent / "cacert.pem" if botocore and botocore.origin else None,
    )
    for candidate in candidates:
        if candidate and Path(candidate).is_file():
            return Path(candidate)
    raise StartError(
        "this machine has no CA certificates", fix="set SSL_CERT_FILE to a file of CA certificates"
    )
