"""The showcase as a user meets it: five real models, and what they do for one another."""

from __future__ import annotations

import base64
import json
import math
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest

from contract.targets import read_targets
from support.background import start_background
from support.local_api import LocalApi, mlapi, start_local_api
from support.media import (
    build_blank_png,
    build_wav,
    draw,
    draw_huge_picture,
    encode,
    measure_a_long_text,
    measure_an_hour_of_silence,
    read_large_pictures,
    record_minutes_of_silence,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import urllib3


ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config/showcase.json"
FIRST_START_SECONDS = 480
"""On a machine that has none of it yet, packages and weights (about 500 MB) are fetched first, once."""

SENTENCE = "The quick brown fox jumps over the lazy dog."
WAV = "audio/wav"
FORMS: dict[Any, bytes] = {
    "mp3": b"\xff\xf3\x84\xc4",
    "opus": b"OggS",
    "flac": b"fLaC",
    "wav": b"RIFF",
    "pcm": b"\0\0\0\0",
}
"""How the sounds of each format begin; with silence the one without a header."""

LINES = ["Invoice 2041", "Seven apples: 3.90 EUR"]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    folder = tmp_path_factory.mktemp("showcase")
    with start_local_api(folder, CONFIG) as started:
        yield started.wait_serving(FIRST_START_SECONDS)


@pytest.fixture(scope="module")
def client(api: LocalApi) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{api.url}/v1", api_key="none is asked for", max_retries=0) as client:
        yield client


def speak(api: LocalApi, text: str, **more: Any) -> bytes:
    answer = api.call("/text-to-speech", json.dumps({"text": text, **more}).encode())
    assert (answer.status, answer.headers["Content-Type"]) == (200, WAV), answer.data
    return answer.data


def listen(api: LocalApi, recording: bytes, media_type: str = WAV) -> str:
    answer = api.call("/speech-to-text", recording, Content_Type=media_type)
    assert answer.status == 200, answer.data
    heard: str = json.loads(answer.data)["text"]
    return heard


def talk(url: str, folder: Path) -> list[str]:
    """What the script of the docs prints, a line each: said, heard, answer."""
    script = ROOT / "examples/talk.py"
    done = subprocess.run(
        [sys.executable, script, SENTENCE, "--url", url, "--save", "fox.wav"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()


def message_of(answer: urllib3.BaseHTTPResponse) -> str:
    message: str = json.loads(answer.data)["error"]["message"]
    return message


def similarity(one: list[float], other: list[float]) -> float:
    """The cosine of two vectors whose length is one."""
    assert math.hypot(*one) == pytest.approx(1, abs=1e-5)
    return sum(left * right for left, right in zip(one, other, strict=True))


@pytest.mark.slow
def test_smoke_finds_all_five_well(api: LocalApi) -> None:
    ran = mlapi("smoke", "--json", cwd=api.folder)
    models = {model["name"]: model for model in json.loads(ran.out)["models"]}
    assert list(models) == ["chat", "embeddings", "speech-to-text", "text-to-speech", "ocr"]
    assert {name: model["verdict"] for name, model in models.items()} == dict.fromkeys(models, "ok")
    assert ran.status == 0
    assert models["text-to-speech"]["content_type"] == WAV


@pytest.mark.slow
def test_smoke_finds_them_as_well_through_the_api_on_aws(
    api: LocalApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The synthesized API behind the tests' API Gateway, its endpoints the same model servers."""
    monkeypatch.chdir(ROOT)
    shutil.copy(CONFIG, tmp_path / "models.json")
    with start_background() as background, read_targets(api, tmp_path, background) as targets:
        ran = mlapi("smoke", targets.aws_url, "--config", str(CONFIG), cwd=tmp_path)
        _, heard, _ = talk(targets.aws_url, tmp_path)
    assert heard == f"heard:  {SENTENCE}"
    assert ran.status == 0, ran.out
    *_, speech_to_text, text_to_speech, ocr = ran.out.splitlines()
    assert '{"text": "Hello from one machine.", "segments"' in speech_to_text
    assert text_to_speech.endswith("audio/wav: 52 49 46 46 64 64 01 00")
    assert '{"text": "Hello from one machine.\\nTotal: 42.50 EUR", "lines' in ocr


@pytest.mark.slow
def test_what_is_said_is_understood(api: LocalApi) -> None:
    recording = speak(api, SENTENCE)
    assert recording.startswith(b"RIFF")
    assert listen(api, recording) == SENTENCE


@pytest.mark.slow
def test_openais_client_speaks_and_listens(api: LocalApi, client: openai.OpenAI) -> None:
    said = {
        form: client.audio.speech.create(
            model="text-to-speech", voice="alloy", input=SENTENCE, response_format=form
        ).content
        for form in FORMS
    }
    assert {form: said[form][:4] for form in FORMS} == FORMS
    assert said["wav"] == speak(api, SENTENCE), "the same as on the model's own path"
    assert said["pcm"] == said["wav"][44:]
    for form in ("wav", "mp3", "opus"):
        heard = client.audio.transcriptions.create(model="speech-to-text", file=(f"a.{form}", said[form]))
        assert heard.text == SENTENCE

    def hear(form: Any) -> Any:
        return client.audio.transcriptions.create(
            model="speech-to-text", file=("a.wav", said["wav"]), response_format=form, language="en"
        )

    assert hear("text") == f"{SENTENCE}\n"
    assert hear("srt").startswith("1\n00:00:00,000 --> 00:00:0")
    assert hear("vtt").startswith("WEBVTT\n\n00:00:00.000 --> 00:00:0")
    whole = hear("verbose_json")
    assert (whole.text, whole.language, whole.task) == (SENTENCE, "english", "transcribe")
    assert whole.duration == pytest.approx(len(said["pcm"]) / 48_000, abs=0.02)
    assert [segment.text for segment in whole.segments] == [SENTENCE]
    one = client.with_options(base_url=f"{api.url}/speech-to-text/v1")
    assert [model.id for model in one.models.list()] == ["speech-to-text"]
    heard = one.audio.transcriptions.create(model="whisper-1", file=("a.wav", said["wav"]))
    assert heard.text == SENTENCE
    with pytest.raises(openai.BadRequestError, match="English alone"):
        client.audio.transcriptions.create(model="speech-to-text", file=("a.wav", said["wav"]), language="de")
    with pytest.raises(openai.NotFoundError, match="POST /v1/chat/completions"):
        client.audio.transcriptions.create(model="chat", file=("a.wav", said["wav"]))


@pytest.mark.slow
def test_the_same_text_is_always_said_the_same_way_and_faster_on_request(api: LocalApi) -> None:
    first, again, faster = speak(api, "Hello."), speak(api, "Hello."), speak(api, "Hello.", speed=2)
    assert first == again
    assert len(faster) < len(first)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "codec", "media_type"), [("flac", "flac", "audio/flac"), ("mp3", "mp3", "audio/mpeg")]
)
def test_other_recordings_are_heard_too(
    api: LocalApi, tmp_path: Path, form: str, codec: str, media_type: str
) -> None:
    (tmp_path / "fox.wav").write_bytes(speak(api, SENTENCE))
    recording = encode(tmp_path / "fox.wav", form, codec)
    assert listen(api, recording, media_type) == SENTENCE


@pytest.mark.slow
def test_a_bare_text_is_answered_where_one_is_asked_for(api: LocalApi) -> None:
    sample = (ROOT / "models/speech_to_text/sample.wav").read_bytes()
    heard = api.call("/speech-to-text", sample, Content_Type=WAV, Accept="text/plain")
    assert (heard.data, heard.headers["Content-Type"]) == (
        b"Hello from one machine.",
        "text/plain; charset=utf-8",
    )


@pytest.mark.slow
def test_silence_is_no_text(api: LocalApi) -> None:
    wav = speak(api, SENTENCE)
    silence = wav[:44] + bytes(len(wav) - 44)
    assert listen(api, silence) == ""


@pytest.mark.slow
def test_a_picture_is_read_line_by_line(api: LocalApi) -> None:
    picture = draw(LINES)
    answer = api.call("/ocr", picture, Content_Type="image/png")
    read = json.loads(answer.data)
    assert read["text"].splitlines() == LINES
    upper, lower = read["lines"]
    assert min(upper["score"], lower["score"]) > 0.9
    assert all(0 <= x <= 560 and 0 <= y <= 180 for line in (upper, lower) for x, y in line["box"])
    assert max(y for _, y in upper["box"]) < min(y for _, y in lower["box"]) + 20


@pytest.mark.slow
def test_texts_that_mean_the_same_are_near(client: openai.OpenAI) -> None:
    texts = ["A cat sits on the mat.", "A kitten is resting on a rug.", "Interest rates rose again."]
    answer = client.embeddings.create(model="embeddings", input=texts)
    cat, kitten, rates = (item.embedding for item in answer.data)
    assert similarity(cat, kitten) == pytest.approx(0.655, abs=0.002), "what the authors' own code gives"
    assert similarity(cat, rates) < 0.1
    assert [item.index for item in answer.data] == [0, 1, 2]
    assert answer.usage.prompt_tokens == answer.usage.total_tokens > len(texts)


@pytest.mark.slow
def test_one_text_or_many_as_numbers_or_in_base64_give_the_same(api: LocalApi) -> None:
    def embed(**body: Any) -> list[dict[str, Any]]:
        answer = api.call("/embeddings", json.dumps(body).encode())
        data: list[dict[str, Any]] = json.loads(answer.data)["data"]
        return data

    longer = SENTENCE * 5
    (alone,), (_, among) = embed(input=SENTENCE), embed(input=[longer, SENTENCE])
    packed = embed(input=SENTENCE, encoding_format="base64")[0]["embedding"]
    assert among["embedding"] == pytest.approx(alone["embedding"], abs=1e-5), "padding changes nothing"
    assert list(struct.unpack("<384f", base64.b64decode(packed))) == pytest.approx(alone["embedding"])


@pytest.mark.slow
def test_the_chat_model_answers_the_openai_client(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [
        "chat",
        "speech-to-text",
        "text-to-speech",
        "embeddings",
    ]
    question = "What is the capital of France? Answer in one short sentence."
    answer = client.chat.completions.create(
        model="chat", messages=[{"role": "user", "content": question}], max_tokens=32, temperature=0
    )
    assert answer.choices[0].message.content


WRONG = [
    ("/embeddings", b"{", "application/json", "The body is not JSON"),
    ("/embeddings", b"[" * 100_000, "application/json", "The body is not JSON"),
    ("/embeddings", b'{"input": "\\ud800"}', "application/json", "not Unicode text"),
    ("/embeddings", b"[]", "application/json", "must be a JSON object"),
    ("/embeddings", b'{"input": []}', "application/json", "a text or a list of texts"),
    ("/embeddings", b'{"input": [[1, 2]]}', "application/json", "a text or a list of texts"),
    ("/embeddings", b'{"input": ["a", ""]}', "application/json", "an empty text at 1"),
    ("/embeddings", b'{"input": "a", "dimensions": 10}', "application/json", "this model returns 384"),
    ("/embeddings", b'{"input": "a", "encoding_format": "x"}', "application/json", '"float" or "base64"'),
    ("/embeddings", json.dumps({"input": "word " * 300}).encode(), "application/json", "302 tokens"),
    ("/embeddings", json.dumps({"input": ["word " * 250] * 90}).encode(), "application/json", "in parts"),
    ("/embeddings", json.dumps({"input": ["a"] * 2049}).encode(), "application/json", "at most 2048"),
    ("/embeddings", json.dumps({"input": "x" * 200_001}).encode(), "application/json", "200001 characters"),
    ("/text-to-speech", b"[" * 100_000, "application/json", "The body is not JSON"),
    ("/text-to-speech", b'{"text": " "}', "application/json", "must be a text to say"),
    (
        "/text-to-speech",
        '{"text": "你好"}'.encode(),
        "application/json",
        "nothing that an English voice can say",
    ),
    ("/text-to-speech", b'{"text": "a", "speed": 9}', "application/json", "from 0.5 to 2.0"),
    ("/text-to-speech", json.dumps({"text": "a" * 1001}).encode(), "application/json", "at most 1000"),
    ("/speech-to-text", b"no sound", WAV, "not readable audio"),
    ("/speech-to-text", build_wav(rate_hz=1_000_000_000), WAV, "samples per second"),
    ("/speech-to-text", b"{}", "application/json", "send the bytes of a recording"),
    ("/ocr", b"no picture", "image/png", "not a readable image"),
    ("/ocr", b"{}", "application/json", "send the bytes of an image"),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "body", "media_type", "words"),
    WRONG,
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_wrong_input_is_400_and_says_what_is_wrong(
    api: LocalApi, path: str, body: bytes, media_type: str, words: str
) -> None:
    answer = api.call(path, body, Content_Type=media_type)
    assert answer.status == 400, answer.data
    assert words in message_of(answer)


@pytest.mark.slow
def test_curls_form_is_told_how_to_send_a_recording_and_may_transcribe_it(api: LocalApi) -> None:
    def send(path: str, *more: str) -> tuple[str, Any]:
        form = ["--form", f"file=@{ROOT / 'models/speech_to_text/sample.wav'}", *more]
        command = ["curl", "--silent", "--max-time", "60", "--write-out", "\n%{http_code}", *form]
        done = subprocess.run([*command, f"{api.url}{path}"], capture_output=True, text=True, check=True)
        body, _, status = done.stdout.rpartition("\n")
        return status, json.loads(body)

    status, refused = send("/speech-to-text")
    assert (status, refused["error"]["code"]) == ("415", "unsupported_media_type")
    assert "--data-binary @sample.wav -H 'Content-Type: audio/wav'" in refused["error"]["message"]
    status, heard = send("/v1/audio/transcriptions", "--form", "model=speech-to-text")
    assert (status, bool(heard["text"])) == ("200", True)


@pytest.mark.slow
def test_a_playlist_does_not_get_at_files_of_the_machine(api: LocalApi) -> None:
    playlist = b"ffconcat version 1.0\nfile sample.wav\n"
    answer = api.call("/speech-to-text", playlist, Content_Type=WAV)
    assert (answer.status, "not readable audio" in message_of(answer)) == (400, True)


@pytest.mark.slow
def test_a_drawing_that_would_be_run_as_a_program_is_no_image(api: LocalApi) -> None:
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 50\n%%EndComments\nshowpage\n"
    answer = api.call("/ocr", eps, Content_Type="application/postscript")
    assert (answer.status, "not a readable image" in message_of(answer)) == (400, True)


@pytest.mark.slow
def test_bodies_that_hold_more_than_they_weigh_are_refused(api: LocalApi) -> None:
    picture = draw_huge_picture()
    assert len(picture) < 100_000
    assert "25 million pixels" in message_of(api.call("/ocr", picture, Content_Type="image/png"))
    silence = record_minutes_of_silence()
    assert len(silence) < 200_000
    assert "longer than 300 seconds" in message_of(
        api.call("/speech-to-text", silence, Content_Type="audio/flac")
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "speed"),
    [
        ("1" * 37, 1),
        ("A" * 1000, 1),
        ("%" * 1000, 1),
        ("A B C D " * 125, 1),
        ("w, " * 120, 0.5),
        ("kg cm " * 166, 1),
    ],
    ids=["number", "capitals", "symbols", "letters", "slow letters", "units"],
)
def test_what_takes_long_to_say_is_refused(api: LocalApi, text: str, speed: float) -> None:
    answer = api.call("/text-to-speech", json.dumps({"text": text, "speed": speed}).encode())
    assert answer.status == 400
    assert '"text" has' in answer.json()["error"]["message"]


@pytest.mark.slow
@pytest.mark.parametrize("size", [(2_500_000, 1), (1, 2_500_000), (41, 1)])
def test_an_image_of_a_shape_that_no_page_has_is_refused(api: LocalApi, size: tuple[int, int]) -> None:
    answer = api.call("/ocr", build_blank_png(*size), Content_Type="image/png")
    assert answer.status == 400
    assert "times as wide as high" in answer.json()["error"]["message"]


@pytest.mark.slow
def test_hours_of_silence_take_no_more_memory_than_minutes() -> None:
    assert measure_an_hour_of_silence() < 100_000


@pytest.mark.slow
def test_nothing_is_kept_of_the_longest_sentence() -> None:
    assert measure_a_long_text() < 64


@pytest.mark.slow
def test_large_pictures_are_reduced_and_take_no_more_memory_than_a_page() -> None:
    """One that is enlarged most, and one whose lines are two hundred times as wide as high."""
    read = read_large_pictures()
    assert read["most_mib"] < 600
    upright, turned = read["boxes"]
    assert max(x for x, _ in upright) > 3_000, "in pixels of the photograph"
    assert all(400 <= y <= 560 for _, y in upright)
    assert max(y for _, y in turned) > 3_000
    assert all(3_000 - 560 <= x <= 3_000 - 400 for x, _ in turned)


@pytest.mark.slow
def test_the_script_of_the_docs_speaks_listens_and_asks(api: LocalApi, tmp_path: Path) -> None:
    said, heard, answer = talk(api.url, tmp_path)
    assert said.startswith(f"said:   {SENTENCE}")
    assert heard == f"heard:  {SENTENCE}"
    assert len(answer) > len("answer: ")
    assert (tmp_path / "fox.wav").read_bytes().startswith(b"RIFF")
