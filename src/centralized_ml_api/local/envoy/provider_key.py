"""Adds a provider's key to the calls of an upstream, in the last filters before they leave.

Envoy reads the key from a file, and again when another is renamed to its name. Its configuration has the
file's path alone, and its admin interface shows no secrets. The caller's own header of that name is gone by
then, and would be replaced.
Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/credential_injector_filter
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.envoy.aws_signing import UPSTREAM_CODEC
from centralized_ml_api.local.envoy.headers import IF_ABSENT, build_header

if TYPE_CHECKING:
    from centralized_ml_api.local.gateway import ProviderAccess

_SECRET = "provider-key"  # noqa: S105  # the name of the resource
_EXTENSIONS = "type.googleapis.com/envoy.extensions"


def render_provider_key(key: str) -> str:
    """Renders the file with the key, as Envoy reads it (SDS). Pure."""
    kind = f"{_EXTENSIONS}.transport_sockets.tls.v3.Secret"
    secret = {"@type": kind, "name": _SECRET, "generic_secret": {"secret": {"inline_string": key}}}
    return json.dumps({"resources": [secret]}) + "\n"


def build_provider_filters(access: ProviderAccess) -> list[dict[str, Any]]:
    """Builds the HTTP filters of a cluster; none for a server that needs nothing added. Pure."""
    added = [*_build_key_filter(access), *_build_header_filter(access)]
    return [*added, UPSTREAM_CODEC] if added else []


def _build_header_filter(access: ProviderAccess) -> list[dict[str, Any]]:
    """Sets the other headers, unless the caller's own passed."""
    if not access.headers:
        return []
    mutations = [{"append": build_header(name, value, IF_ABSENT)} for name, value in access.headers]
    kind = f"{_EXTENSIONS}.filters.http.header_mutation.v3.HeaderMutation"
    config = {"@type": kind, "mutations": {"request_mutations": mutations}}
    return [{"name": "provider-headers", "typed_config": config}]


def _build_key_filter(access: ProviderAccess) -> list[dict[str, Any]]:
    if access.key is None:
        return []
    source = {"path": str(access.key), "watched_directory": {"path": str(access.key.parent)}}
    generic = {
        "@type": f"{_EXTENSIONS}.http.injected_credentials.generic.v3.Generic",
        "credential": {
            "name": _SECRET,
            "sds_config": {"path_config_source": source, "resource_api_version": "V3"},
        },
        "header": access.header,
        **({"header_value_prefix": access.prefix} if access.prefix else {}),
    }
    inject = {
        "@type": f"{_EXTENSIONS}.filters.http.credential_injector.v3.CredentialInjector",
        "overwrite": True,
        "credential": {"name": "envoy.http.injected_credentials.generic", "typed_config": generic},
    }
    return [{"name": "provider-key", "typed_config": inject}]
