"""Words how a caller comes to trust an API with a certificate authority of its own."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from centralized_ml_api.api import trust

if TYPE_CHECKING:
    from centralized_ml_api.cli.request import Api


def render_trust(api: Api) -> str:
    """Returns the lines for a shell; empty where nothing has to be done. Pure."""
    if not api.authority_fingerprint:
        return ""
    return trust.render_trust(shlex.quote(api.authority_url), api.authority_fingerprint)
