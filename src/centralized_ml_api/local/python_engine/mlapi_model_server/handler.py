"""Loads `inference.py`, calls its functions, and decides what their errors mean.

Source: https://sagemaker.readthedocs.io/en/stable/frameworks/pytorch/using_pytorch.html#serve-a-pytorch-model
and https://github.com/aws/sagemaker-inference-toolkit (`transformer.py`: the optional `context`).
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from .answer import JSON, Answer, build_answer, media_type
from .bodies import ANY, MULTIPART, TEXTUAL, read_body, write_body
from .refusal import Refusal, form_not_accepted, refused_by_model, refused_input

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

MODULE = "inference"
INVOCATIONS = "/invocations"
_BAD_INPUT = (ValueError, TypeError, LookupError)
"""What a function raises for a body that it cannot read: not a number, a missing key, not UTF-8."""

_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class UnusableModuleError(Exception):
    """`inference.py` lacks a function, or has one that cannot be called as required."""


@dataclass(slots=True)
class Context:
    """What a function that takes a `context` gets about one call: the part of SageMaker's that is in use.

    `index` counts the requests of a batch in SageMaker's API; here it is always 0.

    Source: https://github.com/awslabs/multi-model-server/blob/master/mms/context.py (names and arguments)
    """

    model_name: str
    system_properties: dict[str, Any]
    request_headers: Mapping[str, str] = field(default_factory=dict)
    response_headers: dict[str, str] = field(default_factory=dict)

    def get_all_request_header(self, index: int = 0) -> dict[str, str]:
        """Returns the request's headers that reach a model: Content-Type, Accept and those of the config."""
        del index
        return dict(self.request_headers)

    def get_request_header(self, index: int, name: str) -> str | None:
        """Returns one of them, whatever the case of its name; None if it was not sent."""
        del index
        wanted = name.lower()
        return next((value for key, value in self.request_headers.items() if key.lower() == wanted), None)

    def set_response_header(self, index: int, name: str, value: str) -> None:
        """Sets a header of the answer; callers only see `X-Amzn-SageMaker-Custom-Attributes`.

        Args:
            index: The number of the request in its batch; there is one, so nobody asks.
            name: The name of the header.
            value: Its value.
        """
        del index
        self.response_headers[name] = value


@dataclass(frozen=True, slots=True)
class Request:
    """A call as the model gets it: `content_type` and `accept` as sent, or the defaults."""

    body: bytes
    content_type: str
    accept: str
    headers: Mapping[str, str]
    path: str = INVOCATIONS


class Answers(Protocol):
    """What answers requests."""

    def answer(self, request: Request) -> Answer:
        """Runs the model on a request; see `Handler.answer`."""
        ...


@dataclass(frozen=True, slots=True)
class Function:
    """One function of `inference.py`; `takes_context` if it has one parameter more than required."""

    call: Callable[..., Any]
    takes_context: bool

    def __call__(self, *arguments: Any, context: Context) -> Any:
        """Calls the function, with the context if it takes one."""
        return self.call(*arguments, context) if self.takes_context else self.call(*arguments)


_PARAMETERS = {
    "model_fn": ("model_dir",),
    "input_fn": ("request_body", "content_type"),
    "predict_fn": ("input_data", "model"),
    "output_fn": ("prediction", "accept"),
    "transform_fn": ("model", "request_body", "content_type", "accept"),
}


class Handler:
    """The functions of one `inference.py`, and the model that its `model_fn` gave."""

    def __init__(self, functions: Mapping[str, Function], model_dir: Path, name: str) -> None:
        self._functions = functions
        self._model_dir = model_dir
        self._name = name
        self._model = functions["model_fn"](str(model_dir), context=self._context({}))

    def answer(self, request: Request) -> Answer:
        """Runs the model on a request.

        Raises:
            Refusal: The model does not take this request.
            Exception: Whatever the model's own code raises: its bug.
        """
        context = self._context(request.headers)
        content_type, accept = media_type(request.content_type), _accept_of(request)
        try:
            body = request.body.decode() if content_type in TEXTUAL else request.body
        except UnicodeDecodeError as error:
            raise refused_input(f"it is not UTF-8: {error}") from error
        try:
            result = self._result(body, content_type, accept, context)
        except Exception as error:
            chosen_by_model = _chosen_by_model(error)
            if chosen_by_model:
                raise chosen_by_model from error
            raise
        chosen = JSON if media_type(accept) in {ANY, ""} else media_type(accept.partition(",")[0])
        answer = build_answer(result, chosen, context.response_headers)
        return _checked(answer) if self._writes_itself else answer

    def _result(self, body: str | bytes, content_type: str, accept: str, context: Context) -> Any:
        transform = self._functions.get("transform_fn")
        if transform:
            return transform(self._model, body, content_type, accept, context=context)
        data = self._input(body, content_type, context)
        prediction = self._functions["predict_fn"](data, self._model, context=context)
        write = self._functions.get("output_fn")
        return write(prediction, accept, context=context) if write else write_body(prediction, accept)

    def _input(self, body: str | bytes, content_type: str, context: Context) -> Any:
        read = self._functions.get("input_fn")
        if read is None:
            return read_body(body, content_type)
        try:
            return read(body, content_type, context=context)
        except _BAD_INPUT as error:
            if content_type == MULTIPART:  # a model may read forms; this one does not
                raise form_not_accepted() from error
            raise _chosen_by_model(error) or refused_input(_words(error)) from error

    @property
    def _writes_itself(self) -> bool:
        """Whether functions of the model write bodies, rather than `write_body`."""
        return not self._functions.keys().isdisjoint({"output_fn", "transform_fn"})

    def _context(self, headers: Mapping[str, str]) -> Context:
        return Context(self._name, {"model_dir": str(self._model_dir), "gpu_id": None}, headers)


def load_functions(code: Path) -> dict[str, Function]:
    """Imports `inference.py` from a folder, which is first on `sys.path` from then on.

    Raises:
        UnusableModuleError: A function is missing, or cannot be called as required.
        Exception: Whatever the module raises.
    """
    sys.path.insert(0, str(code))
    module = importlib.import_module(MODULE)
    functions = {name: _function(module, name) for name in _PARAMETERS if hasattr(module, name)}
    _check_set(functions)
    return functions


def _function(module: ModuleType, name: str) -> Function:
    call = getattr(module, name)
    parameters = _PARAMETERS[name]
    if inspect.iscoroutinefunction(call):
        raise UnusableModuleError(f"{name} is async; it must be a plain function")
    count = _count_parameters(call, len(parameters))
    if count not in {len(parameters), len(parameters) + 1}:
        raise UnusableModuleError(
            f"{name} takes {count} arguments; it must take ({', '.join(parameters)}) or the same and context"
        )
    return Function(call, takes_context=count > len(parameters))


def _count_parameters(call: Callable[..., Any], needed: int) -> int:
    """Counts the positional parameters; a decorator's `*arguments` takes as many as are needed."""
    kinds = [parameter.kind for parameter in inspect.signature(call).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return needed
    return sum(kind in _BY_POSITION for kind in kinds)


def _check_set(functions: Mapping[str, Function]) -> None:
    if "model_fn" not in functions:
        raise UnusableModuleError("it defines no model_fn(model_dir)")
    others = [name for name in ("input_fn", "predict_fn", "output_fn") if name in functions]
    if "transform_fn" in functions and others:
        raise UnusableModuleError(f"it defines transform_fn, which replaces {', '.join(others)}: keep one")
    if "transform_fn" not in functions and "predict_fn" not in functions:
        raise UnusableModuleError("it defines neither predict_fn(input_data, model) nor transform_fn")


def _accept_of(request: Request) -> str:
    return JSON if request.accept.strip() in {"", ANY} else request.accept


def _chosen_by_model(error: Exception) -> Refusal | None:
    """Returns the answer for an exception with a `status_code` of 400-499, as in SageMaker's toolkit."""
    status = getattr(error, "status_code", None)
    if isinstance(error, Refusal) or not isinstance(status, int) or not 400 <= status < 500:  # noqa: PLR2004
        return None
    return refused_by_model(status, str(getattr(error, "message", "")) or str(error))


def _words(error: Exception) -> str:
    """Returns an error's message for the caller: a `KeyError` alone has only the key."""
    return f"{error} is missing" if isinstance(error, KeyError) else str(error) or type(error).__name__


def _checked(answer: Answer) -> Answer:
    """Checks that an answer at once is JSON if it claims to be: the classic mistake is `str` of a dict."""
    if answer.head.length is None or media_type(answer.head.content_type) != JSON:
        return answer
    body = b"".join(answer.pieces)
    try:
        json.loads(body)
    except ValueError as error:
        raise ValueError(
            f"the response claims to be {JSON} and is not: {error}; it begins {body[:80]!r}"
        ) from error
    return Answer(answer.head, iter([body]))
