"""The ways to the translator and on: see `local/run/translator_server.mjs`.

A call that must be translated goes to the translator's socket, with all that the translator needs to know in
a header. The translator calls the model server through a second listener of Envoy, on a socket in the same
folder, and names the cluster there. So a provider's key is added by the cluster, as for every other call, and
the translator never sees it.

So does a call of an entry that has others to fall back on. These are called at their own paths, through the
third listener: see `calls_listener`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.endings import NEVER_SENT_FLAGS, SURE_DETAILS, UNASKED_DETAILS
from centralized_ml_api.local.admission.terms import REFUSED, UNANSWERED
from centralized_ml_api.local.envoy.api_keys import TEAM_FORMAT
from centralized_ml_api.local.envoy.clusters import build_authority
from centralized_ml_api.local.envoy.headers import ATTEMPT_HEADER, REQUEST_ID, build_header
from centralized_ml_api.local.gateway import DOOR_CALLER_HEADER, DOOR_TEAM_HEADER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.local.gateway import ExternalUpstream, ServedRoute

TRANSLATOR_CLUSTER = "translator"
TRANSLATOR_SOCKET = "translator.sock"
SERVERS_SOCKET = "servers.sock"
CALLS_SOCKET = "calls.sock"
"""The translator's socket, and those of the listeners it calls on, relative to the folder of all of them."""

TRANSLATION_HEADER = "x-mlapi-translation"
TRANSLATED_ID_HEADER = "x-mlapi-request-id"
"""What the translator is told of a call, and the call's id."""

CLUSTER_HEADER = "x-mlapi-cluster"
"""Where the translator calls."""

FALLBACK_HEADER = "x-mlapi-fallback"
"""Which entries the translator calls in turn."""

PIECE_CHARACTERS = 8_000
"""Of what is told in one header: Envoy's configuration takes no value of more than 16384 bytes.

Each `%` is two bytes there. Source:
https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/config/core/v3/base.proto#config-core-v3-headervalue
"""

IS_NO_ATTEMPT = {"name": ATTEMPT_HEADER, "present_match": True, "invert_match": True}
"""Matches calls as they come from callers."""


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
        **({"model": asked.model} if asked.model else {}),
    }
    return [
        {"append": build_header(TRANSLATION_HEADER, json.dumps(told).replace("%", "%%"))},
        {"append": build_header(TRANSLATED_ID_HEADER, REQUEST_ID)},
    ]


def build_fallback_mutations(route: ServedRoute) -> list[dict[str, Any]]:
    """Builds the mutations that tell the translator whom to call in turn; none for most calls. Pure."""
    if not route.attempts:
        return []
    told = {
        "attempts": [
            {"name": attempt.name, "path": attempt.path, "refused": attempt.refused_to}
            for attempt in route.attempts
        ],
        "unsent": [*NEVER_SENT_FLAGS],
        "sure": sorted(SURE_DETAILS),
        "refused": REFUSED,
        "unanswered": UNANSWERED,
        "unasked": sorted(UNASKED_DETAILS),
    }
    return [
        *({"append": build_header(name, value)} for name, value in _cut(FALLBACK_HEADER, told).items()),
        {"append": build_header(DOOR_CALLER_HEADER, "%DOWNSTREAM_REMOTE_ADDRESS%")},
        {"append": build_header(DOOR_TEAM_HEADER, TEAM_FORMAT)},
        {"append": build_header(TRANSLATED_ID_HEADER, REQUEST_ID)},
    ]


def _cut(name: str, told: Mapping[str, Any]) -> dict[str, str]:
    """Cuts what is told into headers: the first says how many more there are, named `-1`, `-2` and so on."""
    text = json.dumps(told, separators=(",", ":")).replace(" ", "\\u0020")  # no header ends with a space
    pieces = [text[at : at + PIECE_CHARACTERS] for at in range(0, len(text), PIECE_CHARACTERS)]
    values = {f"{name}-{number}": piece.replace("%", "%%") for number, piece in enumerate(pieces, 1)}
    return {name: str(len(pieces)), **values}


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
