"""What the OpenAPI document says of calls that are answered later, and of the paths of jobs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.http import JOB_PATH, JOBS_PATH
from centralized_ml_api.api.jobs import APPLIED, LISTED, MOST_LISTED, JobStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Operation = dict[str, Any]

_TEXT: Operation = {"type": "string"}
_PREFER: Operation = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": f"With `{APPLIED[1]}`, the call becomes a job, and is answered later.",
    "schema": _TEXT,
}
_WAIT: Operation = {"Retry-After": {"schema": {"type": "integer"}, "description": "When to look again."}}
_OF_JOB: Operation = {"application/json": {"schema": {"$ref": "#/components/schemas/Job"}}}

SCHEMAS: Mapping[str, Any] = {
    "Job": {
        "type": "object",
        "required": ["id", "object", "status", "model", "created_at"],
        "properties": {
            "id": _TEXT,
            "object": {"type": "string", "enum": ["job"]},
            "status": {"type": "string", "enum": [*get_args(JobStatus)]},
            "model": _TEXT,
            "created_at": {"type": "integer", "description": "In seconds since the epoch."},
            "ahead": {"type": "integer", "description": "How many jobs are called before it, if known."},
        },
    },
    "JobList": {
        "type": "object",
        "required": ["object", "data", "first_id", "last_id", "has_more"],
        "properties": {
            "object": {"type": "string", "enum": ["list"]},
            "data": {"type": "array", "items": {"$ref": "#/components/schemas/Job"}},
            "first_id": {**_TEXT, "nullable": True},
            "last_id": {**_TEXT, "nullable": True},
            "has_more": {"type": "boolean"},
        },
    },
}
"""What a job is, and a list of them."""


def add_later_answer(operation: Operation) -> Operation:
    """Returns an operation whose caller may ask to be answered later."""
    location = {"schema": _TEXT, "description": "Where the answer will be."}
    applied = {"schema": {"type": "string", "enum": [APPLIED[1]]}}
    taken = {
        "description": "The call is answered later: it asked for that.",
        "headers": {"Location": location, "Preference-Applied": applied, **_WAIT},
        "content": _OF_JOB,
    }
    return {
        **operation,
        "parameters": [*operation.get("parameters", ()), _PREFER],
        "responses": {"202": taken, **operation["responses"]},
    }


def build_job_operations(
    refusals: Mapping[str, Any], build_error: Callable[[str], Any], security: Operation
) -> dict[str, Operation]:
    """Builds the paths of jobs.

    Args:
        refusals: The responses to callers without a key, where one is required.
        build_error: Builds a response in the one shape of errors from its description.
        security: The keys that every operation takes, as a part of it.
    """
    unknown = {"404": build_error(errors.JOB_NOT_FOUND.message)}
    job_id = {"name": "id", "in": "path", "required": True, "schema": _TEXT}
    told = {"description": "The job, as it was or is now.", "content": _OF_JOB}
    waiting = {"description": "There is no answer yet.", "headers": _WAIT, "content": _OF_JOB}
    answer = {
        "description": "The answer as it would have been, or a job that was cancelled.",
        "content": {"*/*": {}},
    }
    reading = {"default": {"description": "An error that is the answer."}}
    return {
        JOBS_PATH: {"get": {**_build_list(refusals, build_error), **security}},
        JOB_PATH: {
            "get": {
                "operationId": "retrieve_job",
                "summary": "The answer to a call that asked to be answered later",
                "parameters": [job_id],
                "responses": {"200": answer, "202": waiting, **refusals, **unknown, **reading},
                **security,
            },
            "delete": {
                "operationId": "delete_job",
                "summary": "Cancel a job, or forget one that is over",
                "parameters": [job_id],
                "responses": {"200": told, **refusals, **unknown},
                **security,
            },
        },
    }


def _build_list(refusals: Mapping[str, Any], build_error: Callable[[str], Any]) -> Operation:
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_LISTED, "default": LISTED}
    listed = {"application/json": {"schema": {"$ref": "#/components/schemas/JobList"}}}
    return {
        "operationId": "list_jobs",
        "summary": "The jobs of your team, the newest first",
        "parameters": [
            {"name": "limit", "in": "query", "required": False, "schema": limit},
            {
                "name": "after",
                "in": "query",
                "required": False,
                "description": "The `last_id` of the part before.",
                "schema": _TEXT,
            },
        ],
        "responses": {
            "200": {"description": "A part of them.", "content": listed},
            "400": build_error(errors.REFUSED.with_message("limit", most=MOST_LISTED).message),
            **refusals,
            "404": build_error(errors.JOB_NOT_FOUND.message),
        },
    }
