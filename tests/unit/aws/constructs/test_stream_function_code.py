from __future__ import annotations

import json
import re

from centralized_ml_api.api.error_shape import NOT_READY_REASONS
from centralized_ml_api.aws.constructs.stream_function_code import load_stream_code
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES

READ = re.compile(r"NOT_READY_REASONS\.(\w+)")


def test_the_function_gets_the_texts_of_the_api_and_its_limit_of_bodies() -> None:
    code = load_stream_code()
    written = json.loads(code["errors.json"])
    assert written["body_limit_bytes"] == BODY_LIMIT_BYTES
    assert written["not_ready"] == NOT_READY_REASONS
    assert b"texts.body_limit_bytes" in code["errors.mjs"]


def test_every_reason_that_the_function_reads_is_written() -> None:
    read = READ.findall(load_stream_code()["health.mjs"].decode())
    assert read
    assert set(read) <= NOT_READY_REASONS.keys()
