"""Where the targets must differ because of API Gateway, SageMaker or Lambda: one table, asserted.

`test_differences` writes `docs/reference/differences.md` from it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api import openai
from centralized_ml_api.api.http import EVENTS_IN_UTF8
from centralized_ml_api.api.notices import MESSAGE_HEADER, MESSAGE_TIME_HEADER, PAUSE_HEADERS, encode_message
from centralized_ml_api.local.lambda_host.proxy_integration import FUNCTION_FAILED, FUNCTION_TOO_SLOW
from centralized_ml_api.plan.apis import (
    CHAT,
    COMPLETIONS,
    EMBEDDINGS,
    FORM_PATHS,
    IMAGES,
    MESSAGES,
    MODEL_APIS,
    RERANK,
    RESPONSES,
    SPEECH,
    TRANSCRIPTIONS,
    TRANSLATIONS,
    list_paths,
)
from contract.api import CUSTOM_ATTRIBUTES, OTHER_HEADER
from contract.case import JSON, Bytes, Expected, Json, Refusal, Request, Saw, refused
from contract.cases.openai import chat
from contract.expectations import AnthropicError, BreaksOff, Catalogued, Created, EndsInError, With, Without

GUIDE = "https://docs.aws.amazon.com/apigateway/latest/developerguide"
SAGEMAKER = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"
FAILED = errors.ApiError(502, "api_error", "api_failed", "")
_PNG = b"\x89PNG\r\n\x1a\n\xff\x00"
_IMAGE = {"Content-Type": "image/png"}


@dataclass(frozen=True)
class Difference:
    """One request, and the response of each target; the texts are a row of the documentation.

    It is sent after as many like it as `before` says.
    """

    name: str
    request: Request
    local: Expected
    aws: Expected
    on_one_machine: str
    on_aws: str
    source: str
    before: int = 0


_FORM = (
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nchat\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\xff\r\n--b--\r\n'
)


def _name_chat(path: str) -> Request:
    """Builds a request that names the model `chat`."""
    if path in FORM_PATHS:
        return Request(path, _FORM, headers={"Content-Type": "multipart/form-data; boundary=b"})
    return Request(path, b'{"model": "chat"}', headers={"Content-Type": JSON})


_TRANSLATED = dict.fromkeys(
    (*RESPONSES.paths, MESSAGES.paths[0]),
    ", and by translation those of providers, of Bedrock and of the engine `url`",
)
_UNLESS_HOSTED = ", unless a model of a provider or of Bedrock has it, by translation too"
_UNLESS_SPOKEN = ", unless the entry's `speaks` says that its endpoint takes this API"

_ELSEWHERE = {
    **dict.fromkeys((*TRANSCRIPTIONS.paths, *SPEECH.paths), refused(openai.MODEL_NOT_FOUND)),
    **dict.fromkeys(RESPONSES.paths, refused(openai.MODEL_NOT_FOUND)),
    **dict.fromkeys(MESSAGES.paths, Expected(404, AnthropicError("not_found_error"), JSON)),
}
"""Where other entries have the path on AWS, or errors another shape."""

DIFFERENCES = (
    Difference(
        "a slash too many around a path: `/name/`, `//name`",
        Request("/echo/"),
        refused(errors.UNKNOWN_PATH),
        Expected(200),
        "404",
        "is the path without it, as people found out; AWS does not say so",
        "https://github.com/aws-powertools/powertools-lambda-python/issues/1552",
    ),
    Difference(
        "binary data for callers that do not accept its type",
        Request("/same", _PNG, headers=_IMAGE),
        Expected(200, Bytes(_PNG), "image/png"),
        Expected(200, Bytes(base64.b64encode(_PNG)), "image/png"),
        "bytes",
        "base64, unless the first type in `Accept` is binary, such as `image/png` or `image/*`;"
        " `*/*` or a missing `Accept` is not enough",
        f"{GUIDE}/api-gateway-payload-encodings-workflow.html",
    ),
    Difference(
        "text for callers that accept a binary type first",
        Request("/same", b'{"a": 1}', headers={"Content-Type": JSON, "Accept": "image/png, */*"}),
        Expected(200, Bytes(b'{"a": 1}'), JSON),
        refused(errors.API_FAILED),
        "the text",
        "500 `api_failed`, because API Gateway decodes the text as base64. Errors are not affected",
        f"{GUIDE}/api-gateway-payload-encodings-workflow.html",
    ),
    Difference(
        "text that is not UTF-8",
        Request("/same", b'"\xff"', headers={"Content-Type": JSON}),
        Expected(200, Bytes(b'"\xff"'), JSON),
        Expected(200, Bytes('"\ufffd"'.encode()), JSON),
        "passes byte for byte",
        "invalid bytes are replaced; send it as `application/octet-stream`",
        f"{GUIDE}/api-gateway-payload-encodings-workflow.html",
    ),
    Difference(
        "a model's error that is not JSON",
        Request("/words"),
        Expected(418, Bytes(b"as it is: \xff"), "text/plain; charset=utf-8"),
        Expected(418, Refusal(errors.MODEL_REFUSED, ("as it is: ",)), JSON),
        "its own bytes and `Content-Type`",
        "its status, with its text in the API's error shape (`model_refused`, `model_failed`): SageMaker"
        " does not pass on its type",
        SAGEMAKER,
    ),
    Difference(
        "`Retry-After` and `Allow` from a model",
        Request("/words"),
        Expected(418, headers={"retry-after": "7"}),
        Expected(418, absent=("retry-after",)),
        "pass",
        "are missing: SageMaker drops them",
        SAGEMAKER,
    ),
    Difference(
        "201 or another 2xx from a model",
        Request("/created"),
        Expected(201),
        Expected(200),
        "passes",
        "becomes 200: SageMaker returns 200 for every success",
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
        "the headers of a function's response",
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
        "its own, plus `x-request-id` and CORS headers if it has none",
        "only its own: a function for web pages must set CORS headers itself",
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
        for what, act in (("raises an exception", "raise"), ("returns an invalid response", "garbage"))
    ),
    Difference(
        "a function that exceeds its timeout",
        Request("/function?act=sleep"),
        refused(FUNCTION_TOO_SLOW),
        refused(FAILED),
        "504 `function_too_slow`",
        "502 `api_failed`, as if it had raised an exception",
        f"{GUIDE}/handle-errors-in-lambda-integration.html",
    ),
    Difference(
        "`created` in `/v1/models`",
        Request("/v1/models", b"", "GET"),
        Expected(200, Created(known=True)),
        Expected(200, Created(known=False)),
        "when the API began to serve",
        "0: no template knows when it was deployed",
        f"{GUIDE}/api-gateway-mapping-template-reference.html",
    ),
    *(
        Difference(
            f"`POST {path}`",
            _name_chat(path),
            Expected(200, Json({"path": path}), JSON),
            _ELSEWHERE.get(path) or refused(errors.UNKNOWN_PATH),
            f"reaches servers that speak this API, as {who}{_TRANSLATED.get(path, '')}",
            f"404{other}",
            SAGEMAKER,
        )
        for who, other, apis in (
            ("llama.cpp does", _UNLESS_HOSTED, (COMPLETIONS, RESPONSES, MESSAGES)),
            ("Python models do", _UNLESS_SPOKEN, (TRANSCRIPTIONS, TRANSLATIONS, SPEECH, IMAGES)),
            ("vLLM does", _UNLESS_SPOKEN, (RERANK,)),
        )
        for api in apis
        for path in api.paths
    ),
    Difference(
        "`routes` in `/v1/models`",
        Request("/v1/models/chat", b"", "GET"),
        Expected(
            200, Json({"routes": [*list_paths(api.name for api in MODEL_APIS if api != EMBEDDINGS)]}), JSON
        ),
        Expected(200, Json({"routes": [*CHAT.paths]}), JSON),
        "every path under `/v1` that the entry's server speaks",
        "one API of a model at SageMaker",
        SAGEMAKER,
    ),
    Difference(
        "`model` in the body of a chat request",
        chat(),
        Expected(200, Json({"model": "chat"}), JSON),
        Expected(200, Json({"model": "its own"}), JSON),
        "reaches the model's server; `model` in the response is what that server returns",
        "is removed: the server knows its model by another name",
        "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
    ),
)

STREAM_DIFFERENCES = (
    Difference(
        "a stream of llama.cpp, `command` or `url` that breaks off",
        Request("/cut"),
        Expected(200, BreaksOff(), EVENTS_IN_UTF8),
        Expected(200, EndsInError(errors.MODEL_FAILED), EVENTS_IN_UTF8),
        "the connection closes before the end of the stream, which clients report as an error",
        'the last event is an error, `data: {"error": …}`, as with a Python model on one machine',
        "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_ModelStreamError.html",
    ),
)
"""The differences of streams: `test_streams` sends these requests."""

KEY_DIFFERENCES = (
    Difference(
        "`Authorization: Bearer` on a model's path",
        Request("/echo", headers={"Authorization": "Bearer {red}"}),
        Expected(200),
        refused(errors.UNAUTHORIZED),
        "works like `x-api-key`",
        "401: only the paths under `/v1` and `/{name}/v1` accept it; `x-api-key` works everywhere",
        f"{GUIDE}/api-gateway-api-key-source.html",
    ),
    Difference(
        "`Retry-After` of a team over its rate",
        Request("/echo", headers={"x-api-key": "{quick}"}),
        refused(errors.TOO_MANY_REQUESTS, headers={"retry-after": "10"}),
        refused(errors.TOO_MANY_REQUESTS, headers={"retry-after": str(errors.RETRY_AFTER_SECONDS)}),
        "the pause that the team's own rate makes, with `x-should-retry: false` above a minute",
        f"{errors.RETRY_AFTER_SECONDS} seconds for every team: a gateway response has fixed headers",
        f"{GUIDE}/supported-gateway-response-types.html",
        before=2,
    ),
    Difference(
        "`Retry-After` of a team over its day",
        Request("/echo", headers={"x-api-key": "{daily}"}),
        refused(errors.QUOTA_EXCEEDED, headers={"x-should-retry": "false"}),
        refused(errors.QUOTA_EXCEEDED, headers={"x-should-retry": "false", "retry-after": "3600"}),
        "the next midnight UTC; in the last minute before it, clients may wait",
        "an hour, as often as you ask; clients may not wait",
        f"{GUIDE}/supported-gateway-response-types.html",
        before=2,
    ),
    Difference(
        "what counts towards a team's rate and day",
        Request("/models", b"", "GET", headers={"x-api-key": "{daily}"}),
        Expected(200),
        refused(errors.QUOTA_EXCEEDED),
        "calls of models that the gateway did not refuse",
        "every request with the team's key, lists and errors too: usage plans know no exceptions",
        f"{GUIDE}/api-gateway-api-usage-plans.html",
        before=2,
    ),
    Difference(
        "another spelling of a path (`/name/`, `//name`, `%6Eame`), by a team with a list of models",
        Request("/function/", headers={"x-api-key": "{listed}"}),
        refused(errors.UNKNOWN_PATH),
        refused(errors.NOT_ALLOWED),
        "404",
        "403: a policy compares paths as they were sent, and may not miss a model",
        "https://github.com/dherault/serverless-offline/issues/273",
    ),
    Difference(
        "the catalogue of a team with a list of models",
        Request("/models", b"", "GET", headers={"x-api-key": "{listed}"}),
        Expected(200, Catalogued(("echo",))),
        Expected(200, Catalogued(("echo", "function", "chat"))),
        "what the team may call, as `/v1/models` does on both targets",
        "every entry: it is one document in S3",
        f"{GUIDE}/integrating-api-with-aws-services-s3.html",
    ),
    Difference(
        "`/health` with a key",
        Request("/health", b"", "GET", headers={"x-api-key": "{listed}"}),
        Expected(200, Json({"status": "ok", "ready": ["echo"]})),
        Expected(200, Json({"status": "ok", "ready": None})),
        "names the entries that the team may call; without a key only the status",
        "only the status: API Gateway does not check keys on a path that needs none",
        f"{GUIDE}/api-gateway-api-key-source.html",
    ),
    Difference(
        "the caller's key, for a function of the config",
        Request("/function", headers={"x-api-key": "{red}"}),
        Expected(200, Without("x-api-key")),
        Expected(200, With("x-api-key"), anonymous_on_aws=True),
        "is removed from the Lambda event",
        "is in the Lambda event, like all headers; models never see it",
        f"{GUIDE}/set-up-lambda-proxy-integrations.html",
    ),
    Difference(
        "`x-event-ends` on a function's response",
        Request("/function?act=own", headers={"x-api-key": "{red}"}),
        Expected(418, headers={"x-event-ends": "2040-06-01T16:00:00Z"}),
        Expected(418, absent=("x-event-ends",), cors=False, identified=False),
        "is present, as on every response",
        "is missing: the function's response passes unchanged",
        f"{GUIDE}/set-up-lambda-proxy-integrations.html",
    ),
)
"""The differences of an event with teams: `{red}` stands for that team's key; `test_keys` sends them."""
PAUSED_WORDS = "Back at 14:00"

MESSAGE = "Mittag, 100 % Käse ☕"
"""What is said to everybody in `test_paused`."""

PAUSE_DIFFERENCES = (
    Difference(
        "a paused model, team or API, on the path of a model or function that API Gateway calls itself",
        Request("/echo", headers={"x-api-key": "{red}"}),
        refused(errors.PAUSED, PAUSED_WORDS, headers=dict(PAUSE_HEADERS)),
        Expected(403, Refusal(errors.PAUSED, (PAUSED_WORDS,)), JSON, dict(PAUSE_HEADERS)),
        "503 `paused`, with the organizer's words",
        '403 with the same body and headers, where `"` and `\\` are replaced: a policy refuses the call, and'
        " a gateway response has one status. Under `/v1`, for models that stream or are hosted, and where"
        " tokens or dollars are limited it is 503",
        f"{GUIDE}/supported-gateway-response-types.html",
    ),
    Difference(
        "`x-event-message` and `x-event-message-time` on the path of a model or function that API Gateway"
        " calls itself",
        Request("/echo", headers={"x-api-key": "{blue}"}),
        Expected(200, headers={MESSAGE_HEADER: encode_message(MESSAGE)}),
        Expected(200, absent=(MESSAGE_HEADER, MESSAGE_TIME_HEADER)),
        "are present while organizers tell everybody something, as on every response",
        "are missing, as from lists, documents and API Gateway's errors: their headers are fixed. `/health`,"
        " and calls of models under `/v1`, are answered by a function that has them",
        f"{GUIDE}/rest-api-parameter-mapping-sources.html",
    ),
)
"""The differences while the team red is paused and there is a message to all; `test_paused` sends them."""
