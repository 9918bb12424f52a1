"""Bodies in and out, for an `inference.py` without `input_fn` or `output_fn`.

The types are those of SageMaker's inference toolkit, and plain text. Where it makes an array of every JSON
value, this gives the value itself: most models here take objects, of which no array can be made.

Source: https://github.com/aws/sagemaker-inference-toolkit/blob/master/src/sagemaker_inference/decoder.py and
encoder.py beside it.
"""

from __future__ import annotations

import importlib
import io
import json
from typing import TYPE_CHECKING, Any

from .answer import JSON
from .refusal import Refusal, not_acceptable, refused_input, unsupported_content_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NPY = "application/x-npy"
CSV = "text/csv"
TEXT = "text/plain"
ANY = "*/*"
FORM = "application/x-www-form-urlencoded"
"""What `curl -d` calls every body unless it is told; taken for JSON, as where nothing is said."""

TEXTUAL = frozenset({JSON, CSV, TEXT})
"""Bodies of these types are handed to functions as `str`, all others as `bytes`."""

_TAKEN = f"{JSON}, {NPY}, {CSV} and {TEXT}"


def read_body(body: str | bytes, content_type: str) -> Any:
    """The default `input_fn`: a JSON value, an array for npy and csv, or text.

    Raises:
        Refusal: 415 for another type, 400 for a body that is not of its type.
    """
    readers: dict[str, Callable[[Any], Any]] = {
        JSON: json.loads,
        FORM: json.loads,
        NPY: _read_npy,
        CSV: _read_csv,
        TEXT: str,
    }
    reader = readers.get(content_type)
    if reader is None:
        raise unsupported_content_type(content_type, _TAKEN)
    try:
        return reader(body)
    except (ValueError, EOFError, RecursionError) as error:
        kind = JSON if content_type == FORM else content_type
        raise refused_input(f"it is not {kind}: {error}") from error


def write_body(prediction: Any, accept: str) -> tuple[bytes, str]:
    """The default `output_fn`: the first type of `accept` that there is a writer for.

    Raises:
        Refusal: 406 where there is none.
        TypeError, ValueError: the prediction cannot be written so: the model's mistake.
    """
    writers = {JSON: _write_json, NPY: _write_npy, CSV: _write_csv, TEXT: _write_text}
    for wanted in _media_types(accept):
        chosen = _most_fitting(wanted, tuple(writers))
        if chosen:
            return writers[chosen](prediction), chosen
    raise _refuse(accept)


def media_type(header: str) -> str:
    """`Text/CSV; charset=utf-8` -> `text/csv`."""
    return header.partition(";")[0].strip().lower()


def _media_types(accept: str) -> Iterable[str]:
    """In the order of the header; a type with `q=0` is one that is not wanted."""
    for part in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if kind and not any(_is_zero(one) for one in parameters):
            yield kind


def _is_zero(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip() == "q" and not value.strip().strip("0.")


def _most_fitting(wanted: str, known: tuple[str, ...]) -> str | None:
    if wanted.endswith("/*"):
        family = "" if wanted == ANY else wanted[:-1]
        return next((kind for kind in known if kind.startswith(family)), None)
    return wanted if wanted in known else None


def _refuse(accept: str) -> Refusal:
    return not_acceptable(accept, _TAKEN)


def _read_npy(body: str | bytes) -> Any:
    numpy = _import_numpy()
    # Never pickles: a caller could run code here.
    return numpy.load(io.BytesIO(_bytes_of(body)), allow_pickle=False)


def _read_csv(body: str | bytes) -> Any:
    numpy = _import_numpy()
    return numpy.genfromtxt(io.StringIO(str(body)), dtype=None, delimiter=",", encoding="utf-8")


def _write_json(prediction: Any) -> bytes:
    # NaN is no JSON: most clients could not read it.
    return json.dumps(prediction, default=_plain, allow_nan=False).encode()


def _write_npy(prediction: Any) -> bytes:
    buffer = io.BytesIO()
    _import_numpy().save(buffer, prediction, allow_pickle=False)
    return buffer.getvalue()


def _write_csv(prediction: Any) -> bytes:
    buffer = io.StringIO()
    _import_numpy().savetxt(buffer, prediction, delimiter=",", fmt="%s")
    return buffer.getvalue().encode()


def _write_text(prediction: Any) -> bytes:
    return str(prediction).encode()


def _plain(value: Any) -> Any:
    """What has `tolist` (arrays, tensors, their numbers) as lists and numbers."""
    tolist = getattr(value, "tolist", None)
    if tolist is None:
        raise TypeError(f"{type(value).__name__} cannot be written as JSON; write an output_fn")
    return tolist()


def _import_numpy() -> Any:
    """Only on use: a model without arrays needs none."""
    try:
        return importlib.import_module("numpy")
    except ImportError as error:
        raise RuntimeError(f"add numpy to requirements.txt: {NPY} and {CSV} need it") from error


def _bytes_of(body: str | bytes) -> bytes:
    return body.encode() if isinstance(body, str) else body
