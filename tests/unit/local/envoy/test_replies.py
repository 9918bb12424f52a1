from __future__ import annotations

import json
import re

from hypothesis import example, given
from hypothesis import strategies as st

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.envoy.headers import REQUEST_ID
from centralized_ml_api.local.envoy.replies import build_error_format, build_local_replies
from centralized_ml_api.local.envoy.settings import Limits


def formatted(inline: str) -> str:
    """What Envoy's formatter makes of it: `%%` is a percent sign, anything else between two is a command."""
    assert inline.count(REQUEST_ID) == 1
    around = inline.split(REQUEST_ID)
    assert all(re.fullmatch(r"(?:[^%]|%%)*", one) for one in around), "a lone % would be a command"
    return "an-id".join(one.replace("%%", "%") for one in around)


@given(st.text())
@example("100%")
@example("%REQ(authorization)%")
@example('"\\ \n \u2028 \u202e </script> 🙂')
def test_any_message_arrives_to_the_letter(message: str) -> None:
    inline = build_error_format(errors.NOT_SERVED.saying(message))["text_format_source"]["inline_string"]
    assert json.loads(formatted(inline)) == {
        "error": {
            "message": message,
            "type": errors.NOT_SERVED.type,
            "code": "not_served",
            "request_id": "an-id",
        }
    }


def test_every_failure_of_envoy_has_cors_headers_and_a_request_id() -> None:
    mappers = build_local_replies(Limits())["mappers"]
    (passed,) = [one for one in mappers if one.keys() == {"filter"}]
    assert "metadata_filter" in json.dumps(passed), "what a route has said itself stays as it is"
    for mapper in mappers:
        if mapper is passed:
            continue
        names = {one["header"]["key"] for one in mapper["headers_to_add"]}
        assert {"access-control-allow-origin", "access-control-expose-headers", "x-request-id"} <= names
        assert ("retry-after" in names) == (mapper["status_code"] == 503)


def test_messages_name_the_limits_in_force() -> None:
    text = json.dumps(
        build_local_replies(
            Limits(body_bytes=2 * 1024 * 1024, answer_seconds=0.5, headers_kib=8, headers_count=7)
        )
    )
    for expected in ("larger than 2 MB", "within 0.5 seconds", "larger than 8 KiB", "more than 7 lines"):
        assert expected in text
