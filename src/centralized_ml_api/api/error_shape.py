"""The one shape of every error that the API itself answers; what each one says is in `errors.json`.

    {"error": {"message": "...", "type": "...", "code": "...", "request_id": "..."}}

`type` says whose move it is and is one of few; `code` names the case. Both are stable: clients may compare
them. `message` is for people and may change. A model's own error passes through in its own shape.

The nesting and the two words are those of OpenAI's API, so that its SDKs show the message.
Source: https://platform.openai.com/docs/guides/error-codes

`errors.json`, which the JavaScript on AWS reads too:

    retry_after_seconds   what `Retry-After` says with a 503
    waking_retry_after_…  what it says on AWS, where nobody knows when a model that wakes is ready
    not_ready             {state: what `/health` says of an entry that cannot answer}
    sagemaker             what messages of SageMaker contain, by what they mean
    types                 {type: whose move it is}
    errors                {code: {status, type, message, messages?}}

`messages` holds what else the error may say, by a name; in these texts `{name}` is a placeholder.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from centralized_ml_api.record import record

_WRITTEN: dict[str, Any] = json.loads(Path(__file__).with_name("errors.json").read_text(encoding="utf-8"))

RETRY_AFTER_SECONDS: int = _WRITTEN["retry_after_seconds"]
"""About how long a model server takes to come back."""

WAKING_RETRY_AFTER_SECONDS: int = _WRITTEN["waking_retry_after_seconds"]
"""The pause on AWS while a model wakes: that takes minutes, and SageMaker does not say how many."""

NOT_READY_REASONS: dict[str, str] = _WRITTEN["not_ready"]
"""What `/health` says of an entry that cannot answer, by its state; AWS knows more states than a machine."""


@record
class SageMakerMarks:
    """What SageMaker's messages contain where the status alone does not say what happened.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html and
    https://aws.amazon.com/blogs/machine-learning/unlock-cost-savings-with-the-new-scale-down-to-zero-feature-in-amazon-sagemaker-inference/
    (`no_capacity`, a ValidationError)

    Attributes:
        throttled: Any of these: called too often.
        no_endpoint_start: With `no_endpoint`: such a message starts with it.
        no_endpoint: Contained in it: there is no such endpoint, or not yet.
        too_slow: The model took too long.
        no_capacity: The model has no copy that runs: it sleeps, or wakes.
    """

    throttled: list[str]
    no_endpoint_start: str
    no_endpoint: str
    too_slow: str
    no_capacity: str


SAGEMAKER_MARKS = SageMakerMarks(**_WRITTEN["sagemaker"])
LONGEST_WAIT_SECONDS = 60
"""The longest pause that a client may wait out within a call; after a longer one its user must decide."""

STOP_RETRYING = ("x-should-retry", "false")
"""The header that goes with a longer pause. OpenAI's and Anthropic's SDKs obey it; without it they may sleep
for as long as `Retry-After` says, even until the next day.

Source: https://github.com/openai/openai-node/blob/master/src/client.ts (`shouldRetry`)
"""

CHALLENGE = ("www-authenticate", "Bearer")
"""The header that goes with every 401. No browser asks for a password because of this scheme.

Source: RFC 9110, section 15.5.2; RFC 6750, section 3.
"""


@record
class ApiError:
    """One error of the API: its HTTP status, its two stable words and its message."""

    status: int
    type: str
    code: str
    message: str

    def saying(self, message: str) -> ApiError:
        """Returns the same error with another message."""
        return replace(self, message=message)

    def with_message(self, name: str, **values: object) -> ApiError:
        """Returns the same error with one of its other messages, the placeholders filled in.

        Raises:
            KeyError: `errors.json` has no such message for this code, or a placeholder has no value.
        """
        messages: dict[str, str] = _WRITTEN["errors"][self.code]["messages"]
        return self.saying(messages[name].format(**values))


def body_too_large_for_model(limit_bytes: int) -> ApiError:
    """Builds the 413 that names the limit that follows from a model's context. Pure."""
    return BODY_TOO_LARGE.with_message("over_model_limit", bytes=limit_bytes)


def body_too_large_for_entry(limit_bytes: int) -> ApiError:
    """Builds the 413 that names the limit that the config sets for one entry. Pure."""
    megabytes = limit_bytes // (1024 * 1024)
    return BODY_TOO_LARGE.with_message("over_entry_limit", megabytes=megabytes, bytes=limit_bytes)


ERRORS = {
    code: ApiError(error["status"], error["type"], code, error["message"])
    for code, error in _WRITTEN["errors"].items()
}
"""Every error of the API by its code."""

ANSWER_TOO_LARGE = ERRORS["answer_too_large"]
API_FAILED = ERRORS["api_failed"]
BODY_TOO_LARGE = ERRORS["body_too_large"]
EVENT_NOT_STARTED = ERRORS["event_not_started"]
BUDGET_EXCEEDED = ERRORS["budget_exceeded"]
FORBIDDEN = ERRORS["forbidden"]
HEADERS_TOO_LARGE = ERRORS["headers_too_large"]
INVALID_BODY = ERRORS["invalid_body"]
JOB_INTERRUPTED = ERRORS["job_interrupted"]
JOB_NOT_FOUND = ERRORS["job_not_found"]
JOIN_CLOSED = ERRORS["join_closed"]
JOIN_CODE_WRONG = ERRORS["join_code_wrong"]
JOIN_FULL = ERRORS["join_full"]
JOIN_LIMITED = ERRORS["join_limited"]
JOIN_NAME_INVALID = ERRORS["join_name_invalid"]
JOIN_NAME_TAKEN = ERRORS["join_name_taken"]
JOIN_NOT_KEPT = ERRORS["join_not_kept"]
MALFORMED_REQUEST = ERRORS["malformed_request"]
METHOD_NOT_ALLOWED = ERRORS["method_not_allowed"]
MODEL_FAILED = ERRORS["model_failed"]
MODEL_NOT_READY = ERRORS["model_not_ready"]
MODEL_REFUSED = ERRORS["model_refused"]
MODEL_TOO_SLOW = ERRORS["model_too_slow"]
MODEL_WAKING = ERRORS["model_waking"]
NOT_ALLOWED = ERRORS["not_allowed"]
NOT_SERVED = ERRORS["not_served"]
OVERLOADED = ERRORS["overloaded"]
PAUSED = ERRORS["paused"]
PROVIDER_REFUSED_KEY = ERRORS["provider_refused_key"]
QUOTA_EXCEEDED = ERRORS["quota_exceeded"]
REFUSED = ERRORS["refused"]
REFUSED_BY_SAGEMAKER = ERRORS["refused_by_sagemaker"]
REQUEST_TIMEOUT = ERRORS["request_timeout"]
TOKENS_EXCEEDED = ERRORS["tokens_exceeded"]
TOO_MANY_JOBS = ERRORS["too_many_jobs"]
TOO_MANY_REQUESTS = ERRORS["too_many_requests"]
UNAUTHORIZED = ERRORS["unauthorized"]
UNKNOWN_PATH = ERRORS["unknown_path"]
UNKNOWN_TRANSFER_CODING = ERRORS["unknown_transfer_coding"]
UNSUPPORTED_MEDIA_TYPE = ERRORS["unsupported_media_type"]
UPGRADE_REQUIRED = ERRORS["upgrade_required"]


def build_error(error: ApiError, request_id: str) -> dict[str, dict[str, str]]:
    """Builds the body of the answer as a JSON-able dict. Pure."""
    return {
        "error": {
            "message": error.message,
            "type": error.type,
            "code": error.code,
            "request_id": request_id,
        }
    }


def render_error(error: ApiError, request_id: str) -> str:
    """Renders the body of the answer as ASCII JSON text, valid whatever characters the message has."""
    return json.dumps(build_error(error, request_id))
