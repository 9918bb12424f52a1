from __future__ import annotations

import json
import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.documents import ServedDocument
from centralized_ml_api.local.envoy.direct_responses import (
    build_405_route,
    build_document_routes,
    build_error_body,
)
from centralized_ml_api.local.envoy.headers import REQUEST_ID


def formatted(inline: str) -> str:
    """What Envoy's formatter makes of it: `%%` is a percent sign, anything else between two is a command."""
    assert inline.count(REQUEST_ID) == 1
    around = inline.split(REQUEST_ID)
    assert all(re.fullmatch(r"(?:[^%]|%%)*", literal) for literal in around), "a lone % would be a command"
    return "an-id".join(literal.replace("%%", "%") for literal in around)


@settings(deadline=None)
@given(st.text())
@example("100%")
@example("%REQ(authorization)%")
@example('"\\ \n \u2028 \u202e </script> 🙂')
def test_any_message_arrives_to_the_letter(message: str) -> None:
    inline = build_error_body(errors.NOT_SERVED.saying(message))["text_format_source"]["inline_string"]
    assert json.loads(formatted(inline)) == {
        "error": {
            "message": message,
            "type": errors.NOT_SERVED.type,
            "code": "not_served",
            "request_id": "an-id",
        }
    }


def test_a_405_names_the_methods_in_its_message_and_in_allow() -> None:
    route = build_405_route({"path": "/chat"}, ("POST", "OPTIONS"))
    body = route["direct_response"]["body_format"]["text_format_source"]["inline_string"]
    assert "Supported: POST, OPTIONS." in body
    headers = {
        option["header"]["key"]: option["header"]["value"] for option in route["response_headers_to_add"]
    }
    assert headers["allow"] == "POST, OPTIONS"


def test_a_document_is_answered_as_it_is_with_its_own_headers() -> None:
    text, other_methods = build_document_routes(
        [ServedDocument("/", "text/html", "<p>100% yours</p>", (("cache-control", "no-cache"),))]
    )
    assert text["direct_response"]["body_format"] == {
        "text_format_source": {"inline_string": "<p>100%% yours</p>"},
        "content_type": "text/html",
    }
    assert text["response_headers_to_add"][-1]["header"] == {"key": "cache-control", "value": "no-cache"}
    assert other_methods["direct_response"]["status"] == 405
