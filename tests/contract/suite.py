"""Every case, in the order in which they run: what takes long is read last."""

from __future__ import annotations

from contract.cases import (
    bedrock,
    below_entries,
    bodies,
    documents,
    errors,
    every_host,
    fallback,
    functions,
    health,
    hosted,
    jobs,
    media,
    methods,
    openai,
    paths,
    preflight,
    request_headers,
    response_headers,
    sizes,
    statuses,
    timeouts,
)

ROOMS = (
    bodies,
    request_headers,
    response_headers,
    statuses,
    errors,
    methods,
    paths,
    preflight,
    sizes,
    functions,
    openai,
    hosted,
    bedrock,
    below_entries,
    every_host,
    fallback,
    media,
    jobs,
    documents,
    health,
    timeouts,
)
CASES = [case for room in ROOMS for case in room.CASES]
PATIENT = [case for case in CASES if case.patient]
BY_NAME = {case.name: case for case in CASES}
