"""Where the targets differ, because API Gateway or SageMaker leaves no choice: one table, asserted.

`docs/reference/differences.md` is written from it: see `test_differences`.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.lambda_host.proxy_integration import FUNCTION_FAILED, FUNCTION_TOO_SLOW
from contract.api import CUSTOM_ATTRIBUTES, OTHER_HEADER
from contract.case import JSON, Bytes, Expected, Json, Refusal, Request, Saw, refused
from contract.cases.openai import chat
from contract.streams import EVENTS, StreamAnswer

if TYPE_CHECKING:
    from support.running_gateway import Answer

GUIDE = "https://docs.aws.amazon.com/apigateway/latest/developerguide"
SAGEMAKER = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"
FAILED = errors.ApiError(502, "api_error", "api_failed", "")
_PNG = b"\x89PNG\r\n\x1a\n\xff\x00"
_IMAGE = {"Content-Type": "image/png"}


@dataclass(frozen=True)
class Difference:
    """One request, and what each target answers; the texts are rows of the documentation."""

    name: str
    request: Request
    local: Expected
    aws: Expected
    on_one_machine: str
    on_aws: str
    source: str


@dataclass(frozen=True)
class With:
    """The event that a function got has this header."""

    header: str

    def check(self, answer: Answer) -> None:
        """Looks."""
        assert self.header in {name.lower() for name in answer.json["headers"]}


@dataclass(frozen=True)
class Without:
    """The event that a function got has no such header."""

    header: str

    def check(self, answer: Answer) -> None:
        """Looks."""
        assert self.header not in {name.lower() for name in answer.json["headers"]}


@dataclass(frozen=True)
class BreaksOff:
    """The stream's first event, and then the connection is closed without HTTP's own end."""

    def check(self, answer: Answer) -> None:
        """Looks."""
        assert isinstance(answer, StreamAnswer)
        assert (answer.body, answer.ended) == (EVENTS[0], False)


@dataclass(frozen=True)
class EndsInError:
    """The stream's first event, the error as the last, and HTTP's own end."""

    error: errors.ApiError

    def check(self, answer: Answer) -> None:
        """Looks."""
        assert isinstance(answer, StreamAnswer)
        assert answer.body.startswith(EVENTS[0]), answer
        assert answer.ended, "HTTP's own end is missing"
        said = json.loads(answer.body.removeprefix(EVENTS[0]).removeprefix(b"data: "))["error"]
        assert (said["type"], said["code"]) == (self.error.type, self.error.code), said


DIFFERENCES = (
    Difference(
        "bytes for callers that do not name their type",
        Request("/same", _PNG, headers=_IMAGE),
        Expected(200, Bytes(_PNG), "image/png"),
        Expected(200, Bytes(base64.b64encode(_PNG)), "image/png"),
        "bytes",
        "base64, unless the first type in `Accept` is a binary one such as `image/png` or `image/*`;"
        " `*/*` and no `Accept` do not count",
        f"{GUIDE}/api-gateway-payload-encodings-workflow.html",
    ),
    Difference(
        "text for callers that accept a binary type first",
        Request("/same", b'{"a": 1}', headers={"Content-Type": JSON, "Accept": "image/png, */*"}),
        Expected(200, Bytes(b'{"a": 1}'), JSON),
        refused(errors.API_FAILED),
        "the text",
        "500 `api_failed`: API Gateway takes the text for base64. Errors are told all the same",
        f"{GUIDE}/api-gateway-payload-encodings-workflow.html",
    ),
    Difference(
        "a text that is not UTF-8",
        Request("/same", b'"\xff"', headers={"Content-Type": JSON}),
        Expected(200, Bytes(b'"\xff"'), JSON),
        Expected(200, Bytes('"\ufffd"'.encode()), JSON),
        "passes byte for byte",
        "what is not UTF-8 is replaced; send it as `application/octet-stream`",
        f"{GUIDE}/api-gateway-payload-encodings-workflow.html",
    ),
    Difference(
        "a model's error that is not JSON",
        Request("/words"),
        Expected(418, Bytes(b"as it is: \xff"), "text/plain; charset=utf-8"),
        Expected(418, Refusal(errors.MODEL_REFUSED, ("as it is: ",)), JSON),
        "its own bytes and `Content-Type`",
        "its status, and its words in the error shape (`model_refused`, `model_failed`): SageMaker does not"
        " tell their type",
        SAGEMAKER,
    ),
    Difference(
        "`Retry-After` and `Allow` of a model",
        Request("/words"),
        Expected(418, headers={"retry-after": "7"}),
        Expected(418, absent=("retry-after",)),
        "pass",
        "do not: SageMaker drops them",
        SAGEMAKER,
    ),
    Difference(
        "a model's 201 or another 2xx",
        Request("/created"),
        Expected(201),
        Expected(200),
        "passes",
        "is 200: SageMaker says 200 for every success",
        SAGEMAKER,
    ),
    Difference(
        "a configured header that SageMaker does not know",
        Request("/echo", headers={OTHER_HEADER: "a", CUSTOM_ATTRIBUTES: "b"}),
        Expected(200, Saw({"content-type": JSON, OTHER_HEADER.lower(): "a", CUSTOM_ATTRIBUTES.lower(): "b"})),
        Expected(200, Saw({"content-type": JSON, CUSTOM_ATTRIBUTES.lower(): "b"})),
        "reaches the model",
        f"reaches SageMaker, which passes on `Content-Type`, `Accept` and `{CUSTOM_ATTRIBUTES}`",
        SAGEMAKER,
    ),
    Difference(
        "the headers of a function's answer",
        Request("/function?act=own"),
        Expected(418, Bytes(b"own"), "text/plain", {"x-own": "yes"}),
        Expected(
            418,
            Bytes(b"own"),
            "text/plain",
            {"x-own": "yes"},
            absent=("access-control-allow-origin",),
            cors=False,
            identified=False,
        ),
        "its own, and `x-request-id` and CORS headers where it has none",
        "its own: a function for web pages sets its CORS headers itself",
        f"{GUIDE}/set-up-lambda-proxy-integrations.html",
    ),
    *(
        Difference(
            f"a function that {what}",
            Request(f"/function?act={act}"),
            refused(FUNCTION_FAILED),
            refused(FAILED),
            "502 `function_failed`",
            "502 `api_failed`",
            f"{GUIDE}/handle-errors-in-lambda-integration.html",
        )
        for what, act in (("raises", "raise"), ("returns no answer", "garbage"))
    ),
    Difference(
        "a function that takes longer than its timeout",
        Request("/function?act=sleep"),
        refused(FUNCTION_TOO_SLOW),
        refused(FAILED),
        "504 `function_too_slow`",
        "502 `api_failed`, as if it had raised",
        f"{GUIDE}/handle-errors-in-lambda-integration.html",
    ),
    Difference(
        "`model` in the body of a chat",
        chat(),
        Expected(200, Json({"model": "chat"}), JSON),
        Expected(200, Json({"model": "its own"}), JSON),
        "reaches the model's server; `model` in the answer is what that server says",
        "is left out: the server knows its model by another name",
        "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
    ),
)

STREAM_DIFFERENCES = (
    Difference(
        "a stream that breaks in the middle, of llama.cpp, `command` or `url`",
        Request("/cut"),
        Expected(200, BreaksOff(), "text/event-stream"),
        Expected(200, EndsInError(errors.MODEL_FAILED), "text/event-stream"),
        "the connection is closed before the stream's end, which clients raise as an error",
        'the last event is an error, `data: {"error": …}`, as it is of a Python model on one machine, too',
        "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_ModelStreamError.html",
    ),
)
"""Those of answers that come in pieces: `test_streams` asks them."""

KEY_DIFFERENCES = (
    Difference(
        "`Authorization: Bearer` on the path of a model",
        Request("/echo", headers={"Authorization": "Bearer {red}"}),
        Expected(200),
        refused(errors.UNAUTHORIZED),
        "is taken like `x-api-key`",
        "401: there only OpenAI's paths below `/v1` take it; `x-api-key` works everywhere",
        f"{GUIDE}/api-gateway-api-key-source.html",
    ),
    Difference(
        "the key of a caller, for a function of the config",
        Request("/function", headers={"x-api-key": "{red}"}),
        Expected(200, Without("x-api-key")),
        Expected(200, With("x-api-key"), anonymous_on_aws=True),
        "is taken out of the event",
        "is in its event, as are all headers; models never see it",
        f"{GUIDE}/set-up-lambda-proxy-integrations.html",
    ),
    Difference(
        "`x-event-ends` on what a function answers",
        Request("/function?act=own", headers={"x-api-key": "{red}"}),
        Expected(418, headers={"x-event-ends": "2040-06-01T16:00:00Z"}),
        Expected(418, absent=("x-event-ends",), cors=False, identified=False),
        "is there, as on every answer",
        "is not: the answer passes as the function gives it",
        f"{GUIDE}/set-up-lambda-proxy-integrations.html",
    ),
)
"""Those of an event with teams: `{red}` stands for the key of that team, and `test_keys` asks them."""
