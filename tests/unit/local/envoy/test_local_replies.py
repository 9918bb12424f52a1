from __future__ import annotations

import json

from centralized_ml_api.local.envoy.local_replies import build_local_reply_config
from centralized_ml_api.local.envoy.settings import Limits


def test_every_failure_of_envoy_has_cors_headers_and_a_request_id() -> None:
    mappers = build_local_reply_config(Limits())["mappers"]
    passed = [mapper for mapper in mappers if "status_code" not in mapper]
    direct, answered, refused = map(json.dumps, passed)
    assert "direct_response" in direct, "what a route answers stays as it is"
    assert "admission_answer" in answered, "and so does what the admission service answers"
    assert "admission_refused" in refused, "what the admission service refused keeps its words"
    for mapper in mappers:
        if mapper is passed[0]:  # has them from its route
            continue
        names = {option["header"]["key"] for option in mapper["headers_to_add"]}
        assert {"access-control-allow-origin", "access-control-expose-headers", "x-request-id"} <= names
        assert ("retry-after" in names) == (mapper.get("status_code") == 503)


def test_messages_name_the_limits_in_force() -> None:
    text = json.dumps(
        build_local_reply_config(
            Limits(body_bytes=2 * 1024 * 1024, response_seconds=0.5, headers_kib=8, headers_count=7)
        )
    )
    for expected in ("limit of 2 MB", "within 0.5 seconds", "exceed 8 KiB", "more than 7 header lines"):
        assert expected in text
