"""`mlapi call`: bodies are sent as what they are; nothing is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from centralized_ml_api.cli.request import Body
from centralized_ml_api.cli.verbs.call import load_body, save
from centralized_ml_api.errors import UsageError


@pytest.mark.parametrize(
    ("written", "content_type"),
    [
        ('{"a": 1}', "application/json"),
        ('"text"', "application/json"),
        ("plain words", "text/plain; charset=utf-8"),
        ("{broken", "text/plain; charset=utf-8"),
    ],
)
def test_a_written_body_is_json_when_it_parses(written: str, content_type: str) -> None:
    assert load_body(written) == Body(written.encode(), content_type)


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("cat.png", b"\x89PNG", "image/png"),
        ("hello.wav", b"RIFF", "audio/wav"),
        ("body.json", b"{}", "application/json"),
        ("unknown", b'{"a": 1}', "application/json"),
        ("unknown", b"\xff\xfe\x00", "application/octet-stream"),
    ],
)
def test_a_file_is_sent_as_its_name_or_its_content_says(
    tmp_path: Path, name: str, content: bytes, content_type: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert load_body(f"@{tmp_path / name}") == Body(content, content_type)


def test_a_missing_file_is_a_clear_error() -> None:
    with pytest.raises(UsageError, match="no-such-file cannot be read"):
        load_body("@no-such-file")


def test_a_binary_answer_never_overwrites_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert save(b"1", "sd-1-0", "image/png") == Path("sd-1-0.png")
    assert save(b"2", "sd-1-0", "image/png; x=y") == Path("sd-1-0-2.png")
    assert save(b"3", "voice", "audio/wav") == Path("voice.wav")
    assert save(b"3", "odd", "application/x-unheard-of") == Path("odd.bin")
    assert Path("sd-1-0.png").read_bytes() == b"1"
