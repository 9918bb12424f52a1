"""Reads a form with a file in it (multipart/form-data).

Source: https://www.rfc-editor.org/rfc/rfc7578, https://www.rfc-editor.org/rfc/rfc2046#section-5.1
"""

from __future__ import annotations

from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message

from .answer import media_type
from .bodies import MULTIPART
from .refusal import form_required, refused_input

PARTS_AT_MOST = 100
OCTETS = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class File:
    """A file of a form: its bytes and its media type."""

    content: bytes
    content_type: str


@dataclass(slots=True)
class Form:
    """A form: the texts of each field in their order, and the file of each."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Returns the last text of a field, empty without one."""
        return self.texts.get(name, [""])[-1]


def read_form(body: bytes, content_type: str) -> Form:
    """Reads a form.

    Raises:
        Refusal: 415 for another type, 400 if the body is not such a form.
    """
    if media_type(content_type) != MULTIPART:
        raise form_required(media_type(content_type))
    boundary = _find_boundary(content_type)
    _, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if not parts or not parts[-1].startswith(b"--"):
        raise refused_input("its form ends too early, or has another boundary than its Content-Type says")
    if len(parts) > PARTS_AT_MOST:
        raise refused_input(f"its form has more than {PARTS_AT_MOST} parts")
    form = Form()
    for part in parts[:-1]:
        _add(form, part)
    return form


def _find_boundary(content_type: str) -> bytes:
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_boundary()
    if not boundary:
        raise refused_input("its Content-Type, multipart/form-data, names no boundary")
    return boundary.encode()


def _add(form: Form, part: bytes) -> None:
    head, separator, content = part.partition(b"\r\n\r\n")
    header = message_from_bytes(head.lstrip(b" \t\r\n"))
    name = header.get_param("name", header="content-disposition")
    if not separator or not isinstance(name, str):
        raise refused_input("its form has a part without a name")
    if header.get_filename() is None:
        try:
            form.texts.setdefault(name, []).append(content.decode())
        except UnicodeDecodeError as error:
            raise refused_input(f"its field {name[:40]!r} is not UTF-8") from error
    else:
        # A `Header` where it is not ASCII.
        form.files[name] = File(content, str(header.get("content-type", OCTETS)))
