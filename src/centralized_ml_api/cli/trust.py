"""Words how a caller comes to trust an API with a certificate authority of its own."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from centralized_ml_api.cli.request import Api

_FILE = "mlapi-ca.pem"
_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""What curl, Python's SDKs, Go and Rust read; what requests reads; what Node.js reads."""


def render_trust(api: Api) -> str:
    """Returns the lines for a shell; empty where nothing has to be done. Pure."""
    if not api.authority_fingerprint:
        return ""
    exports = " ".join(f'{name}="$PWD/{_FILE}"' for name in _VARIABLES)
    return "\n".join(
        (
            f"curl --fail --silent --show-error --output {_FILE} {shlex.quote(api.authority_url)}",
            f"openssl x509 -in {_FILE} -noout -fingerprint -sha256",
            f"# It must be {api.authority_fingerprint}",
            f"export {exports}",
        )
    )
