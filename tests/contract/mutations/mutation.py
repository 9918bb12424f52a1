"""One mapping broken, and the case that must notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

CONFIGURED = "Content-Type, Accept and the configured headers reach the model"
OTHERS = "no other header reaches the model"
PNG = "a body passes unchanged both ways: image"
JSON = "a body passes unchanged both ways: JSON"
OWN_HEADERS = "the model's custom attributes pass, its other headers do not"
REFUSED = "a model that refuses the input keeps its status and its message"
NOT_READY = "a model that is not ready is 503 with Retry-After"
UNKNOWN = "an unknown path is 404 and lists those that exist: POST /nope"
METHOD = "another method is 405 with Allow: GET /echo"
PREFLIGHT = "a preflight succeeds: /echo"
NO_TYPE = "a missing Content-Type is application/json"
TOO_LARGE = "a body over the limit is 413 naming the limit"
BREAKS_OFF = "a model that breaks off is 502: it closes"
QUERY = "a model never sees the query"
EVENT = "a function gets bytes as base64"
ACCEPTS_IMAGES = "an error reaches callers that accept only images as JSON"
BINARY_METHOD = "another method is 405 whatever body comes with it: application/octet-stream"


CHAT = "a chat is answered"
UNKNOWN_MODEL = "a chat with an unknown model is 404 and lists the models"
ALIAS = "an alias chats: gpt-4o-mini application/json"
ALIAS_DESCRIBED = "an alias is described, with its entry as root: gpt-4o-mini"
MODELS_LISTED = "the models that OpenAI's clients may call are listed"
BELOW_ENTRY = "a list below an entry has it alone"
PAGE = "the page is served with what keeps it safe"
PAGE_FOR_ALL = "the page is a text whatever the caller accepts"
CATALOGUE = "the catalogue lists every entry"
READ_ONLY = "another method is 405 with Allow: POST /"


@dataclass(frozen=True)
class Mutation:
    """`change` breaks `what`; the case named `noticed_by` then fails."""

    what: str
    change: Callable[[Any], object]
    noticed_by: str
