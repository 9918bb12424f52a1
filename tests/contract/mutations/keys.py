"""Documents with an event in which something about keys is wrong, and the case that notices."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
_RESPONSES = "x-amazon-apigateway-gateway-responses"
_AUTHORIZER = "x-amazon-apigateway-authorizer"


@dataclass(frozen=True)
class KeyMutation:
    """What is changed, how, and the name of the case that then fails."""

    name: str
    change: Callable[[Document], None]
    noticed_by: str

    def apply(self, document: Mapping[str, Any]) -> Document:
        """The document with the change."""
        changed = copy.deepcopy(dict(document))
        self.change(changed)
        return changed


def _open_a_model(document: Document) -> None:
    del document["paths"]["/echo"]["post"]["security"]


def _open_a_list(document: Document) -> None:
    del document["paths"]["/v1/models"]["get"]["security"]


def _forget_the_limits(document: Document) -> None:
    """Whoever the authorizer lets in is in: nobody looks at the key."""
    document["paths"]["/echo"]["post"]["security"].remove({"api_key": []})


def _leave_the_status(document: Document) -> None:
    for kind in ("INVALID_API_KEY", "UNAUTHORIZED"):
        document[_RESPONSES][kind] = document[_RESPONSES]["ACCESS_DENIED"]


def _ask_for_the_plain_header(document: Document) -> None:
    (scheme,) = document["paths"]["/v1/chat/completions"]["post"]["security"][0]
    authorizer = document["components"]["securitySchemes"][scheme][_AUTHORIZER]
    authorizer["identitySource"] = "method.request.header.x-api-key"


def _take_the_header(document: Document) -> None:
    document["x-amazon-apigateway-api-key-source"] = "HEADER"


def _forget_the_header(kind: str, name: str) -> Callable[[Document], None]:
    """A gateway response without one of its headers, which must have been there."""

    def change(document: Document) -> None:
        del document[_RESPONSES][kind]["responseParameters"][f"gatewayresponse.header.{name}"]

    return change


def _guard_preflights(document: Document) -> None:
    document["paths"]["/echo"]["options"]["security"] = document["paths"]["/echo"]["post"]["security"]


MUTATIONS = (
    KeyMutation("a model without security", _open_a_model, "/echo without a key is 401"),
    KeyMutation("a list without security", _open_a_list, "a list without a key is 401"),
    KeyMutation("no key is required", _forget_the_limits, "a team over its rate is 429"),
    KeyMutation("an unknown key is 403", _leave_the_status, "a key that nobody has is 401"),
    KeyMutation("no bearer", _ask_for_the_plain_header, "a bearer opens OpenAI's paths"),
    KeyMutation("keys come from the header", _take_the_header, "a bearer opens OpenAI's paths"),
    KeyMutation(
        "a 401 does not say how",
        _forget_the_header("UNAUTHORIZED", "www-authenticate"),
        "a 401 at /echo says how a key is sent",
    ),
    KeyMutation(
        "clients wait for the next day",
        _forget_the_header("QUOTA_EXCEEDED", "x-should-retry"),
        "a team over its day is 429",
    ),
    KeyMutation("preflights need a key", _guard_preflights, "a preflight needs no key"),
)
