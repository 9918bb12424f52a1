"""A form with a file in it, as OpenAI's clients send it."""

from __future__ import annotations

import pytest

from centralized_ml_api.local.python_engine.mlapi_model_server.forms import File, read_form
from centralized_ml_api.local.python_engine.mlapi_model_server.refusal import Refusal

TYPE = "multipart/form-data; boundary=abc"
SOUND = bytes(range(256)) + b"\r\n--ab\r\n\r\n--abd"


def part(head: str, content: bytes) -> bytes:
    return b"--abc\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def test_texts_and_files_are_told_apart_and_every_byte_is_kept() -> None:
    body = (
        part(
            'Content-Disposition: form-data; name="file"; filename="ä.wav"\r\nContent-Type: audio/wav', SOUND
        )
        + part('Content-Disposition: form-data; name="t[]"', b"word")
        + part('Content-Disposition: form-data; name="t[]"', "é".encode())
        + part('content-disposition: form-data; name="raw"; filename=x', b"")
        + b"--abc--\r\n"
    )
    form = read_form(body, 'Multipart/Form-Data; charset=utf-8; boundary="abc"')
    assert form.files == {"file": File(SOUND, "audio/wav"), "raw": File(b"", "application/octet-stream")}
    assert form.texts == {"t[]": ["word", "é"]}
    assert (form.text("t[]"), form.text("none")) == ("é", "")


def test_the_type_of_a_file_is_a_text_whatever_it_is_written_in() -> None:
    head = 'Content-Disposition: form-data; name="file"; filename="a"\r\nContent-Type: audio/ä'
    file = read_form(part(head, b"") + b"--abc--", TYPE).files["file"]
    assert isinstance(file.content_type, str)
    assert file.content_type.startswith("audio/")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "said"),
    [
        (b"{}", "application/json", 415, "multipart/form-data), not application/json"),
        (b"{}", "multipart/form-data", 400, "names no boundary"),
        (part('Content-Disposition: form-data; name="a"', b"1"), TYPE, 400, "ends too early"),
        (b"--other--\r\n", TYPE, 400, "another boundary"),
        (part("Content-Disposition: form-data", b"1") + b"--abc--", TYPE, 400, "without a name"),
        (b"--abc\r\nnothing\r\n--abc--", TYPE, 400, "without a name"),
        (part('Content-Disposition: form-data; name="a"', b"\xff") + b"--abc--", TYPE, 400, "not UTF-8"),
        (part('Content-Disposition: form-data; name="a"', b"") * 101 + b"--abc--", TYPE, 400, "100 parts"),
    ],
)
def test_what_is_no_form_is_refused_with_the_reason(
    body: bytes, content_type: str, status: int, said: str
) -> None:
    with pytest.raises(Refusal) as caught:
        read_form(body, content_type)
    assert caught.value.status == status
    assert said in caught.value.message
