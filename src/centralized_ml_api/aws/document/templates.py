"""Renders answers in VTL, API Gateway's template language: errors in their one shape, with all headers.

Templates set headers and status themselves, so that each answer is one text, which a large API can keep once.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
and
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.http import CORS_HEADERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.api.error_shape import ApiError

REQUEST_ID = "$context.requestId"

_OVERRIDE = "$context.responseOverride"
_ESCAPED = r"""$util.escapeJavaScript($m).replaceAll("\\'","'")"""
"""The text `$m` in a JSON string; `escapeJavaScript` also escapes apostrophes, which JSON does not allow."""

_SHAPE = f'{{"error":{{"message":"{_ESCAPED}","type":"$t","code":"$c","request_id":"{REQUEST_ID}"}}}}'
_MESSAGE = """#set($m=$input.path('$.message'))#if("$!m"=="")#set($m=$input.path('$.Message'))#end"""
_ORIGINAL = (
    "#set($s=$input.path('$.OriginalStatusCode'))#set($m=$input.path('$.OriginalMessage'))"
    """#if("$!m"=="")#set($m=$input.path('$.Message'))#end"""
)
_MARKS = errors.SAGEMAKER_MARKS
_NO_ENDPOINT = f'$m.startsWith("{_MARKS.no_endpoint_start}")&&$m.contains("{_MARKS.no_endpoint}")'
_THROTTLED = "||".join(f'$m.contains("{mark}")' for mark in _MARKS.throttled)


def render_fixed(error: ApiError, headers: Mapping[str, str] | None = None) -> str:
    """Renders an error whose text never changes; a 503 says when to try again."""
    retry = _retry_later() if error.status == errors.MODEL_NOT_READY.status else ""
    return render_empty(headers or {}) + retry + render_body(error)


def render_empty(headers: Mapping[str, str]) -> str:
    """Renders an answer without a body: these headers and those of every answer."""
    return _every_answer() + "".join(render_header(name, f'"{value}"') for name, value in headers.items())


def render_body(error: ApiError) -> str:
    """Renders the body alone, for places that know variables but no template language."""
    return json.dumps(errors.build_error(error, REQUEST_ID), separators=(",", ":"))


def render_refusal(*, sleeps: bool = False) -> str:
    """Renders the answer to a 400 (ValidationError, ThrottlingException): SageMaker's own message.

    An endpoint that does not exist yet is a ValidationError too, and so is a model that `sleeps`, or wakes.
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html and
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html (ThrottlingException, 400)
    """
    return (
        f"{_every_answer()}{_MESSAGE}{_words(errors.REFUSED_BY_SAGEMAKER)}"
        f'#if("$!m"==""){_say(errors.REFUSED_BY_SAGEMAKER)}'
        f"#elseif({_THROTTLED}){_overridden(errors.TOO_MANY_REQUESTS)}{_retry_later()}"
        f"#elseif({_NO_ENDPOINT}){_overridden(errors.MODEL_NOT_READY)}{_say(errors.MODEL_NOT_READY)}"
        f"{_retry_later()}{_waking() if sleeps else ''}#end{_SHAPE}"
    )


def _waking() -> str:
    waking = errors.MODEL_WAKING
    retry = render_header("Retry-After", f'"{errors.WAKING_RETRY_AFTER_SECONDS}"')
    return f'#elseif($m.contains("{_MARKS.no_capacity}")){_overridden(waking)}{_say(waking)}{retry}'


def render_not_now() -> str:
    """Renders the answer to a 429 (ModelNotReadyException): not ready, or called too often."""
    return (
        f"{_every_answer()}{_retry_later()}{_MESSAGE}"
        f'#if("$!m"==""){_say(errors.MODEL_NOT_READY)}#end'
        f"#if({_THROTTLED}){_words(errors.TOO_MANY_REQUESTS)}"
        f"#else{_overridden(errors.MODEL_NOT_READY)}#end{_SHAPE}"
    )


def render_model_error() -> str:
    """Renders the answer to a 424 (ModelError): the model's own status, and its own body where that is JSON.

    A model that gave no status took too long, or its container stopped.
    Source: ModelError at
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
    """
    return (
        f'{_every_answer()}{_ORIGINAL}#if("$!m"==""){_say(errors.MODEL_FAILED)}#end'
        f'#if("$!s"=="")#set($s=0)#end#if($s>=400&&$s<=599)#set($own=true)#set({_OVERRIDE}.status=$s)'
        f"#if($s<500){_words(errors.MODEL_REFUSED)}#else{_words(errors.MODEL_FAILED)}#end"
        f'#elseif($m.contains("{_MARKS.too_slow}")){_overridden(errors.MODEL_TOO_SLOW)}'
        f"#else{_overridden(errors.MODEL_FAILED)}#end"
        f'#if($own&&$m.startsWith("{{"))$m#else{_SHAPE}#end'
    )


def render_header(name: str, value: str) -> str:
    """Renders the setting of a response header to a VTL expression, such as a text in quotes."""
    return f"#set({_OVERRIDE}.header.{name}={value})"


def _every_answer() -> str:
    cors = (render_header(name, f'"{value}"') for name, value in CORS_HEADERS)
    return render_header("x-request-id", REQUEST_ID) + "".join(cors)


def _retry_later() -> str:
    return render_header("Retry-After", f'"{errors.RETRY_AFTER_SECONDS}"')


def _words(error: ApiError) -> str:
    return f'#set($t="{error.type}")#set($c="{error.code}")'


def _overridden(error: ApiError) -> str:
    return f"#set({_OVERRIDE}.status={error.status}){_words(error)}"


def _say(error: ApiError) -> str:
    return f'#set($m="{error.message}")'
