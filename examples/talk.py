# ruff: noqa: INP001, T201  # a script that prints, not a package
"""Speaks a sentence, transcribes it, and sends the transcript to the chat model. Needs only Python.

mlapi up config/showcase.json
python3 examples/talk.py "Why is the sky blue?"
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

SENTENCE = "What is the capital of France?"
JSON, WAV = "application/json", "audio/wav"
MANNER = "You are a helpful assistant. Answer in one short sentence."


class Api:
    """The API at an address; sends `key` if there is one."""

    def __init__(self, url: str, key: str | None) -> None:
        self._url = url.rstrip("/")
        self._key = {"x-api-key": key} if key else {}

    def speak(self, text: str) -> bytes:
        """Returns the spoken text as WAV."""
        return self._post("text-to-speech", json.dumps({"text": text}).encode(), JSON, accept=WAV)

    def listen(self, recording: bytes) -> str:
        """Returns the transcript of a WAV recording."""
        answer: dict[str, str] = json.loads(self._post("speech-to-text", recording, WAV))
        return answer["text"]

    def ask(self, question: str) -> str:
        """Returns the chat model's answer."""
        messages = [{"role": "system", "content": MANNER}, {"role": "user", "content": question}]
        body = {"messages": messages, "max_tokens": 64, "temperature": 0}
        answer = json.loads(self._post("chat", json.dumps(body).encode(), JSON))
        text: str = answer["choices"][0]["message"]["content"]
        return text.strip()

    def _post(self, name: str, body: bytes, content_type: str, accept: str = JSON) -> bytes:
        headers = {"Content-Type": content_type, "Accept": accept, **self._key}
        request = urllib.request.Request(f"{self._url}/{name}", body, headers)  # noqa: S310  # the user's address
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  # as above
                content: bytes = answer.read()
        except urllib.error.HTTPError as error:
            sys.exit(f"{name} answers {error.code}: {error.read().decode(errors='replace')}")
        except OSError as error:
            sys.exit(f"{self._url} does not answer: {error}")
        return content


def main() -> None:
    """Speaks a sentence, transcribes it, asks the chat model."""
    options = _parse()
    api = Api(options.url, os.environ.get("MLAPI_KEY"))
    recording = api.speak(options.sentence)
    if options.save:
        options.save.write_bytes(recording)
    print(f"said:   {options.sentence} ({len(recording)} bytes of WAV)")
    heard = api.listen(recording)
    print(f"heard:  {heard}")
    print(f"answer: {api.ask(heard)}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Speak a sentence, transcribe it, and send the transcript to the chat model."
    )
    parser.add_argument("sentence", nargs="?", default=SENTENCE)
    parser.add_argument(
        "--url", default="http://127.0.0.1:8080", help="the API (set MLAPI_KEY if it needs a key)"
    )
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the recording")
    return parser.parse_args()


if __name__ == "__main__":
    main()
