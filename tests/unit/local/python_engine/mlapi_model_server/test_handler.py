"""`inference.py`: what it must define, what its functions get, what their exceptions mean."""

from __future__ import annotations

import importlib
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.python_engine.mlapi_model_server.handler import (
    Handler,
    Request,
    UnusableModuleError,
    load_functions,
)
from centralized_ml_api.local.python_engine.mlapi_model_server.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from centralized_ml_api.local.python_engine.mlapi_model_server.answer import Answer

    Load = Callable[[str], Handler]

MODEL = "def model_fn(model_dir): return model_dir\n"


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Loads an `inference.py` of that text; afterwards it is forgotten."""
    path = list(sys.path)

    def load_text(source: str) -> Handler:
        (tmp_path / "inference.py").write_text(textwrap.dedent(source))
        importlib.invalidate_caches()
        return Handler(load_functions(tmp_path), tmp_path, "name")

    yield load_text
    sys.path[:] = path
    sys.modules.pop("inference", None)


def call(
    handler: Handler,
    body: bytes = b"1",
    content_type: str = "application/json",
    accept: str = "",
    **headers: str,
) -> tuple[bytes, Answer]:
    answer = handler.answer(
        Request(
            body, content_type, accept, {name.replace("_", "-"): value for name, value in headers.items()}
        )
    )
    return b"".join(answer.pieces), answer


def test_without_more_predict_fn_gets_a_value_and_its_answer_is_json(load: Load, tmp_path: Path) -> None:
    handler = load(f"{MODEL}def predict_fn(data, model): return {{'data': data, 'model': model}}")
    body, answer = call(handler, b'{"a": [1]}')
    assert body.decode() == f'{{"data": {{"a": [1]}}, "model": "{tmp_path}"}}'
    assert (answer.head.status, answer.head.content_type) == (200, "application/json")
    assert answer.head.length == len(body)


def test_the_three_functions_are_called_in_order_with_what_sagemaker_gives_them(load: Load) -> None:
    handler = load(f"""
{MODEL}
def input_fn(body, content_type): return [body, content_type]
def predict_fn(data, model): return data + ["predicted"]
def output_fn(prediction, accept): return " ".join([*prediction, accept]), "text/x-own"
""")
    body, answer = call(handler, b"1,2", "Text/CSV; charset=utf-8", "text/plain, */*;q=0.1")
    assert body == b"1,2 text/csv predicted text/plain, */*;q=0.1"
    assert answer.head.content_type == "text/x-own"


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("application/json", "str"),
        ("text/csv", "str"),
        ("image/png", "bytes"),
        ("application/x-npy", "bytes"),
    ],
)
def test_textual_bodies_are_text_and_all_others_bytes(load: Load, content_type: str, kind: str) -> None:
    handler = load(f"{MODEL}def transform_fn(model, body, content_type, accept): return type(body).__name__")
    body, _ = call(handler, content_type=content_type, accept="text/plain")
    assert body.decode() == kind


@pytest.mark.parametrize("accept", ["", "*/*"])
def test_who_accepts_anything_gets_json(load: Load, accept: str) -> None:
    handler = load(f"{MODEL}def transform_fn(model, body, content_type, accept): return '\"' + accept + '\"'")
    body, answer = call(handler, accept=accept)
    assert body == b'"application/json"'
    assert answer.head.content_type == "application/json"


def test_every_function_may_take_a_context(load: Load) -> None:
    handler = load("""
def model_fn(model_dir, context): return context.system_properties["model_dir"] == model_dir
def input_fn(body, content_type, context): return context.get_request_header(0, "x-own")
def predict_fn(data, model, context): return [data, model, context.model_name]
def output_fn(prediction, accept, context):
    context.set_response_header(0, "X-Amzn-SageMaker-Custom-Attributes", "a=b")
    return str(prediction), "text/plain"
""")
    body, answer = call(handler, X_Own="sent")
    assert body == b"['sent', True, 'name']"
    assert answer.head.attributes == "a=b"


@pytest.mark.parametrize(
    "parameters", ["a, b", "a, b, /", "a, b, **more", "a, b, *, warm=True", "*all", "*all, **more"]
)
def test_parameters_that_nobody_must_give_are_no_context(load: Load, parameters: str) -> None:
    handler = load(f"{MODEL}def predict_fn({parameters}): return 'called'")
    assert call(handler)[0] == b'"called"'


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("", "no model_fn"),
        (MODEL, "neither predict_fn"),
        (f"{MODEL}def transform_fn(a, b, c, d): 0\ndef predict_fn(a, b): 0", "replaces predict_fn"),
        (f"{MODEL}def predict_fn(a): 0", r"takes 1 arguments; it must take \(input_data, model\)"),
        (f"{MODEL}async def predict_fn(a, b): 0", "predict_fn is async"),
    ],
)
def test_a_module_that_cannot_work_is_told_why(load: Load, source: str, reason: str) -> None:
    with pytest.raises(UnusableModuleError, match=reason):
        load(source)


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        ("ValueError('no number')", "no number"),
        ("TypeError('no list')", "no list"),
        ("KeyError('text')", "'text' is missing"),
        ("UnicodeDecodeError('utf-8', b'x', 0, 1, 'bad')", "can't decode"),
        ("ValueError()", "ValueError"),
    ],
)
def test_what_input_fn_cannot_read_is_the_callers_mistake(load: Load, raised: str, said: str) -> None:
    handler = load(f"{MODEL}def input_fn(b, c): raise {raised}\ndef predict_fn(data, model): return 1")
    with pytest.raises(Refusal, match=said) as refused:
        call(handler)
    assert (refused.value.status, refused.value.code) == (400, "model_refused")


def test_text_that_is_not_utf_8_is_the_callers_mistake(load: Load) -> None:
    handler = load(f"{MODEL}def predict_fn(data, model): return 1")
    with pytest.raises(Refusal, match="not UTF-8"):
        call(handler, b'"\xff"')


FORM_TYPE = 'multipart/form-data; boundary="x"'


@pytest.mark.parametrize(
    "code", ["", "def input_fn(body, content_type): raise ValueError('no audio that can be read')\n"]
)
def test_a_form_is_refused_with_how_to_send_the_file_instead(load: Load, code: str) -> None:
    handler = load(f"{MODEL}{code}def predict_fn(data, model): return 1")
    with pytest.raises(Refusal) as refused:
        call(handler, b"--x\r\n", FORM_TYPE)
    assert (refused.value.status, refused.value.code) == (415, "unsupported_media_type")
    assert "--data-binary @sample.wav -H 'Content-Type: audio/wav'" in refused.value.message


def test_a_model_may_read_forms(load: Load) -> None:
    handler = load(
        f"{MODEL}def input_fn(body, content_type): return [len(body), content_type]\n"
        "def predict_fn(data, model): return data"
    )
    body, _ = call(handler, b"--x\r\n", FORM_TYPE)
    assert body == b'[5, "multipart/form-data"]'


@pytest.mark.parametrize("function", ["input_fn(a, b)", "predict_fn(a, b)", "output_fn(a, b)"])
def test_any_function_may_choose_a_status_of_400_to_499(load: Load, function: str) -> None:
    predict = "" if function.startswith("predict") else "def predict_fn(data, model): return 1\n"
    handler = load(f"""
{MODEL}
class TooLong(ValueError):
    status_code = 422
{predict}
def {function}: raise TooLong("at most 100 words")
""")
    with pytest.raises(Refusal, match=r"^at most 100 words$") as refused:
        call(handler)
    assert refused.value.status == 422


@pytest.mark.parametrize("status", ["500", "200", "'422'"])
def test_no_other_status_can_be_chosen(load: Load, status: str) -> None:
    handler = load(f"""
{MODEL}
class Odd(RuntimeError):
    status_code = {status}
def predict_fn(data, model): raise Odd("words")
""")
    with pytest.raises(RuntimeError, match="words"):
        call(handler)


@pytest.mark.parametrize(
    "result",
    [
        "None",
        "{'a': 1}",
        "1",
        "('a', 'b', 'c')",
        "('a', None)",
        "str({'a': 1})",
        "'{'",
        "['a']",
        "('a', 'b\\r\\nc: d')",
    ],
)
def test_what_is_no_answer_is_the_models_mistake(load: Load, result: str) -> None:
    handler = load(f"{MODEL}def predict_fn(data, model): return 1\ndef output_fn(p, accept): return {result}")
    with pytest.raises((TypeError, ValueError)) as mistake:
        call(handler)
    assert not isinstance(mistake.value, Refusal)


def test_a_generator_is_an_answer_in_pieces_and_ends_with_its_caller(load: Load) -> None:
    handler = load(f"""
{MODEL}
ended = []
def transform_fn(model, body, content_type, accept):
    def pieces():
        try:
            yield "one"
            yield ""
            yield b"two"
        finally:
            ended.append(True)
    return pieces(), "text/event-stream"
""")
    body, answer = call(handler)
    assert body == b"onetwo"
    assert answer.head.length is None
    cut = handler.answer(Request(b"", "a/b", "", {}))
    assert next(cut.pieces) == b"one"
    close = getattr(cut.pieces, "close")  # noqa: B009  an iterator need not have it
    close()
    assert sys.modules["inference"].ended == [True, True]
