"""What jobs on AWS are asked, and what their model answers."""

from __future__ import annotations

import json

QUESTION = {"model": "hosted", "messages": [{"role": "user", "content": "a"}]}
ANSWER = b'{"choices": [], "mine": "kept byte by byte"}'


def code_of(body: bytes) -> str:
    code: str = json.loads(body)["error"]["code"]
    return code
