"""`mlapi call`: bodies are sent as what they are; nothing is overwritten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.cli.request import Body
from centralized_ml_api.cli.verbs.call import load_body, save
from centralized_ml_api.errors import UsageError
from support.odd_server import OddServer
from support.verbs import mlapi

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def one_server() -> Iterator[OddServer]:
    with OddServer() as odd:
        yield odd


@pytest.fixture
def server(one_server: OddServer) -> OddServer:
    """The server without the catalogue that another test gave it."""
    one_server.catalogue = None
    return one_server


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


def test_an_answer_is_printed_and_what_is_no_text_is_saved(server: OddServer, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{server.port}"
    (tmp_path / "cat.png").write_bytes(b"\x89PNG")
    text = mlapi("call", "same", "words", "--url", url, cwd=tmp_path)
    assert (text.status, text.out, text.talk) == (0, "words\n", "")
    picture = mlapi("call", "same", "@cat.png", "--url", url, cwd=tmp_path)
    assert (picture.status, picture.out) == (0, "")
    assert picture.talk == "Saved 4 bytes of image/png to same.png\n"
    assert (tmp_path / "same.png").read_bytes() == b"\x89PNG"


def test_standard_input_is_a_body(server: OddServer, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{server.port}"
    assert mlapi("call", "same", "-", "--url", url, cwd=tmp_path, stdin=b"[1]").out == "[1]\n"


def test_a_stream_asks_for_events_and_is_printed_unchanged(server: OddServer, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{server.port}"
    ran = mlapi("call", "echo", "{}", "--url", url, "--stream", cwd=tmp_path)
    assert ["accept", "text/event-stream"] in json.loads(ran.out)["headers"]


def test_an_error_is_status_1_and_its_body_is_shown(server: OddServer, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{server.port}"
    ran = mlapi("call", "refuse/422", "{}", "--url", url, cwd=tmp_path)
    assert ran.status == 1
    assert json.loads(ran.out)["detail"].startswith("it's")
    assert ran.talk.startswith("422 ")
    assert "Next:" not in ran.talk


def test_what_aws_says_in_a_failed_answer_is_explained(server: OddServer, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{server.port}"
    for more in ((), ("--stream",)):
        ran = mlapi("call", "aws/400", "{}", "--url", url, *more, cwd=tmp_path)
        assert (ran.status, json.loads(ran.out)["ErrorCode"]) == (1, "ModelError")
        status, meaning, fix, page = ran.talk.splitlines()
        assert status.startswith("400 ")
        assert meaning.startswith("That means: the model's container refused the request")
        assert fix.startswith("  fix: ")
        assert page == "  read: docs/how-to/troubleshoot-aws.md#model-refused"


def test_the_sample_of_an_api_elsewhere_is_the_one_that_it_shows(server: OddServer, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{server.port}"
    assert (
        "is not the catalogue of an API like this one"
        in mlapi("call", "same", "--url", url, cwd=tmp_path).talk
    )
    file = {"name": "cat.png", "media_type": "image/png", "base64": "iVBORw=="}
    server.catalogue = {
        "models": [
            {
                "name": "same",
                "path": "/same",
                "takes": "text/plain",
                "gives": None,
                "sample": "hi",
                "sample_file": None,
            },
            {
                "name": "echo",
                "path": "/echo",
                "takes": "image/png",
                "gives": None,
                "sample": None,
                "sample_file": file,
            },
        ]
    }
    assert mlapi("call", "same", "--url", url, cwd=tmp_path).out == "hi\n"
    assert json.loads(mlapi("call", "echo", "--url", url, cwd=tmp_path).out)["length"] == 4


def test_a_body_that_a_model_refuses_is_answered_with_one_that_it_takes(
    server: OddServer, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{server.port}"
    chat = {
        "name": "refuse/422",
        "path": "/",
        "takes": "application/json",
        "gives": None,
        "sample_file": None,
    }
    server.catalogue = {"models": [{**chat, "sample": {"messages": []}}]}
    ran = mlapi("call", "refuse/422", '{"text_inputs": "hi"}', "--url", url, cwd=tmp_path)
    assert (ran.status, ran.talk.splitlines()[1:]) == (
        1,
        [
            "This body looks like one for the model on AWS; here another server answers.",
            'refuse/422 takes bodies such as: {"messages": []}',
        ],
    )
    ran = mlapi("call", "refuse/422", "{broken", "--url", url, cwd=tmp_path)
    assert ran.talk.splitlines()[1:] == ['refuse/422 takes bodies such as: {"messages": []}']
    server.catalogue = {"models": [{**chat, "takes": "image/png", "sample": "png"}]}
    ran = mlapi("call", "refuse/422", "{}", "--url", url, cwd=tmp_path)
    assert ran.talk.splitlines()[1:] == ["refuse/422 takes image/png."]


def test_where_nobody_listens_no_command_of_this_machine_is_named(tmp_path: Path) -> None:
    ran = mlapi("call", "chat", "--url", "http://127.0.0.1:9", cwd=tmp_path)
    assert (ran.status, ran.out) == (1, "")
    assert ran.talk.endswith("  fix: check the address, and that the API runs there\n")
