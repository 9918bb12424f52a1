"""Forms: which model they name, and that no server behind could read another."""

from __future__ import annotations

import pytest

from centralized_ml_api.local.admission.form_body import read_form, with_form_model
from centralized_ml_api.local.admission.json_body import BodyError

TYPE = "multipart/form-data; boundary=----a'b_(c)+d"
SOUND = b"\x00\r\n--\r\n\r\n------a'b_(c)+\xff"


def part(head: str, content: bytes = b"one") -> bytes:
    return b"------a'b_(c)+d\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def named(name: str, content: bytes = b"one") -> bytes:
    return part(f'Content-Disposition: form-data; name="{name}"', content)


FILE = part(
    'Content-Type: audio/wav\r\nContent-Disposition: form-data; name="file"; filename="a; name=b"', SOUND
)
END = b"------a'b_(c)+d--\r\n"


def test_the_model_of_a_form_is_read_and_replaced_and_all_else_is_kept() -> None:
    body = FILE + named("model", b"whisper") + named("stream", b"true") + END
    form = read_form(body, TYPE)
    assert form.texts == {"model": "whisper", "stream": "true"}
    assert (
        with_form_model(form, "org/own") == FILE + named("model", b"org/own") + named("stream", b"true") + END
    )


def test_a_form_without_a_model_gets_one() -> None:
    form = read_form(FILE + END, 'multipart/form-data;charset=x; boundary="----a\'b_(c)+d"')
    assert form.texts == {}
    assert with_form_model(form, "own") == named("model", b"own") + FILE + END
    assert read_form(with_form_model(form, "own"), TYPE).texts == {"model": "own"}


@pytest.mark.parametrize(
    ("body", "content_type", "said"),
    [
        (b"{}", "application/json", "must be a form with a file (multipart/form-data), not application/json"),
        (b"", "", "not without a Content-Type"),
        (END, "multipart/form-data", "must name a boundary"),
        (END, "multipart/form-data; boundary=other", "does not begin with the boundary"),
        (b"preamble\r\n" + END, TYPE, "does not begin with the boundary"),
        (b"", TYPE, "does not begin with the boundary"),
        (END, TYPE, "has no parts"),
        (named("model"), TYPE, "ends too early"),
        (b"------a'b_(c)+dx\r\n" + END, TYPE, "ends too early"),
        (b"------a'b_(c)+d\r\nno head\r\n" + END, TYPE, "without headers"),
        (named("a") * 101 + END, TYPE, "more than 100 parts"),
        (named("model") * 2 + END, TYPE, "twice"),
        (named("Model") + END, TYPE, 'in a field "model"'),
        (named(" model") + END, TYPE, 'in a field "model"'),
        (
            part('Content-Disposition: form-data; name="model"; filename="x"') + END,
            TYPE,
            'in a field "model" that is a text',
        ),
        *(
            (part(f"Content-Disposition: {value}") + END, TYPE, "must have one name")
            for value in (
                "form-data",
                "form-data; name=model",
                "form-data; name*=utf-8''model",
                'form-data; name="a"; name="model"',
                'form-data; name="a"; name*=model',
                'attachment; name="model"',
                'form-data; name="a" x="b"',
            )
        ),
        (
            part('Content-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="model"')
            + END,
            TYPE,
            "must have one name",
        ),
    ],
)
def test_what_can_be_read_in_two_ways_or_in_none_is_refused(
    body: bytes, content_type: str, said: str
) -> None:
    with pytest.raises(BodyError) as caught:
        read_form(body, content_type)
    assert said in str(caught.value)
