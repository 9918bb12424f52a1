"""Reads the fields of a form with a file in it (multipart/form-data), and writes another model into it.

Reads strictly: the server behind must not find another `model` in a form than is found here.

Source: https://www.rfc-editor.org/rfc/rfc7578
"""

from __future__ import annotations

import re

from centralized_ml_api.local.admission.json_body import BodyError
from centralized_ml_api.record import record

MOST_PARTS = 100
FORM = "multipart/form-data"

_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"\\]{1,70})"|([^\s";]{1,70}))\s*(?:;|$)', re.IGNORECASE)
_DISPOSITION = re.compile(rb"(?:^|\r\n)content-disposition:([^\r\n]*)", re.IGNORECASE)
_PARAMETER = re.compile(rb'\s*;\s*([\w-]+\*?)=(?:"((?:[^"\\]|\\.)*)"|([^\s";]+))')


@record
class FormBody:
    """A form: its bytes, its fields that are texts, and where the text of `model` is in the bytes."""

    body: bytes
    texts: dict[str, str]
    model_at: slice | None


def read_form(body: bytes, content_type: str) -> FormBody:
    """Reads a body. Pure.

    Raises:
        BodyError: It is no form, or it can be read in more than one way; the message says what is wrong.
    """
    texts: dict[str, str] = {}
    model_at = None
    for name, is_file, place in _list_parts(body, content_type):
        if name.strip().lower() == "model":
            if name != "model" or is_file:
                raise BodyError('The form must name its model in a field "model" that is a text.')
            if model_at is not None:
                raise BodyError('The form has the field "model" twice.')
            model_at = place
        if not is_file:
            texts[name] = body[place].decode(errors="replace")
    return FormBody(body, texts, model_at)


def with_form_model(form: FormBody, name: str) -> bytes:
    """Returns the form with `name` as its model, whether or not it names one. Pure."""
    if form.model_at is not None:
        return form.body[: form.model_at.start] + name.encode() + form.body[form.model_at.stop :]
    line_end = form.body.index(b"\r\n")
    part = b'\r\nContent-Disposition: form-data; name="model"\r\n\r\n' + name.encode() + b"\r\n"
    return form.body[:line_end] + part + form.body


def _list_parts(body: bytes, content_type: str) -> list[tuple[str, bool, slice]]:
    """Returns the name of each part, whether it is a file, and where its content is.

    Raises:
        BodyError: It is no form.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind != FORM:
        raise BodyError(
            f"The body must be a form with a file ({FORM}), not {kind or 'without a Content-Type'}."
        )
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        raise BodyError(f"The Content-Type {FORM} must name a boundary.")
    delimiter = b"--" + (boundary[1] or boundary[2]).encode()
    if not body.startswith(delimiter):
        raise BodyError("The form does not begin with the boundary that its Content-Type names.")
    parts: list[tuple[str, bool, slice]] = []
    at, separator = len(delimiter), b"\r\n" + delimiter
    while not body.startswith(b"--", at):
        end = body.find(separator, at)
        if end < 0 or not body.startswith(b"\r\n", at):
            raise BodyError("The form ends too early.")
        if len(parts) == MOST_PARTS:
            raise BodyError(f"The form has more than {MOST_PARTS} parts.")
        head_end = body.find(b"\r\n\r\n", at, end)
        if head_end < 0:
            raise BodyError("The form has a part without headers.")
        name, is_file = _read_head(body[at + 2 : head_end])
        parts.append((name, is_file, slice(head_end + 4, end)))
        at = end + len(separator)
    if not parts:
        raise BodyError("The form has no parts.")
    return parts


def _read_head(head: bytes) -> tuple[str, bool]:
    """Returns the name of a part, and whether it is a file."""
    written = _DISPOSITION.findall(head)
    kind, separator, parameters = written[0].partition(b";") if len(written) == 1 else (b"", b"", b"")
    found = list(_PARAMETER.finditer(separator + parameters))
    names = [parameter[2] for parameter in found if parameter[1].lower() in {b"name", b"name*"}]
    is_whole = b"".join(parameter[0] for parameter in found) == (separator + parameters).rstrip()
    if kind.strip().lower() != b"form-data" or not is_whole or len(names) != 1 or names[0] is None:
        raise BodyError('Each part of the form must have one name, such as: form-data; name="model".')
    is_file = any(parameter[1].lower().startswith(b"filename") for parameter in found)
    return names[0].decode(errors="replace"), is_file
