"""Words how a shell comes to trust an API with a certificate authority of its own."""

from __future__ import annotations

_FILE = "mlapi-ca.pem"
_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""What curl, Python's SDKs, Go and Rust read; what requests reads; what Node.js reads."""


def render_trust(authority: str, fingerprint: str) -> str:
    """Returns the lines for a shell. Pure.

    Args:
        authority: The address of the authority's certificate, as a word of a shell.
        fingerprint: Its SHA-256 fingerprint.
    """
    exports = " ".join(f'{name}="$PWD/{_FILE}"' for name in _VARIABLES)
    return "\n".join(
        (
            f"curl --fail --silent --show-error --output {_FILE} {authority}",
            f"openssl x509 -in {_FILE} -noout -fingerprint -sha256",
            f"# It must be {fingerprint}",
            "# From now on this shell trusts this API alone: use another one for pip and git.",
            f"export {exports}",
        )
    )
