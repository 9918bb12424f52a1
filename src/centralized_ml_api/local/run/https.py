"""Decides with which certificate `mlapi up` serves: none, the user's, or one of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.local.machine.ports import shown_url

if TYPE_CHECKING:
    from datetime import datetime

    from centralized_ml_api.local.machine.certificates import Certificate
    from centralized_ml_api.local.machine.state_folder import StateFolder
    from centralized_ml_api.local.run.options import ServeOptions, Terminal

HTTPS_FOLDER = "https"
"""Of the state folder: the own authority, which outlives a run, and the certificate of this one."""


def prepare_certificate(
    options: ServeOptions, state: StateFolder, terminal: Terminal, now: datetime
) -> Certificate | None:
    """Returns the certificate to serve with; None for plain HTTP.

    Args:
        options: What `mlapi up` was asked for.
        state: Where the own authority is kept.
        terminal: Is told of a new authority.
        now: Certificates must be valid then.

    Raises:
        StartError: The user's files are no certificate and its key, or own ones cannot be written.
    """
    if not options.https:
        return None
    from centralized_ml_api.local.machine.certificates import (  # noqa: PLC0415  # imports OpenSSL
        load_certificate,
        make_certificate,
    )

    if options.certificate is not None and options.key is not None:
        return load_certificate(options.certificate, options.key, now)
    made, is_new = make_certificate(state.path / HTTPS_FOLDER, options.host, now)
    if is_new:
        terminal.talk("Made a certificate authority for this API, which callers must trust once.")
    return made


def shown_url_of(certificate: Certificate | None, host: str, port: int) -> str:
    """Returns the URL to show for what is served on a host and port.

    Args:
        certificate: The certificate that is shown; None for plain HTTP.
        host: The host that it is served on.
        port: The port.
    """
    if certificate is None:
        return shown_url(host, port)
    return shown_url(host, port, scheme="https", name=certificate.shown_name)


def describe_certificate(certificate: Certificate | None) -> dict[str, str]:
    """Returns the fields of a `LocalStatus` that tell of a certificate."""
    if certificate is None:
        return {}
    return {
        "fingerprint": certificate.fingerprint,
        "authority": str(certificate.authority or ""),
        "authority_fingerprint": certificate.authority_fingerprint,
    }
