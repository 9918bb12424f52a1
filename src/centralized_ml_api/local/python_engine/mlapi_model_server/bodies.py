"""Reads requests and writes answers for an `inference.py` without `input_fn` or `output_fn`.

The types are those of SageMaker's inference toolkit, and plain text. The toolkit makes an array of every JSON
value; here it stays as it is, since most models take objects, which cannot become arrays.

Source: https://github.com/aws/sagemaker-inference-toolkit/blob/master/src/sagemaker_inference/decoder.py and
encoder.py beside it.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import json
import math
import re
import warnings
from typing import TYPE_CHECKING, Any

from .answer import JSON
from .refusal import (
    Refusal,
    form_not_accepted,
    not_acceptable,
    refused_input,
    too_large,
    unsupported_content_type,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NPY = "application/x-npy"
CSV = "text/csv"
TEXT = "text/plain"
ANY = "*/*"
FORM = "application/x-www-form-urlencoded"
"""What `curl -d` sends by default; read as JSON, like a body without a type."""

MULTIPART = "multipart/form-data"
TEXTUAL = frozenset({JSON, CSV, TEXT})
"""Functions get bodies of these types as `str`, all others as `bytes`."""

_TAKEN = f"{JSON}, {NPY}, {CSV} and {TEXT}"
_TAKEN_WITHOUT_NUMPY = f"{JSON} and {TEXT}"

CELLS_AT_MOST = 100_000
"""Of a csv: numpy reads about that many in a second, and others wait meanwhile."""

CELL_CHARACTERS_AT_MOST = 16_000_000
"""Of a csv, if all its cells were as long as the longest: numpy makes them so, with four bytes each."""

_CELL_ENDS = re.compile(r"[,\n]")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""How JSON writes a half of a character; two that belong together are a character."""

_SHOWN_CHARACTERS = 20
_ARRAYS = frozenset({NPY, CSV})
"""Types that not every prediction can be written in."""


def read_body(body: str | bytes, content_type: str) -> Any:
    """Reads a body, as the default `input_fn`: a JSON value, an array for npy and csv, or text.

    Raises:
        Refusal: 415 for another type, 413 for a csv that is too large, 400 for a body that does not have the
            form of its type.
    """
    readers: dict[str, Callable[[Any], Any]] = {
        JSON: _read_json,
        FORM: _read_json,
        NPY: _read_npy,
        CSV: _read_csv,
        TEXT: str,
    }
    if content_type == MULTIPART:
        raise form_not_accepted()
    reader = readers.get(content_type)
    if reader is None or (content_type in {NPY, CSV} and not _has_numpy()):
        raise unsupported_content_type(content_type, _taken())
    try:
        return reader(body)
    except (Refusal, MemoryError):  # that memory is short is not the caller's mistake
        raise
    except Exception as error:  # whatever a reader of bytes stumbles over, the bytes are the caller's
        kind = JSON if content_type == FORM else content_type
        raise refused_input(f"it is not {kind}: {error}") from error


def write_body(prediction: Any, accept: str) -> tuple[bytes, str]:
    """Writes a prediction, as the default `output_fn`, in the first type of `accept` that fits it.

    Every prediction must fit JSON and plain text. Only some are arrays, or tables: callers who ask for one
    need not know.

    Raises:
        Refusal: 406 if no type is known, or none fits.
        TypeError, ValueError: The prediction cannot be written as JSON or text: the model's mistake.
    """
    writers: dict[str, Callable[[Any], bytes]] = {JSON: _write_json, TEXT: _write_text}
    if _has_numpy():
        writers = {JSON: _write_json, NPY: _write_npy, CSV: _write_csv, TEXT: _write_text}
    given = _taken()
    for wanted in _media_types(accept):
        for kind in _fitting(wanted, tuple(writers)):
            try:
                return writers[kind](prediction), kind
            except (TypeError, ValueError):
                if kind not in _ARRAYS:
                    raise
                given = _TAKEN_WITHOUT_NUMPY
    raise not_acceptable(accept, given)


def _media_types(accept: str) -> Iterable[str]:
    """Yields the types in the order of the header, without those that `q=0` excludes."""
    for part in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if kind and not any(_is_zero(parameter) for parameter in parameters):
            yield kind


def _is_zero(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip() == "q" and not value.strip().strip("0.")


def _fitting(wanted: str, known: tuple[str, ...]) -> list[str]:
    """Returns the known types that a type or a range such as `text/*` names."""
    if wanted.endswith("/*"):
        family = "" if wanted == ANY else wanted[:-1]
        return [kind for kind in known if kind.startswith(family)]
    return [kind for kind in known if kind == wanted]


def _read_json(body: str | bytes) -> Any:
    """Reads JSON as its standard defines it: a model can write no other, and its tokenizer reads no other.

    Source: https://www.rfc-editor.org/rfc/rfc8259 (6: Infinity and NaN are not permitted; 8.2: halves of
    characters)
    """
    value = json.loads(body, parse_constant=_read_number, parse_float=_read_number)
    if _SURROGATE.search(body.decode(errors="replace") if isinstance(body, bytes) else body):
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _read_number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:_SHOWN_CHARACTERS]} is not a number that can be calculated with")
    return number


def _read_npy(body: str | bytes) -> Any:
    form = importlib.import_module("numpy.lib.format")
    file = io.BytesIO(_bytes_of(body))
    version = form.read_magic(file)
    shape, _, dtype = (form.read_array_header_1_0 if version == (1, 0) else form.read_array_header_2_0)(file)
    elements = math.prod(max(1, length) for length in shape)
    if elements * max(1, dtype.itemsize) > max(1, len(body) - file.tell()):
        raise ValueError(f"an array of the shape {shape} needs more bytes than there are")
    file.seek(0)
    # Never pickles: a caller could run code here.
    return form.read_array(file, allow_pickle=False)


def _read_csv(body: str | bytes) -> Any:
    numpy = _import_numpy()
    text = str(body)
    cells = text.count(",") + text.count("\n") + 1
    if cells > CELLS_AT_MOST:
        raise too_large(f"The body has {cells:,} cells; at most {CELLS_AT_MOST:,} are taken at once.")
    longest = max(len(cell) for cell in _CELL_ENDS.split(text))
    if cells * longest > CELL_CHARACTERS_AT_MOST:
        raise too_large(f"A cell of the body has {longest:,} characters: too many beside {cells:,} cells.")
    warnings.filterwarnings("ignore", "genfromtxt: Empty input file")  # it has no rows, and that is that
    table = numpy.genfromtxt(io.StringIO(text), dtype=None, delimiter=",", encoding="utf-8")
    return table.astype(_in_doubles(table.dtype, numpy))


def _in_doubles(dtype: Any, numpy: Any) -> Any:
    """Returns the type without long doubles: numpy takes them for large numbers, and few others know them."""
    if dtype.names:
        return [(name, _in_doubles(dtype[name], numpy)) for name in dtype.names]
    return numpy.float64 if dtype == numpy.longdouble else dtype


def _write_json(prediction: Any) -> bytes:
    # NaN is not JSON: most clients could not read it.
    return json.dumps(prediction, default=_plain, allow_nan=False).encode()


def _write_npy(prediction: Any) -> bytes:
    buffer = io.BytesIO()
    _import_numpy().save(buffer, prediction, allow_pickle=False)
    return buffer.getvalue()


def _write_csv(prediction: Any) -> bytes:
    buffer = io.StringIO()
    _import_numpy().savetxt(buffer, prediction, delimiter=",", fmt="%s")
    return buffer.getvalue().encode(errors="replace")


def _write_text(prediction: Any) -> bytes:
    return str(prediction).encode(errors="replace")


def _plain(value: Any) -> Any:
    """Turns what has `tolist` (arrays, tensors, their numbers) into lists and numbers."""
    tolist = getattr(value, "tolist", None)
    if tolist is None:
        raise TypeError(f"{type(value).__name__} cannot be written as JSON; define an output_fn")
    plain = tolist()
    return float(plain) if type(plain) is type(value) else plain  # a long double's list is itself


def _has_numpy() -> bool:
    """Returns whether arrays can be read and written: only with numpy in `requirements.txt`."""
    return importlib.util.find_spec("numpy") is not None


def _taken() -> str:
    return _TAKEN if _has_numpy() else _TAKEN_WITHOUT_NUMPY


def _import_numpy() -> Any:
    """Imports numpy only on use: a model without arrays does not need it."""
    return importlib.import_module("numpy")


def _bytes_of(body: str | bytes) -> bytes:
    return body.encode() if isinstance(body, str) else body
