"""The way to the translator and on to model servers: see `local/run/translator_server.mjs`.

A call that must be translated goes to the translator's socket, with all that the translator needs to know in
a header. The translator calls the model server through a second listener of Envoy, on a socket in the same
folder, and names the cluster there. So a provider's key is added by the cluster, as for every other call, and
the translator never sees it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.envoy.clusters import build_authority
from centralized_ml_api.local.envoy.headers import REQUEST_ID, build_header

if TYPE_CHECKING:
    from centralized_ml_api.local.gateway import ExternalUpstream, ServedRoute

TRANSLATOR_CLUSTER = "translator"
TRANSLATOR_SOCKET = "translator.sock"
SERVERS_SOCKET = "servers.sock"
"""The translator's socket, and that of the listener it calls on, relative to the folder of both processes."""

TRANSLATION_HEADER = "x-mlapi-translation"
TRANSLATED_ID_HEADER = "x-mlapi-request-id"
"""What the translator is told of a call, and the call's id."""

CLUSTER_HEADER = "x-mlapi-cluster"
"""Where the translator calls."""


def build_translation_mutations(
    route: ServedRoute, external: ExternalUpstream | None
) -> list[dict[str, Any]]:
    """Builds the mutations that tell the translator what to do; none for a call that needs none. Pure.

    Args:
        route: Where the call goes.
        external: Its server, if that is elsewhere.
    """
    asked = route.translation
    if asked is None:
        return []
    told = {
        "client": asked.client,
        "server": asked.server,
        "cluster": route.upstream,
        "authority": build_authority(external) if external else "localhost",
        "path": route.rewrite,
        "limitKey": asked.limit_key,
        "takesStreamOptions": asked.takes_stream_options,
    }
    return [
        {"append": build_header(TRANSLATION_HEADER, json.dumps(told).replace("%", "%%"))},
        {"append": build_header(TRANSLATED_ID_HEADER, REQUEST_ID)},
    ]


def build_translator_cluster() -> dict[str, Any]:
    """Builds the cluster of the translator, which listens on a socket in Envoy's own folder. Pure."""
    address = {"pipe": {"path": TRANSLATOR_SOCKET}}
    return {
        "name": TRANSLATOR_CLUSTER,
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": TRANSLATOR_CLUSTER,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }
